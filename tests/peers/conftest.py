"""Three types of sensors that any system tells apart."""

import numpy as np
import pytest

from deepfeatiot_tf.readings import SensorReadings


@pytest.fixture(scope="session")
def fleet() -> SensorReadings:
    rng = np.random.default_rng(0)
    kinds = np.arange(120) % 3
    time = np.arange(26)
    shapes = np.stack([np.sin(time), time / 5.0, np.sign(np.sin(time / 4))])
    values = shapes[kinds] + rng.normal(scale=0.05, size=(120, 26))
    values[rng.random(values.shape) < 0.03] = np.nan
    return SensorReadings(
        values,
        labels=np.array(["co2", "light", "pir"])[kinds],
        metadata=np.array(["temp °c", "hum %", "(a)"])[kinds],
        name="fleet",
    )
