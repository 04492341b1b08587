"""Long tables: one row per reading, in any order, become one series per sensor."""

import logging
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepfeatiot_tf.readings.table import read_table

NAN = np.nan
LONG = {"id": "id", "time": "t", "value": "v"}


def test_rows_of_sensors_may_be_mixed_and_shorter_series_end_in_nan(write):
    path = write("id,t,v\nb,2024-01-01,1\na,2024-01-01,5\nb,2024-01-02,2\n")
    read = read_table(path, **LONG)
    assert list(read.ids) == ["b", "a"]
    np.testing.assert_array_equal(read.values, [[1, 2], [5, NAN]])


def test_times_out_of_order_are_sorted_and_the_log_says_so(write, caplog):
    path = write("id,t,v\na,2024-01-02,2\na,2024-01-01,1\nb,2024-01-01,3\nb,2024-01-02,4\n")
    with caplog.at_level(logging.INFO, "deepfeatiot_tf"):  # the command sets a level of its own
        np.testing.assert_array_equal(read_table(path, **LONG).values, [[1, 2], [3, 4]])
    assert "1 sensors, the first 'a'" in caplog.text


def test_missing_readings_keep_their_place_and_marks_count(write):
    path = write("id,t,v\na,1,\na,2,-999\na,3,7\na,4,NA\n")
    np.testing.assert_array_equal(read_table(path, **LONG, missing=-999).values, [[NAN, NAN, 7, NAN]])


def test_label_and_metadata_are_taken_once_per_sensor(write):
    path = write("id,t,v,type,site,unit\na,1,1,3,roof,°C\nb,1,1,4,,\na,2,1,,roof,\n")
    read = read_table(path, **LONG, label="type", metadata=["site", "unit"])
    assert list(read.labels) == ["3", "4"]
    assert list(read.metadata) == ["roof °C", ""]


@pytest.mark.parametrize(
    "times",
    [
        ["2024-03-01 09:00", "2024-03-01 10:00"],
        ["2024-03-01T09:00:00.5Z", "2024-03-01T10:00:00+00:00"],
        ["2024-03-01T09:00+01:00", "2024-03-01T10:00+0100"],
        ["2024/03/01", "2024/03/02"],
        ["9", "10"],
        ["1709280000000", "1709283600000"],
    ],
)
def test_times_are_compared_as_times_not_as_text(write, times):
    path = write(f"id,t,v\na,{times[1]},2\na,{times[0]},1\n")
    np.testing.assert_array_equal(read_table(path, **LONG).values, [[1, 2]])


def test_a_time_format_reads_days_before_months(write):
    path = write("id,t,v\na,01.02.2024,2\na,02.01.2024,1\n")
    read = read_table(path, **LONG, time_format="%d.%m.%Y")
    np.testing.assert_array_equal(read.values, [[1, 2]])


@pytest.mark.parametrize("zone", [None, "Europe/Rome"])
def test_dates_of_parquet_and_excel_are_times(tmp_path, zone):
    table = pd.DataFrame({"id": "a", "t": pd.to_datetime(["2024-01-02", "2024-01-01"]), "v": [2.0, 1.0]})
    table.assign(t=table["t"].dt.tz_localize(zone)).to_parquet(tmp_path / "t.parquet")
    table.to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.parquet", "t.xlsx"):
        np.testing.assert_array_equal(read_table(tmp_path / name, **LONG).values, [[1, 2]])


def test_resampling_averages_each_bin_and_leaves_empty_ones_missing(write):
    path = write(
        "id,t,v\na,2024-01-01 00:01,1\na,2024-01-01 00:09,3\na,2024-01-01 00:31,5\na,2024-01-01 00:10,\n"
        "b,2024-01-01 00:59,7\nb,2024-01-01 00:59,9\n"
    )
    read = read_table(path, **LONG, period="10min")
    np.testing.assert_array_equal(read.values, [[2, NAN, NAN, 5], [8, NAN, NAN, NAN]])


def test_resampling_takes_numbers_as_seconds(write):
    path = write("id,t,v\na,1700000000,1\na,1700003600,3\n")
    np.testing.assert_array_equal(read_table(path, **LONG, period="30min").values, [[1, NAN, 3]])


