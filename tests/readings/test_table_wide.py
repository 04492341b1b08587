"""Wide tables: exactly the right columns and values are read."""

import gzip
import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepfeatiot_tf.readings.table import read_table

NAN = np.nan


def test_readings_are_the_numbered_columns_among_ids_coordinates_and_text(write):
    path = write(
        "database_id,metadata_0,metadata_5,metadata_6,label,v_0,v_1,v_2,v_3,v_4\n7,text,45.5,11.8,2,1,2,3,4,5\n"
    )
    read = read_table(path, label="label", metadata="metadata_0", id="database_id")
    np.testing.assert_array_equal(read.values, [[1, 2, 3, 4, 5]])
    assert (read.ids[0], read.labels[0], read.metadata[0], read.name) == ("7", "2", "text", "fleet.csv")


def test_bare_integers_are_readings(write):
    path = write("label,channel_id,1,2,3\ntemperature,103,4,5,6\n")
    np.testing.assert_array_equal(read_table(path, label="label").values, [[4, 5, 6]])


def test_columns_sorted_as_text_are_put_in_the_order_of_their_numbers(write):
    header = sorted(f"r{i}" for i in range(12))
    path = write(",".join(header) + "\n" + ",".join(name[1:] for name in header) + "\n")
    np.testing.assert_array_equal(read_table(path).values, [np.arange(12)])


def test_without_numbered_columns_all_numbers_are_taken_and_the_log_says_so(write, caplog):
    path = write(",site,morning,noon\n0,roof,1,2\n")
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(read_table(path).values, [[1, 2]])
    assert "'morning' to 'noon'" in caplog.text


@pytest.mark.parametrize(
    "readings", ["t", "t0930:t1000", ["t0930", "t0945", "t1000"]], ids=["prefix", "first:last", "list"]
)
def test_readings_can_be_named(write, readings):
    path = write("t0930,t0945,t1000,battery\n1,2,3,99\n")
    np.testing.assert_array_equal(read_table(path, readings=readings).values, [[1, 2, 3]])


def test_first_to_last_works_with_names_that_hold_colons(write):
    path = write("00:00,00:15,00:30\n1,2,3\n")
    np.testing.assert_array_equal(read_table(path, readings="00:00:00:30").values, [[1, 2, 3]])


def test_every_spelling_of_missing_is_nan_and_short_rows_end_in_nan(write):
    path = write("r1,r2,r3,r4,r5,r6,r7\n1,,NaN,None,null,NA , none\n8,9\n")
    np.testing.assert_array_equal(read_table(path).values, [[1] + [NAN] * 6, [8, 9] + [NAN] * 5])


@pytest.mark.parametrize("missing", [-999, "-999", [-999, "error"], ("error", "-999.0")])
def test_marks_of_missing_readings_are_nan_and_touch_no_other_column(write, missing):
    path = write("label,r1,r2,r3\n-999,-999,-999.0,1\n")
    read = read_table(path, label="label", missing=missing)
    np.testing.assert_array_equal(read.values, [[NAN, NAN, 1]])
    assert read.labels[0] == "-999"


def test_a_word_declared_missing_is_nan_in_every_format(tmp_path):
    table = pd.DataFrame({"r1": ["1", "error"], "r2": ["error", "2.5"]})
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    table.to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.csv", "t.parquet", "t.xlsx"):
        read = read_table(tmp_path / name, missing="error")
        np.testing.assert_array_equal(read.values, [[1, NAN], [NAN, 2.5]])


def test_a_mark_rounded_to_float32_by_the_writer_is_still_recognized(tmp_path):
    pd.DataFrame({"r1": np.float32([-999.9]), "r2": np.float32([1])}).to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(read_table(tmp_path / "t.parquet", missing=-999.9).values, [[NAN, 1]])


