"""Fixtures that several rooms share."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

# Tests are not about how fast the machine is, nor what else it does.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def feature_cache(tmp_path_factory):
    """Features that tests compute stay out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["DEEPFEATIOT_CACHE"] = str(folder)
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_tf32():
    """Tolerances are of float32; see `command_line.quiet`."""
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(False)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of the public data sets, where the machine has one."""
    folder = os.environ.get("DEEPFEATIOT_DATA")
    if not folder:
        pytest.skip("DEEPFEATIOT_DATA names no folder of the public data sets")
    return Path(folder)


@pytest.fixture
def small_sentence_encoder(tmp_path_factory, monkeypatch):
    """A random encoder in place of the pretrained one that systems with metadata read with."""
    from deepfeatiot_tf.layers import TextFeatures
    from deepfeatiot_tf.peers import inputs
    from tests.reference.small_bert import write_folder

    encoder = TextFeatures.from_pretrained(write_folder(tmp_path_factory.mktemp("bert") / "small"))
    monkeypatch.setattr(inputs, "sentence_encoder", lambda name="minilm": encoder)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def log_levels() -> Iterator[None]:
    """A command sets up the log of its process, which here is that of all tests."""
    names = ("deepfeatiot_tf", "tensorflow", "absl")
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
