import numpy as np
import pytest

from deepfeatiot_tf import SensorReadings


@pytest.fixture(scope="session")
def fleet() -> SensorReadings:
    """Forty series of two kinds, with gaps: a level of 0 and one of 5."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(40, 24)).astype("float32")
    values[::2] += 5
    values[0, 3:6] = np.nan
    return SensorReadings(values, labels=["high", "low"] * 20, name="two kinds")


@pytest.fixture(scope="session")
def one_hot(fleet) -> np.ndarray:
    return np.eye(2, dtype="float32")[fleet.label_indices]
