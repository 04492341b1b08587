"""Streaming gives what reading the whole table gives, part by part."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.seen_ids import SeenIds
from deepfeatiot_tf.readings.table import iter_tables, read_table

LONG = {"id": "id", "time": "t", "value": "v"}
NAN = np.nan


def test_truth_is_a_number_in_whatever_part_it_stands(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,t0,t1\na,True,False\nb,1,True\n")
    parts = [part.values for part in iter_tables(path, rows=1, id="id")]
    np.testing.assert_array_equal(np.concatenate(parts), [[1, 0], [1, 1]])
    np.testing.assert_array_equal(read_table(path, id="id").values, [[1, 0], [1, 1]])


@pytest.mark.parametrize("text", ["id,r1,r2\na,1,2\na ,3,4\n", "id,t,v\na,1,2\na ,1,2\n"])
def test_ids_that_differ_by_outer_space_are_found_over_parts(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    options = LONG if "t" in text.split("\n")[0].split(",") else {"id": "id"}
    with pytest.raises(InputError, match="'a '"):
        list(iter_tables(path, rows=1, **options))


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_parts_of_a_wide_table_make_up_the_whole(tmp_path, ending):
    table = pd.DataFrame(np.arange(28.0).reshape(7, 4), columns=[f"r{i}" for i in range(4)])
    table.iloc[3:6, 2] = NAN  # a part in which a column says nothing
    table.insert(0, "label", list("abababa"))
    path = tmp_path / f"t.{ending}"
    getattr(table, {"csv": "to_csv", "parquet": "to_parquet", "xlsx": "to_excel"}[ending])(path, index=False)
    whole = read_table(path, label="label")
    parts = list(iter_tables(path, rows=3, label="label"))
    assert [part.values.shape for part in parts] == [(3, 4), (3, 4), (1, 4)]
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), whole.values)
    for field in ("ids", "labels"):
        assert np.concatenate([getattr(part, field) for part in parts]).tolist() == getattr(whole, field).tolist()


def test_parquet_row_groups_do_not_limit_the_parts(tmp_path):
    table = pd.DataFrame({"r1": np.arange(10.0), "r2": 1.0})
    table.to_parquet(tmp_path / "t.parquet", row_group_size=3)
    assert [len(part) for part in iter_tables(tmp_path / "t.parquet", rows=4)] == [4, 4, 2]


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_parts_of_a_long_table_hold_whole_sensors_wherever_it_is_cut(write, monkeypatch, rows):
    monkeypatch.setattr("deepfeatiot_tf.readings.parsing.long._LINES", 4)
    lines = [f"{sensor},{t},{t * 10}" for sensor, n in (("a", 9), ("b", 1), ("c", 3), ("d", 6)) for t in range(n)]
    path = write("id,t,v\n" + "\n".join(lines) + "\n")
    whole = read_table(path, **LONG)
    parts = list(iter_tables(path, rows=rows, **LONG))
    assert [len(part) for part in parts] == [min(rows, 4 - start) for start in range(0, 4, rows)]
    assert [id for part in parts for id in part.ids] == list(whole.ids)
    series = [row[~np.isnan(row)].tolist() for part in parts for row in part.values]
    assert series == [row[~np.isnan(row)].tolist() for row in whole.values]


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_a_sensor_that_comes_back_is_an_error_because_it_was_already_given(write, complaint, rows):
    path = write("id,t,v\na,1,1\nb,1,1\nc,1,1\na,2,1\n")
    message = complaint(lambda: list(iter_tables(path, rows=rows, **LONG)))
    assert "line 5" in message
    assert "sensor 'a' again" in message
    assert "sort the table by id" in message


def test_the_time_zone_of_the_first_part_holds_for_all(write, complaint):
    path = write("id,t,v\na,2024-01-01T00:00Z,1\nb,2024-01-01T00:00+01:00,1\n")
    assert "line 3" in complaint(lambda: list(iter_tables(path, rows=1, **LONG)))


def test_an_id_repeated_in_a_later_part_is_found(write, complaint):
    path = write("id,r1,r2\na,1,2\nb,1,2\na,1,2\n")
    assert "line 4: id 'a'" in complaint(lambda: list(iter_tables(path, rows=1, id="id")))


def test_a_bad_cell_in_a_later_part_is_found_by_its_line(write, complaint):
    path = write("r1,r2\n1,2\n1,2\n1,2\n1,x\n")
    parts = iter_tables(path, rows=2)
    assert len(next(parts)) == 2
    assert "line 5, column 'r2'" in complaint(lambda: next(parts))


def test_options_and_files_are_checked_before_the_first_part(tmp_path, complaint):
    assert "no such file" in complaint(lambda: iter_tables(tmp_path / "none.csv"))
    assert "at least one" in complaint(lambda: iter_tables(tmp_path / "none.csv", rows=0))


@given(st.lists(st.lists(st.text(max_size=3), unique=True, max_size=6), max_size=12))
def test_seen_ids_knows_exactly_what_has_passed(parts):
    seen, passed = SeenIds(), set()
    for part in parts:
        again = seen.add(np.array(part, dtype=object))
        assert again == next((i for i, id in enumerate(part) if id in passed), None)
        if again is not None:
            break
        passed.update(part)