@pytest.mark.parametrize("missing", [-999.9, "-999.9", "-999,9"])
def test_a_mark_is_a_number_of_either_sign_where_the_decimal_sign_is_a_comma(tmp_path, missing):
    table = pd.DataFrame({"r1": [1.5, 2.5], "r2": [-999.9, 3.0]})
    table.to_parquet(tmp_path / "t.parquet")
    table.to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.parquet", "t.xlsx"):
        values = read_table(tmp_path / name, decimal=",", missing=missing).values
        np.testing.assert_array_equal(values, [[1.5, NAN], [2.5, 3]])


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
def test_integer_labels_stay_integers_whatever_stands_beside_them(tmp_path, ending):
    table = pd.DataFrame({"label": [0.0, 1.0, 11.0], "r1": [1, 2, 3], "r2": [1, 2, 3]})
    getattr(table, {"csv": "to_csv", "parquet": "to_parquet", "xlsx": "to_excel"}[ending])(
        tmp_path / f"t.{ending}", index=False
    )
    assert list(read_table(tmp_path / f"t.{ending}", label="label").labels) == ["0", "1", "11"]


def test_labels_that_are_not_whole_numbers_stay_as_written(write):
    path = write("label,r1,r2\nPM 2.0,1,2\n2.5,1,2\n CO2 ,1,2\n")
    assert list(read_table(path, label="label").labels) == ["PM 2.0", "2.5", "CO2"]


def test_ids_stay_as_written_and_default_to_row_numbers(write):
    path = write("id,r1,r2\n007,1,2\n7,1,2\n")
    assert list(read_table(path, id="id").ids) == ["007", "7"]
    assert list(read_table(path).ids) == ["0", "1"]


def test_metadata_columns_are_joined_in_the_order_asked_for_without_gaps(write):
    path = write("site,device,unit,r1,r2\nroof,SHT31,°C,1,2\n,DHT22,null,1,2\n")
    read = read_table(path, metadata=["unit", "site", "device"])
    assert list(read.metadata) == ["°C roof SHT31", "DHT22"]


def test_class_names_give_the_order_of_the_classes(write):
    path = write("label,r1,r2\nb,1,2\n")
    assert read_table(path, label="label", class_names=["c", "b", "a"]).class_names == ("c", "b", "a")


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("a;b\n1,5;2\n", "t.csv", {"decimal": ",", "readings": ["a", "b"]}),
        ("a\tb\n1.5\t2\n", "t.tsv", {}),
        ("a|b\n1.5|2\n", "t.csv", {}),
        ("a b\n1.5 2\n", "t.csv", {"delimiter": " "}),
        ('"a;x",b\n1.5,2\n', "t.csv", {}),
        ('"a\nx",b\n1.5,2\n', "t.csv", {}),
        ("\n\na,b\n1.5,2\n", "t.csv", {}),
        ("\ufeffa,b\n1.5,2\n", "t.csv", {"readings": ["a", "b"]}),
        ("a,b\r\n1.5,2\r\n", "T.CSV", {}),
        ("a,b\n1.5,2,\n", "t.csv", {}),
        ("a,b,\n1.5,2,\n", "t.csv", {}),
        ("sep=;\na,x;b\n1.5;2\n", "t.csv", {"readings": ["a,x", "b"]}),
        ('"sep=|"\r\na|b\r\n1.5|2\r\n', "t.csv", {}),
        ("\ufeffsep=\t\na\tb\n1.5\t2\n", "t.csv", {}),
        ("sep=;\na,b\n1.5,2\n", "t.csv", {"delimiter": ","}),
        (";;\n\n;\na;b\n1.5;2\n", "t.csv", {}),
    ],
)
def test_dialects_of_text_tables(write, text, name, options):
    np.testing.assert_array_equal(read_table(write(text, name), **options).values, [[1.5, 2]])


def test_gzipped_and_otherwise_encoded_tables(tmp_path):
    text = "site,r1,r2\nBüro,1,2\n"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode("latin-1")))
    read = read_table(tmp_path / "t.csv.gz", metadata="site", encoding="latin-1")
    assert read.metadata[0] == "Büro"
    np.testing.assert_array_equal(read.values, [[1, 2]])


def test_a_sheet_is_chosen_by_name_or_position_and_empty_rows_are_passed_over(tmp_path):
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame({"note": ["x"]}).to_excel(book, sheet_name="about", index=False)
        rows = [[1, 2], [None, None], [3, 4]]
        pd.DataFrame(rows, columns=["r1", "r2"]).to_excel(book, sheet_name="fleet", index=False)
    for sheet in ("fleet", 1):
        np.testing.assert_array_equal(read_table(tmp_path / "t.xlsx", sheet=sheet).values, [[1, 2], [3, 4]])


