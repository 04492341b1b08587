"""What a model is asked about labelled readings, and what it says, checked before it is scored."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.sensor_readings import SensorReadings, places_of

SUM_TOLERANCE = 0.01  # mixed_float16 rounds a probability to three digits


def inputs_for(model: Any, readings: SensorReadings) -> SensorReadings:
    """The readings, without metadata if the model has no such input: Keras refuses what it does not know."""
    names = {tensor.name for tensor in getattr(model, "inputs", None) or ()}
    if readings.metadata is None or not names or "metadata" in names:
        return readings
    return _replaced(readings, readings.values, None)


def without_metadata(readings: SensorReadings) -> SensorReadings:
    """The same sensors with blank metadata."""
    return _replaced(readings, readings.values, np.full(len(readings), "", object))


def without_readings(readings: SensorReadings) -> SensorReadings:
    """The same sensors with all readings missing."""
    return _replaced(readings, np.full_like(readings.values, np.nan), readings.metadata)


def _replaced(readings: SensorReadings, values: np.ndarray, metadata: np.ndarray | None) -> SensorReadings:
    return SensorReadings(
        values,
        ids=readings.ids,
        labels=readings.labels,
        metadata=metadata,
        class_names=readings.class_names,
        name=readings.name,
    )


def checked_probabilities(probabilities: Any, readings: SensorReadings, class_names: tuple[str, ...]) -> np.ndarray:
    """The model's output as float32 `[n, classes]`.

    Raises:
        InputError: another shape, a value that is not finite, or rows that are no probabilities.
    """
    found = np.asarray(probabilities, dtype=np.float32)
    expected = (len(readings), len(class_names))
    if found.shape != expected:
        raise InputError(
            f"{readings.name}: the model gave {list(found.shape)} for {expected[0]} series and {expected[1]} "
            "classes; it must give one probability per class and series"
        )
    lost = ~np.isfinite(found).all(axis=1)
    if lost.any():
        raise InputError(
            f"{readings.name}: the model gave no finite probabilities for {lost.sum()} of {expected[0]} "
            f"series, first for id {readings.ids[lost.argmax()]}; look at its readings, or train more slowly"
        )
    wrong = (found < -SUM_TOLERANCE).any(axis=1) | (np.abs(found.sum(axis=1) - 1) > SUM_TOLERANCE)
    if wrong.any():
        raise InputError(
            f"{readings.name}: the model's output for id {readings.ids[wrong.argmax()]} is no set of "
            "probabilities; end the model in a softmax"
        )
    return found


def true_indices(readings: SensorReadings, class_names: tuple[str, ...]) -> np.ndarray:
    """Int `[n]`: the place of each label among the model's classes, found by name.

    Raises:
        InputError: there are no labels, no rows, or a label that the model does not know.
    """
    if readings.labels is None:
        raise InputError(f"{readings.name}: no labels to compare with; name the label column")
    if not len(readings):
        raise InputError(f"{readings.name}: no series to evaluate")
    places = places_of(readings.labels, class_names)
    unknown = readings.labels[places < 0].tolist()
    if unknown:
        label, others = unknown[0], len(set(unknown)) - 1
        rows = unknown.count(label)
        more = f" and {others} more label{'s' * (others > 1)}" if others else ""
        raise InputError(
            f"{readings.name}: label {label!r} ({rows} row{'s' * (rows > 1)}){more} unknown to the model, "
            f"which knows {', '.join(class_names)}; rename the label or leave its rows out"
        )
    return places
