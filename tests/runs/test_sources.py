from pathlib import Path

import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import read_table
from deepfeatiot_tf.runs.sources import check_outside, is_dataset, options_of, path_of, read_source, without_labels

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def test_a_name_of_the_catalogue_stands_for_its_table_and_a_path_does_not():
    assert is_dataset("swiss")
    assert is_dataset("TS-M")
    assert not is_dataset("./swiss")
    assert not is_dataset(Path("data/swiss.csv"))


def test_a_table_without_a_label_column_cannot_be_trained_on():
    with pytest.raises(InputError, match="name it with --label"):
        read_source(SAMPLES / "wide.csv", {"id": "id"})


def test_a_run_does_not_lie_where_its_files_would_be_sensors(tmp_path):
    folder = tmp_path / "fleet"
    (folder / "co2").mkdir(parents=True)
    for options in ({}, {"label": "folder"}):
        with pytest.raises(InputError, match="is the folder of the sensors; name another"):
            check_outside(folder, tmp_path / "co2" / ".." / "fleet", options)
    with pytest.raises(InputError, match="whose sub-folders are types of sensors"):
        check_outside(folder, folder / "run", {"label": "folder"})
    check_outside(folder, folder / "run", {"label": "type"})
    check_outside(folder / "fleet.csv", folder, {})


def test_a_data_set_is_read_with_its_own_columns(data_folder):
    readings = read_source("iowa", {}, folder=data_folder)
    assert len(readings.class_names) == 8
    assert path_of("iowa", data_folder) == data_folder / "Iowa.csv"
    again = read_table(path_of("iowa", data_folder), **options_of("iowa", {}))
    assert again.values.tobytes() == readings.values.tobytes()


def test_a_class_that_the_model_does_not_know_is_found_in_its_row():
    with pytest.raises(InputError, match=r"wide.csv, line \d+, column 'label': unknown label"):
        read_source(SAMPLES / "wide.csv", {"label": "label"}, class_names=["humidity", "pressure"])


def test_a_column_of_numeric_labels_is_no_reading_for_predict_either(tmp_path):
    """Without numbered columns all columns of numbers are readings: the labels must not be among them."""
    path = tmp_path / "fleet.csv"
    path.write_text("kind,noon,night\n1,20,10\n,21,11\n")
    options = without_labels(path, {"label": "kind"})
    assert options == {"readings": ["noon", "night"]}
    assert read_table(path, **options).values.tolist() == [[20, 10], [21, 11]]


@pytest.mark.parametrize("readings", ["t", "t0:t1"])
def test_nor_is_it_where_the_readings_are_named_by_their_beginning_or_their_ends(tmp_path, readings):
    path = tmp_path / "fleet.csv"
    path.write_text("t0,type,t1\n20,1,10\n21,2,11\n")
    options = without_labels(path, {"label": "type", "readings": readings})
    assert read_table(path, **options).values.tolist() == [[20, 10], [21, 11]]


def test_a_table_without_the_label_column_is_read_as_it_is(tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("noon,night\n20,10\n")
    options = without_labels(path, {"label": "kind", "missing": ["-999"], "empty": "error"})
    assert options == {"missing": ["-999"]}


def test_sensors_in_sub_folders_named_by_type_are_found_without_their_labels(tmp_path):
    assert without_labels(SAMPLES / "by_type", {"label": "folder"}) == {"label": "folder"}
    (tmp_path / "s-1.csv").write_text("value\n1\n")
    assert without_labels(tmp_path, {"label": "folder"}) == {}


def test_a_long_table_needs_no_label_column():
    options = {"label": "type", "id": "sensor", "time": "time", "value": "value"}
    assert without_labels(SAMPLES / "long.csv", options) == {"id": "sensor", "time": "time", "value": "value"}
