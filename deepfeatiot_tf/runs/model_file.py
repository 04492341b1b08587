"""Saving a model whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel


def save_model(model: FrozenFeatureModel, path: Path) -> None:
    """Save without the state of the optimizer, which is three times the model; written beside and renamed."""
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    save_keras(plain.save, path)


def save_keras(save: Callable[[Path], object], path: Path) -> None:
    """A `.keras` file written beside its place by `save`, and renamed.

    Raises:
        InputError: it cannot be written. Nothing is left behind.
    """
    beside = path.with_name(f".{path.stem}.part.keras")  # Keras wants this ending
    try:
        save(beside)
        os.replace(beside, path)
    except OSError as error:
        what = error.strerror or error
        raise InputError(f"{path}: cannot be written ({what}); free space and give the same command again") from error
    finally:
        beside.unlink(missing_ok=True)