def test_a_column_without_any_reading_is_kept_in_its_place(write):
    path = write("r1,r2,r3\n1,,3\n4,,6\n")
    np.testing.assert_array_equal(read_table(path).values, [[1, NAN, 3], [4, NAN, 6]])


def test_series_without_readings_are_kept_where_asked(write):
    path = write("id,r1,r2\na,,\nb,1,2\n")
    np.testing.assert_array_equal(read_table(path, id="id", empty="keep").values, [[NAN, NAN], [1, 2]])


def test_values_up_to_the_end_of_float32_are_read(write):
    np.testing.assert_array_equal(read_table(write("r1,r2\n1e30,-3e38\n")).values, np.float32([[1e30, -3e38]]))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(2, 6)),
        elements=st.one_of(st.floats(width=32, allow_infinity=False, allow_nan=False), st.just(NAN)),
    ),
    ending=st.sampled_from(["csv", "parquet"]),
)
def test_what_was_written_is_read_back_to_the_last_bit(tmp_path, values, ending):
    table = pd.DataFrame(values, columns=[f"r{i}" for i in range(values.shape[1])])
    table.insert(0, "id", [f"s{i}" for i in range(len(table))])
    path = tmp_path / f"t.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    read = read_table(path, id="id", readings="r", empty="keep")
    np.testing.assert_array_equal(read.values, values)
    assert list(read.ids) == list(table["id"])


def test_a_text_of_digits_in_a_sheet_stays_as_written(tmp_path):
    path = tmp_path / "fleet.xlsx"
    table = pd.DataFrame({"id": ["007", "7", "010"], "kind": ["01", "02", "02"], "r1": [1, 2, 3], "r2": [4.5, None, 6]})
    table.to_excel(path, sheet_name="2024", index=False)
    for sheet in ("2024", 2024, 0):
        read = read_table(path, id="id", label="kind", sheet=sheet)
        assert (list(read.ids), list(read.labels)) == (["007", "7", "010"], ["01", "02", "02"])
        np.testing.assert_array_equal(read.values, [[1, 4.5], [2, NAN], [3, 6]])


def test_texts_that_parquet_holds_as_bytes_are_texts(tmp_path):
    path = tmp_path / "fleet.parquet"
    pd.DataFrame({"id": [b"B\xc3\xbcro", b"x"], "kind": [b"co2", b"hum"], "r1": [1, 2], "r2": [3, 4]}).to_parquet(path)
    read = read_table(path, id="id", label="kind")
    assert (list(read.ids), list(read.labels)) == (["Büro", "x"], ["co2", "hum"])


def test_quoted_decimal_commas_may_stand_between_commas(write):
    np.testing.assert_array_equal(
        read_table(write('r1,r2\n"1,5","2,25"\n3,4\n'), decimal=",").values, [[1.5, 2.25], [3, 4]]
    )


@pytest.mark.parametrize("delimiter", ["\\t", "tab", "\t"])
def test_a_tab_may_be_named_as_people_write_it(write, delimiter):
    np.testing.assert_array_equal(read_table(write("r1\tr2\n1\t2\n"), delimiter=delimiter).values, [[1, 2]])


def test_a_column_without_a_name_is_called_as_the_reader_calls_it(tmp_path):
    table = pd.DataFrame({"": ["x", "y"], "r1": [1.0, 2.0], "r2": [3.0, 4.0]})
    table.to_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet", id="(no name, column 1)")
    assert list(read.ids) == ["x", "y"]


def test_a_sheet_may_begin_below_and_beside_empty_cells(tmp_path, complaint):
    table = pd.DataFrame({"id": ["x", "y"], "r1": [1.0, 2.0], "r2": [3.0, "?"]})
    table.to_excel(tmp_path / "t.xlsx", index=False, startrow=2, startcol=1)
    assert "t.xlsx, row 5, column 'r2': '?'" in complaint(lambda: read_table(tmp_path / "t.xlsx", id="id"))
    read = read_table(tmp_path / "t.xlsx", id="id", missing="?")
    np.testing.assert_array_equal(read.values, [[1, 3], [2, NAN]])
