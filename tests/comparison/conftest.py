"""Two small fleets, and systems that need no training to speak of."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from deepfeatiot_tf.evaluation import EstimatorSystem
from deepfeatiot_tf.evaluation.system_entry import SystemEntry
from deepfeatiot_tf.readings import SensorReadings

LEVELS = np.array([400.0, 50.0, 20.0])
LABELS = np.array(["co2", "humidity", "temperature"])


def fleet(name, seed=0, spread=8.0, series=60):
    rng = np.random.default_rng(seed)
    kinds = np.arange(series) % 3
    values = LEVELS[kinds, None] + rng.normal(scale=spread, size=(series, 12)).cumsum(axis=1)
    return SensorReadings(values, labels=LABELS[kinds], name=name)


@pytest.fixture(scope="session")
def fleets():
    return [fleet("north"), fleet("south", seed=1, spread=5.0)]


def entry(title, build, **more):
    return SystemEntry(title, lambda training: EstimatorSystem(build), quick=True, **more)


@pytest.fixture
def systems():
    return {
        "bayes": entry("naive Bayes", lambda seed: GaussianNB()),
        "neighbours": entry("neighbours", lambda seed: KNeighborsClassifier(3)),
        "logistic": entry("logistic", lambda seed: LogisticRegression(max_iter=2000, random_state=seed)),
    }


@pytest.fixture
def breaking(systems):
    """One that fails in training, one that is not installed, one that does not exist."""

    class Breaks:
        selects = False

        def fit(self, train, validation=None, **how):
            raise RuntimeError("no such\nshape")

    return {
        **systems,
        "breaks": SystemEntry("breaks", lambda training: Breaks()),
        "missing": replace(systems["bayes"], title="missing", packages=("no_such_package",)),
        "absent": SystemEntry("absent", absent="nobody wrote it"),
    }