def test_offsets_do_not_move_readings_within_a_bin(write):
    path = write("id,t,v\na,2024-01-01T00:30+05:30,1\na,2024-01-01T01:29+05:30,3\na,2024-01-01T01:30+05:30,9\n")
    np.testing.assert_array_equal(read_table(path, **LONG, period="1h").values, [[2, 9]])


tables = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 500), st.integers(-99, 99)),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables, seed=st.randoms(use_true_random=False))
def test_shuffled_rows_give_what_sorted_rows_give(tmp_path, rows, seed):
    def read(rows, name):
        pd.DataFrame(rows, columns=["id", "t", "v"]).to_csv(tmp_path / name, index=False)
        return read_table(tmp_path / name, **LONG)

    shuffled = list(rows)
    seed.shuffle(shuffled)
    one, other = read(sorted(rows), "sorted.csv"), read(shuffled, "shuffled.csv")
    order = [list(other.ids).index(id) for id in one.ids]
    np.testing.assert_array_equal(one.values, other.values[order])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables, minutes=st.sampled_from([1, 7, 60]))
def test_resampling_agrees_with_pandas(tmp_path, rows, minutes):
    table = pd.DataFrame(rows, columns=["id", "t", "v"])
    table["t"] = pd.Timestamp("2024-01-01 00:13") + pd.to_timedelta(table["t"], unit="min")
    table.to_csv(tmp_path / "t.csv", index=False)
    read = read_table(tmp_path / "t.csv", **LONG, period=f"{minutes}min")
    for id, values in zip(read.ids, read.values, strict=True):
        series = table[table["id"] == id].set_index("t")["v"].sort_index()
        expected = series.resample(f"{minutes}min", origin="epoch").mean().to_numpy(np.float32)
        np.testing.assert_array_equal(values[: len(expected)], expected)
        assert np.isnan(values[len(expected) :]).all()


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_times_of_digits_are_read_by_their_format(tmp_path, ending):
    """Days sort by month, and the first of the month keeps its zero."""
    days = ["30012024", "31012024", "01022024", "02022024"]
    table = pd.DataFrame({"id": "a", "t": days, "v": [0, 1, 2, 3]})
    path = tmp_path / f"log.{ending}"
    if ending == "csv":
        table.to_csv(path, index=False)
    elif ending == "xlsx":
        table.to_excel(path, index=False)
    else:
        table.assign(t=table["t"].str[4:] + table["t"].str[2:4] + table["t"].str[:2]).astype({"t": int}).to_parquet(
            path
        )
    form = "%Y%m%d" if ending == "parquet" else "%d%m%Y"
    np.testing.assert_array_equal(read_table(path, **LONG, time_format=form).values, [[0, 1, 2, 3]])
    np.testing.assert_array_equal(read_table(path, **LONG, time_format=form, period="2D").values, [[0.5, 2.5]])


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_a_mark_of_a_missing_reading_may_be_a_time(tmp_path, ending):
    table = pd.DataFrame({"id": "a", "t": [0, 1, 2], "v": [1, 0, 3]})
    path = tmp_path / f"t.{ending}"
    getattr(table, {"csv": "to_csv", "parquet": "to_parquet", "xlsx": "to_excel"}[ending])(path, index=False)
    np.testing.assert_array_equal(read_table(path, **LONG, missing=0).values, [[1, NAN, 3]])


def test_a_number_and_its_text_are_one_id(tmp_path):
    pd.DataFrame({"id": [1, "1", 2], "t": [0, 1, 0], "v": [1, 2, 3]}).to_excel(tmp_path / "t.xlsx", index=False)
    read = read_table(tmp_path / "t.xlsx", **LONG)
    assert (list(read.ids), read.values.tolist()[0]) == (["1", "2"], [1, 2])


def test_a_column_of_lists_holds_no_ids(tmp_path, complaint):
    pd.DataFrame({"id": [[1], [2]], "t": [0, 0], "v": [1.0, 2.0]}).to_parquet(tmp_path / "t.parquet")
    assert "column 'id' holds no ids" in complaint(lambda: read_table(tmp_path / "t.parquet", **LONG))


@pytest.mark.parametrize("period", [None, "1h"])
def test_times_may_be_decimals_of_a_parquet_file(tmp_path, period):
    seconds = [Decimal(1_700_003_600), Decimal("1700000000.5")]
    pd.DataFrame({"id": "a", "t": seconds, "v": [2.0, 1.0]}).to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(read_table(tmp_path / "t.parquet", **LONG, period=period).values, [[1, 2]])
