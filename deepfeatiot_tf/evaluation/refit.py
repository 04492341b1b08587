"""Training once more, on all that there is, when what had to be chosen is chosen."""

from __future__ import annotations

from collections.abc import Callable
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
    **options: Any,
) -> FrozenFeatureModel:
    """A blend like `chosen` that learned from the validation part, too, and weighs its two answers as `chosen` does.

    Args:
        chosen: trained on `train`, weighed on `validation`.
        build: gives the same model, compiled and untrained.
        train: labelled.
        validation: labelled.
        epochs: in all.
        **options: of `fit_resumably`, `seed` among them.
    """
    fresh = build()
    last = RunCheckpoint(None, monitor=None, patience=epochs)
    fit_resumably(fresh, _together(train, validation), None, last, epochs=epochs, **options)
    fresh.weigh_like(chosen)
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
