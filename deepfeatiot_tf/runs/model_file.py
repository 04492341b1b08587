"""Saving a model whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from deepfeatiot_tf.models import DeepFeatIoT


def save_model(model: DeepFeatIoT, path: Path) -> None:
    """Save without the state of the optimizer, which is three times the model; written beside and renamed."""
    plain = DeepFeatIoT.from_config(model.get_config())
    plain.set_weights(model.get_weights())
    plain.adapted = model.adapted
    beside = path.with_name(f".{path.stem}.part.keras")  # Keras wants this ending
    try:
        plain.save(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
