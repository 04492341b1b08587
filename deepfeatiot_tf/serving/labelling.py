"""Labels for readings, batch after batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.blank_text import is_blank
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.readings.vocabularies import standard_names as names_elsewhere
from deepfeatiot_tf.serving.classifier import Classifier, classifier_of
from deepfeatiot_tf.serving.unknown import UNKNOWN, check_threshold

if TYPE_CHECKING:
    import keras

# Readings in one call of the model. A wide convolution keeps some hundred numbers for each, so that this
# bounds its memory to some hundred megabytes, also for series of 100,000 readings.
READINGS_PER_CALL = 2**17


def predict(
    model: keras.Model | str | Path,
    readings: SensorReadings,
    *,
    batch_size: int = 256,
    threshold: float | None = None,
    standard_names: bool = False,
) -> pd.DataFrame:
    """What each sensor measures.

    Args:
        model: from raw readings to probabilities, with `class_names`; or a folder that `export_saved_model`
            wrote.
        readings: the sensors.
        batch_size: series per step; fewer, where they are long. Default 256.
        threshold: confidence from 0 to 1 below which a sensor is `unknown`; for a precision of your choice, see
            `Report.refusal`. Default None: that of the exported folder; of a live model, none.
        standard_names: whether the labels' names in Brick, QUDT and SenML stand beside them; see
            `standard_names` in `readings`. Default False.

    Returns:
        one row per sensor, in order: `id`, `label`, `confidence` (the probability of the likeliest type), `runner_up`
        and `runner_up_confidence`. Of an `unknown` sensor, `runner_up` is the likeliest type. A sensor of which nothing
        is known, without any reading (and without metadata, where the model reads it), has empty labels and
        confidence 0. With `standard_names` also `brick_class`, `quantity_kind` and `senml_unit` of the label.

    Raises:
        InputError: the model has no `class_names`, the folder holds no exported model, the model gives no
            finite probabilities, or is to say `unknown` but has a class of that name.

    Example:
        >>> predict(model, read_table("fleet.csv"))  # doctest: +SKIP
    """
    return Labeller(classifier_of(model), batch_size, threshold, standard_names)(readings)


class Labeller:
    """Labels one part of a fleet after another, without compiling the model anew for each.

    Args:
        classifier: what gives the probabilities.
        batch_size: series per call.
        threshold: see `predict`. Default None.
        standard_names: see `predict`. Default False.
    """

    def __init__(
        self,
        classifier: Classifier,
        batch_size: int,
        threshold: float | None = None,
        standard_names: bool = False,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size is {batch_size}; give 1 or more")
        self.classifier = classifier
        self.batch_size = batch_size
        given = classifier.threshold if threshold is None else threshold
        self.threshold = check_threshold(given, classifier.class_names)
        self.standard_names = standard_names
        self._largest = 0

    def __call__(self, readings: SensorReadings) -> pd.DataFrame:
        """The frame that `predict` describes."""
        return self.frame(readings, self._probabilities(readings))

    def frame(self, readings: SensorReadings, probabilities: np.ndarray) -> pd.DataFrame:
        """The same of probabilities float32 `[n, types]` that are known already."""
        rows = np.arange(len(readings))[:, None]
        two = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
        known = known_of(readings, self.classifier.reads_metadata)[:, None]
        labels = np.where(known, np.array(self.classifier.class_names, dtype=object)[two], "")
        confidences = np.where(known, probabilities[rows, two], np.float32(0.0))
        refused = known[:, 0] & (confidences[:, 0] < np.float32(self.threshold))
        labels[refused, 1], labels[refused, 0] = labels[refused, 0], UNKNOWN
        confidences[refused, 1] = confidences[refused, 0]
        frame = pd.DataFrame(
            {
                "id": readings.ids,
                "label": labels[:, 0],
                "confidence": confidences[:, 0],
                "runner_up": labels[:, 1],
                "runner_up_confidence": confidences[:, 1],
            }
        )
        return frame.join(names_elsewhere(labels[:, 0])) if self.standard_names else frame

    def _probabilities(self, readings: SensorReadings) -> np.ndarray:
        found = np.empty((len(readings), len(self.classifier.class_names)), np.float32)
        width = self._width(readings.values.shape[1])
        rows = max(1, min(self.batch_size, READINGS_PER_CALL // width))
        for start in range(0, len(readings), rows):
            part = slice(start, start + rows)
            batch = self._padded(readings.values[part], rows, width)
            texts = _texts(readings)[part]
            texts = np.concatenate([texts, np.full(len(batch) - len(texts), "", object)])
            found[part] = self.classifier.probabilities(batch, texts)[: len(readings.values[part])]
        lost = ~np.isfinite(found).all(axis=1)
        if lost.any():
            raise InputError(
                f"{readings.name}: the model gave no finite probabilities for id "
                f"{readings.ids[lost.argmax()]}; look at its readings, or train the model more slowly"
            )
        return found

    def _width(self, time: int) -> int:
        """The length to which series of `time` readings are padded: one of 16 per doubling."""
        if not (self.classifier.compiles and self.classifier.ignores_padding):
            return time
        step = 2 ** max(3, time.bit_length() - 5)
        return -(-time // step) * step

    def _padded(self, values: np.ndarray, rows: int, width: int) -> np.ndarray:
        """`values` with missing readings behind, and series without readings below."""
        # The last, smaller batch takes the shape of those before it.
        self._largest = max(self._largest, len(values))
        rows = min(rows, self._largest) if self.classifier.compiles else len(values)
        missing = [(0, rows - len(values)), (0, width - values.shape[1])]
        return np.pad(values, missing, constant_values=np.nan)


def known_of(readings: SensorReadings, reads_metadata: bool) -> np.ndarray:
    """Bool `[n]`: of which sensors a model knows anything; others get no answer.

    Args:
        readings: the sensors.
        reads_metadata: whether the model reads the text about a sensor.
    """
    known = np.isfinite(readings.values).any(axis=1)
    if reads_metadata:
        known |= ~np.array([is_blank(text) for text in _texts(readings)], bool)
    return known


def _texts(readings: SensorReadings) -> np.ndarray:
    """The metadata, blank where there is none."""
    return np.full(len(readings), "", object) if readings.metadata is None else readings.metadata
