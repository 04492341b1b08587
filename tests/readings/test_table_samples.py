"""The sample files in data/samples say the same fleet in every format."""

from pathlib import Path

import numpy as np
import pytest

from deepfeatiot_tf.readings.table import read_table

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
NAN = np.nan


@pytest.fixture(scope="module")
def fleet():
    return read_table(SAMPLES / "wide.csv", id="id", label="label", metadata=["site", "device"])


def test_the_fleet(fleet):
    assert fleet.values.shape == (6, 24)
    assert list(fleet.ids) == ["t-101", "t-102", "h-101", "h-103", "c-102", "c-104"]
    assert fleet.class_names == ("CO2", "humidity", "temperature")
    assert fleet.metadata[1] == "Büro 2 DS18B20"
    assert np.isnan(fleet.values).sum() == 9


@pytest.mark.parametrize("name", ["wide.parquet", "wide.xlsx"])
def test_other_formats_give_the_same_readings(fleet, name):
    other = read_table(SAMPLES / name, id="id", label="label", metadata=["site", "device"])
    assert other.checksum == fleet.checksum


def test_the_long_table_and_the_folder_give_the_same_series(fleet):
    long = read_table(SAMPLES / "long.csv", id="sensor", time="time", value="value", label="type")
    folder = read_table(SAMPLES / "by_type", time="time", label="folder")
    for other in (long, folder):
        order = [list(other.ids).index(id) for id in fleet.ids]
        np.testing.assert_array_equal(other.values[order], fleet.values)
        assert other.labels[order].tolist() == fleet.labels.tolist()


def test_the_columns_of_urban_are_understood():
    urban = read_table(SAMPLES / "urban.csv", label="label", id="database_id")
    assert urban.values.shape == (6, 12)
    assert urban.class_names == ("0", "1", "3")
    assert urban.values[0, 0] == np.float32(9.8)
