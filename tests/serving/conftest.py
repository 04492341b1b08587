"""One model and one exported folder for all tests of the room: building and tracing take seconds."""

import keras
import numpy as np
import pytest

from deepfeatiot_tf import CollectiveClassifier, DeepFeatIoT, export_saved_model, simulate_fleet
from tests.devices import TYPES, devices


@pytest.fixture(scope="session")
def fleet():
    return simulate_fleet(64, length=96)


@pytest.fixture(scope="session")
def model(fleet):
    """All branches, untrained: what is served does not depend on how good it is."""
    return DeepFeatIoT(fleet.class_names, kernels=64, head="mlp")


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("serving") / "sensor_type" / "1")


@pytest.fixture(scope="session")
def collective():
    """A fitted classifier, the sensors that it learned from, and others to name beside them."""
    readings = devices(np.random.default_rng(0), 60)
    train, others = readings.take(np.arange(80)), readings.take(np.arange(80, 120))
    model = DeepFeatIoT(TYPES, branches=("statistics",), windows=())
    model.compile()
    model.fit(train.to_dataset(), verbose=0)
    classifier = CollectiveClassifier(model)
    classifier.fit(train)
    return classifier, train, others


@pytest.fixture
def quick_model(fleet):
    """Traced in a second."""
    return DeepFeatIoT(fleet.class_names, branches=("statistics",), head="mlp")


@pytest.fixture
def language_model():
    """A model whose language branch is the layer that a test gives."""

    def build(layer: keras.layers.Layer):
        return DeepFeatIoT(["humidity", "temperature"], branches=(), head="mlp", language=layer)

    return build
