"""A closed-form head that names the sensors of a test part together, as a system for a protocol."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import TemporaryDirectory

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.evaluation.protocols import ProtocolName
from deepfeatiot_tf.models import CollectiveClassifier
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


class CollectiveSystem:
    """Trains a closed-form head and a second look; answers the test part as one table, beside the training part.

    So the readings of the test part, all of them at once, are looked at when it is answered; its labels never, and
    nothing is learned or chosen on it.

    Args:
        build: `(class_names, seed)` to a compiled model with a closed-form head. Its features are computed anew in each
            fit, so that its seconds do not depend on what is on disk.
    """

    selects = False

    def __init__(self, build: Callable[[tuple[str, ...], int], FrozenFeatureModel]) -> None:
        self.build = build
        self.classifier: CollectiveClassifier | None = None
        self.train: SensorReadings | None = None

    def fit(
        self,
        train: SensorReadings,
        validation: SensorReadings | None,
        *,
        seed: int = 0,
        protocol: ProtocolName = "honest",
    ) -> dict[str, float]:
        """See `System.fit`; nothing is chosen, so the validation part is not looked at."""
        model = self.build(train.class_names, seed)
        self.train = inputs_for(model, train)
        with TemporaryDirectory() as empty:
            model.fit(self.train.to_dataset(), feature_cache=empty, verbose=0)
        self.classifier = CollectiveClassifier(model)
        self.classifier.fit(self.train)
        return {"epochs": 1, "parameters": model.count_params() + self.classifier.second.count_params()}

    def predict(self, readings: SensorReadings) -> np.ndarray:
        """Probabilities `[n, classes]` of all the readings together, beside those of the last `fit`.

        Raises:
            InputError: there was no `fit` yet.
        """
        if self.classifier is None:
            raise InputError("this CollectiveSystem has not been fitted; call fit first")
        return self.classifier.predict(inputs_for(self.classifier.model, readings), beside=self.train)
