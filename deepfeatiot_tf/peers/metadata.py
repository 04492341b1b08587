"""Peers that read the metadata, alone or beside the readings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from deepfeatiot_tf.evaluation import EstimatorSystem
from deepfeatiot_tf.evaluation.protocols import ProtocolName, System
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.peers.inputs import embeddings
from deepfeatiot_tf.peers.trees import extra_trees
from deepfeatiot_tf.readings import SensorReadings


class Product:
    """The normalized product of what several systems answer, as if their errors were independent.

    Args:
        parts: systems that select nothing.
    """

    selects = False

    def __init__(self, parts: Sequence[System]) -> None:
        self.parts = parts

    def fit(
        self,
        train: SensorReadings,
        validation: SensorReadings | None = None,
        *,
        seed: int = 0,
        protocol: ProtocolName = "honest",
    ) -> None:
        """Fit every part; see `System.fit`."""
        for part in self.parts:
            part.fit(train, None, seed=seed, protocol=protocol)

    def predict(self, readings: SensorReadings) -> np.ndarray:
        """Probabilities `[n, classes]`; equal ones where the parts exclude every class between them."""
        found = np.prod([part.predict(readings) for part in self.parts], axis=0)
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, found / np.where(total > 0, total, 1), 1 / found.shape[1])


def regression(training: Training) -> EstimatorSystem:
    """Logistic regression on the sentence embedding of the metadata."""
    return EstimatorSystem(lambda seed: LogisticRegression(C=10, max_iter=2000), inputs=embeddings)


def regression_and_trees(training: Training) -> Product:
    """That, and extra trees on the summary statistics of the readings."""
    return Product([regression(training), extra_trees(training)])
