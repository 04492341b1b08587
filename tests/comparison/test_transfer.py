import numpy as np
import pytest

from deepfeatiot_tf.comparison.common_types import TYPES, over_common_types
from deepfeatiot_tf.comparison.transfer import run_transfer
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.readings.datasets import catalogue
from tests.comparison.conftest import LEVELS


def named(name, labels, time=12, seed=0):
    rng = np.random.default_rng(seed)
    kinds = np.arange(45) % 3
    values = LEVELS[kinds, None] + rng.normal(size=(45, time))
    return SensorReadings(values, labels=np.array(labels)[kinds], name=name)


@pytest.fixture
def swiss():
    return named("Swiss", ["CO2", "Humidity", "Snow Height"])


@pytest.fixture
def sbas():
    return named("SBAS", ["co2", "humidity", "pir"], time=9, seed=1)


def test_every_label_of_the_table_is_one_of_its_data_set():
    classes = {entry.title: entry.class_names for entry in catalogue().values()}
    for name, labels in TYPES.items():
        for data, given in labels.items():
            assert set(given) <= set(classes[data]), (name, data)


def test_no_label_stands_for_two_types():
    for data in ("Swiss", "Iowa", "SBAS", "TS-M", "TS-N", "SensEUR"):
        given = [label for labels in TYPES.values() for label in labels.get(data, ())]
        assert len(given) == len(set(given))


def test_both_sides_keep_the_common_types_and_the_shorter_length(swiss, sbas):
    one, other = over_common_types(swiss, sbas)
    assert one.class_names == other.class_names == ("humidity", "CO2")
    assert (one.values.shape, other.values.shape) == ((30, 9), (30, 9))
    assert set(one.labels) == {"humidity", "CO2"}


def test_what_is_learned_on_one_fleet_is_tested_on_all_of_the_other(swiss, sbas, systems, tmp_path):
    table = tmp_path / "cells.csv"
    cells, _ = run_transfer([swiss, sbas], [swiss, sbas], systems, table, seeds=1)
    assert set(cells["data"]) == {"Swiss → SBAS", "SBAS → Swiss"}
    assert set(cells["split"]) == {"transfer"}
    assert (cells["n_train"] == 30).all()
    assert (cells["n_test"] == 30).all()
    assert (cells["accuracy"] == 1).all()
    assert len(run_transfer([swiss], [sbas], systems, table, seeds=1)[0]) == len(cells)  # nothing run again


def test_too_little_in_common_is_said(swiss, systems, tmp_path):
    other = named("SBAS", ["co2", "light", "pir"])
    with pytest.raises(InputError, match="Swiss and SBAS share only CO2; transfer needs two"):
        run_transfer([swiss], [other], systems, tmp_path / "cells.csv")
    with pytest.raises(InputError, match="name two different data sets"):
        run_transfer([swiss], [swiss], systems, tmp_path / "cells.csv")
