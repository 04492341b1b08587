"""Training once more, on all that there is, when what had to be chosen is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    *parts: SensorReadings,
    epochs: int,
    unfinished: Path | None = None,
    **options: Any,
) -> FrozenFeatureModel:
    """A model like `chosen` that learned from more series, and is calibrated as `chosen` is.

    Args:
        chosen: trained on a part of the readings with an annealed learning rate, calibrated on another; of a blend the
            share of the two answers is taken, too.
        build: gives the same model, compiled and untrained.
        *parts: of one split, labelled; learned from together.
        epochs: in all.
        unfinished: file that keeps the state of the training, so that the same call goes on after a kill. It stays;
            the next such call is then done at once. Default None.
        **options: of `fit_resumably`, `seed` among them.
    """
    fresh = build()
    last = RunCheckpoint(unfinished, monitor=None, patience=epochs)
    fit_resumably(fresh, _together(parts), None, last, epochs=epochs, **options)
    fresh.calibrate_like(chosen)
    return fresh


def _together(parts: Sequence[SensorReadings]) -> SensorReadings:
    """Parts of one split as one."""
    first = parts[0]
    columns = {
        name: None if getattr(first, name) is None else np.concatenate([getattr(each, name) for each in parts])
        for name in ("ids", "labels", "metadata")
    }
    values = np.concatenate([each.values for each in parts])
    return SensorReadings(values, **columns, class_names=first.class_names, name=first.name)
