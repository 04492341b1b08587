"""A scikit-learn style classifier as a system that a protocol can train and score."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.protocols import ProtocolName
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


class EstimatorSystem:
    """Fits a fresh estimator on the whole training part; nothing is chosen on a validation part.

    Args:
        build: `(seed)` to an estimator or pipeline with `fit(X, y)` and `predict_proba(X)`. One with
            `predict` only (a ridge classifier, say) is taken to be certain of its answers, which its
            log-loss and calibration error then show.
        inputs: from readings to the `X` of the estimator, for instance filled values or metadata text.
            Default: the values, float32 `[n, time]`, NaN for missing.

    Attributes:
        estimator: of the last `fit`.
    """

    selects = False

    def __init__(self, build: Callable[[int], Any], *, inputs: Callable[[SensorReadings], Any] | None = None) -> None:
        self.build = build
        self.inputs = inputs or (lambda readings: readings.values)
        self.estimator: Any = None
        self._classes = 0

    def fit(
        self,
        train: SensorReadings,
        validation: SensorReadings | None = None,
        *,
        seed: int = 0,
        protocol: ProtocolName = "honest",
    ) -> None:
        """Fit on `train`; see `System.fit`. `validation` is not looked at."""
        self.estimator = self.build(seed)
        self.estimator.fit(self.inputs(train), train.label_indices)
        self._classes = len(train.class_names)

    def predict(self, readings: SensorReadings) -> np.ndarray:
        """Probabilities `[n, classes]`, 0 for a class that was not in the training part.

        Raises:
            InputError: there was no `fit` yet.
        """
        if self.estimator is None:
            raise InputError("this EstimatorSystem has not been fitted; call fit first")
        X = self.inputs(readings)
        if not hasattr(self.estimator, "predict_proba"):
            return np.eye(self._classes)[self.estimator.predict(X)]
        probabilities = np.zeros((len(readings), self._classes))
        probabilities[:, self.estimator.classes_] = self.estimator.predict_proba(X)
        return probabilities
