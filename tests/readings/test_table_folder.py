"""A folder of one file per sensor."""

import os

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.readings.table import iter_tables, read_table

NAN = np.nan


def test_each_file_is_a_series_named_by_the_file_whatever_its_kind(write, tmp_path):
    write("t,v\n2,20\n1,10\n", "fleet/b.csv")
    pd.DataFrame({"t": [1, 2, 3], "v": [1.0, 2.0, 3.0]}).to_parquet(tmp_path / "fleet" / "a.1.parquet")
    write("not a table", "fleet/notes.txt")
    write("not a table", "fleet/.hidden.csv")
    read = read_table(tmp_path / "fleet", time="t")
    assert (list(read.ids), read.name) == (["a.1", "b"], "fleet")
    np.testing.assert_array_equal(read.values, [[1, 2, 3], [10, 20, NAN]])


def test_without_times_rows_are_in_order_and_empty_lines_are_missing_readings(write, tmp_path):
    write("temperature\n3\n\n1\n", "fleet/a.csv")
    np.testing.assert_array_equal(read_table(tmp_path / "fleet").values, [[3, NAN, 1]])


def test_label_and_metadata_come_from_columns(write, tmp_path):
    write("v,type,site\n1,co2,roof\n2,co2,roof\n", "fleet/a.csv")
    read = read_table(tmp_path / "fleet", label="type", metadata="site")
    assert (read.labels[0], read.metadata[0]) == ("co2", "roof")


def test_labels_come_from_sub_folders(write, tmp_path):
    write("v\n1\n", "fleet/co2/a.csv")
    write("v\n1\n2\n", "fleet/humidity/b.csv")
    read = read_table(tmp_path / "fleet", label="folder", class_names=["humidity", "co2"])
    assert (list(read.labels), read.class_names) == (["co2", "humidity"], ("humidity", "co2"))


def test_outer_space_is_cut_off_a_label_as_in_a_column(write, tmp_path):
    write("v\n1\n", "fleet/co2 /a.csv")
    write("v\n1\n", "fleet/co2/b.csv")
    assert read_table(tmp_path / "fleet", label="folder", class_names=["co2"]).class_names == ("co2",)


def test_all_files_are_of_one_time_zone(write, tmp_path, complaint):
    write("t,v\n2024-01-01T00:00Z,1\n", "fleet/a.csv")
    write("t,v\n2024-01-01T00:00+02:00,1\n", "fleet/b.csv")
    assert "b.csv, line 2, column 't': +0200" in complaint(lambda: read_table(tmp_path / "fleet", time="t", value="v"))


def test_a_folder_is_resampled_like_a_long_table(write, tmp_path):
    write("t,v\n2024-01-01 00:01,1\n2024-01-01 00:02,3\n2024-01-01 02:00,9\n", "fleet/a.csv")
    np.testing.assert_array_equal(
        read_table(tmp_path / "fleet", time="t", value="v", period="1h").values, [[2, NAN, 9]]
    )


def test_parts_are_as_wide_as_their_longest_series(write, tmp_path):
    for name, length in (("a", 1), ("b", 2), ("c", 4)):
        write("v\n" + "1\n" * length, f"fleet/{name}.csv")
    parts = list(iter_tables(tmp_path / "fleet", rows=2))
    assert [part.values.shape for part in parts] == [(2, 2), (1, 4)]


@pytest.mark.parametrize(
    ("files", "options", "says"),
    [
        ({}, {}, ["no table in this folder", "one file per sensor"]),
        ({"x/a.csv": "v\n1\n"}, {}, ["sub-folders", "label='folder'"]),
        ({"a.csv": "v\n1\n"}, {"label": "folder"}, ["in sub-folders named by label"]),
        ({"a.csv": "v\n1\n", "x/b.csv": "v\n1\n"}, {"label": "folder"}, ["a.csv", "in no sub-folder"]),
        ({"x/a.csv": "v\n1\n", "y/a.csv": "v\n1\n"}, {"label": "folder"}, ["id 'a'", "unique"]),
        ({"co/a.csv": "v\n1\n"}, {"label": "folder", "class_names": ["co2"]}, ["'co'", "did you mean 'co2'"]),
        ({"a.csv": "v\n1\n"}, {"id": "v"}, ["leave out the option `id`"]),
        ({"a.csv": "v\n1\n"}, {"period": "1h"}, ["say the option `time`"]),
        ({"a.csv": "v\n1\n"}, {"layout": "wide"}, ["is a folder", "'wide'"]),
        ({"a.csv": "v,w\n1,2\n"}, {}, ["a.csv", "found 'v', 'w'", "`value`"]),
        ({"a.csv": "v\n1\nx\n"}, {}, ["a.csv, line 3, column 'v'", "'x' is not a number"]),
        ({"a.csv": "v\n"}, {}, ["a.csv", "no rows below"]),
        ({"a.csv": "t,v\n1,\n"}, {"time": "t"}, ["a.csv, line 2", "no reading", "'keep'"]),
        ({"a.csv": ""}, {}, ["a.csv", "empty"]),
    ],
)
def test_bad_folders_are_explained(write, tmp_path, complaint, files, options, says):
    (tmp_path / "fleet").mkdir()
    for name, text in files.items():
        write(text, f"fleet/{name}")
    message = complaint(lambda: read_table(tmp_path / "fleet", **options))
    for words in says:
        assert words in message


def test_empty_rows_of_a_sheet_of_one_column_are_missing_readings(tmp_path):
    pd.DataFrame({"value": [1, None, 3]}).to_excel(tmp_path / "a.xlsx", index=False)
    np.testing.assert_array_equal(read_table(tmp_path).values, [[1, NAN, 3]])


def test_a_hidden_sub_folder_is_no_label(write, tmp_path):
    write("v\n1\n", "fleet/co2/a.csv")
    write("v\n1\n", "fleet/.ipynb_checkpoints/a-checkpoint.csv")
    assert read_table(tmp_path / "fleet", label="folder").class_names == ("co2",)


@pytest.mark.parametrize("name", [b"caf\xe9/a.csv", b"x/caf\xe9.csv"], ids=["label", "id"])
def test_a_name_that_is_not_utf_8_is_named(tmp_path, complaint, name):
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir()
    path.write_text("v\n1\n")
    message = complaint(lambda: read_table(tmp_path, label="folder"))
    assert "caf?" in message
    assert "not UTF-8" in message


def test_files_that_are_no_tables_are_passed_over_aloud(write, tmp_path, caplog):
    write("time,reading\n2024-01-01T00:00,1\n", "fleet/a.csv")
    write("about", "fleet/b.txt.bak")
    write("about", "fleet/c.md")
    assert len(read_table(tmp_path / "fleet", time="time")) == 1
    assert "passed over 2 files that are no tables" in caplog.text
    assert "b.txt.bak the first" in caplog.text


def test_tables_in_deeper_folders_are_passed_over_aloud(write, tmp_path, caplog):
    write("v\n1\n", "flat/a.csv")
    write("v\n1\n", "flat/north/b.csv")
    write("v\n1\n", "flat/.checkpoints/a.csv")
    assert list(read_table(tmp_path / "flat").ids) == ["a"]
    write("v\n1\n", "kinds/CO2/a.csv")
    write("v\n1\n", "kinds/light/b.csv")
    write("v\n1\n", "kinds/light/north/c.csv")
    assert list(read_table(tmp_path / "kinds", label="folder").ids) == ["a", "b"]
    assert "tables in deeper folders are passed over: 1, north/b.csv the first" in caplog.text
    assert "tables in deeper folders are passed over: 1, light/north/c.csv the first" in caplog.text
