"""Training once more, on all that there is, when what had to be chosen is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.training.resumable_fit import fit_resumably
from deepfeatiot_tf.training.run_checkpoint import RunCheckpoint


def refit(
    chosen: FrozenFeatureModel,
    build: Callable[[], FrozenFeatureModel],
    train: SensorReadings,
    validation: SensorReadings,
    *,
    epochs: int,
    unfinished: Path | None = None,
    **options: Any,
) -> FrozenFeatureModel:
    """A model like `chosen` that learned from the validation part, too, and is calibrated as `chosen` is.

    Args:
        chosen: trained on `train` with an annealed learning rate, calibrated on `validation`; of a blend the share of
            the two answers is taken, too.
        build: gives the same model, compiled and untrained.
        train: labelled.
        validation: labelled.
        epochs: in all.
        unfinished: file that keeps the state of the training, so that the same call goes on after a kill; gone
            afterwards. Default None.
        **options: of `fit_resumably`, `seed` among them.
    """
    fresh = build()
    last = RunCheckpoint(unfinished, monitor=None, patience=epochs)
    fit_resumably(fresh, _together(train, validation), None, last, epochs=epochs, **options)
    fresh.calibrate_like(chosen)
    if unfinished is not None:
        unfinished.unlink(missing_ok=True)
    return fresh


def _together(one: SensorReadings, other: SensorReadings) -> SensorReadings:
    """Two parts of one split as one."""
    columns = {
        name: None if getattr(one, name) is None else np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("ids", "labels", "metadata")
    }
    return SensorReadings(
        np.concatenate([one.values, other.values]), **columns, class_names=one.class_names, name=one.name
    )
