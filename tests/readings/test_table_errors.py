"""What bad input gets: one line with the file, the row, the column and what to do."""

import gzip

import pandas as pd
import pytest

from deepfeatiot_tf.readings.table import iter_tables, read_table

LONG = {"id": "id", "time": "t", "value": "v"}
WIDE = pd.DataFrame({"r1": [1.0, 2.0], "r2": [3.0, 4.0]})

BAD_WIDE = {
    "empty file": ("", {}, ["fleet.csv", "empty", "header"]),
    "blank file": ("\n \n", {}, ["fleet.csv", "empty"]),
    "header only": ("r1,r2\n", {}, ["no rows below", "at least one row"]),
    "no readings": ("id,site\na,b\n", {}, ["no reading columns", "option `readings`"]),
    "no header": ("co2,21.5,21.6\nco2,3.5,4.5\n", {}, ["first line holds readings", "put a header"]),
    "undeclared decimal commas": ("id;x\na;1,5\n", {}, ["decimal commas", "option `decimal`"]),
    "decimal comma in one cell": ("r1;r2\n1;2\n1;2,5\n", {}, ["line 3, column 'r2'", "'2,5'", "`decimal`"]),
    "decimal point beside commas": ("r1;r2\n1,5;2\n1;2.5\n", {"decimal": ","}, ["line 3", "decimal point"]),
    "comma for two": ("r1,r2\n1,2\n", {"decimal": ",", "delimiter": ","}, ["`delimiter`"]),
    "comma for two, quoted in one cell": ('r1,r2\n"1,5",2,5\n', {"decimal": ","}, ["line 2", "more cells than the 2"]),
    "label of two lines": ('r1,r2,l\n1,2,a\n3,4,"a\nb"\n', {"label": "l"}, ["line 3, column 'l'", "one line of text"]),
    "readings from last to first": ("r1,r2,l\n1,2,a\n", {"readings": "r2:r1"}, ["from 'r2' to 'r1'", "`readings`"]),
    "no encoding of text": ("r1,r2\n1,2\n", {"encoding": "hex"}, ["'hex'", "'utf-8'"]),
    "an encoding without a use": ("r1,r2\n1,2\n", {"encoding": "undefined"}, ["'undefined'", "'utf-8'"]),
    "utf-16 without its mark": ("r1,r2\n1,2\n", {"encoding": "utf-16"}, ["'utf-16-le'"]),
    "text in a reading": (
        "id,r1,r2\na,1,2\nb,3,fault\n",
        {},
        ["line 3, column 'r2'", "'fault' is not a number", "option `missing`"],
    ),
    "text below blank lines and quoted line ends": (
        'id,r1,r2\n\n"a\nb",1,2\n\nc,3,fault\n',
        {},
        ["line 6, column 'r2'"],
    ),
    "underscored number": ("r1,r2,r3\n1,1_000,2\n", {}, ["line 2, column 'r2'", "'1_000'"]),
    "infinite": ("r1,r2\n1,2\n3,-inf\n", {}, ["line 3, column 'r2'", "-inf is infinite", "correct it"]),
    "beyond float32": ("r1,r2\n1,2\n1e39,4\n", {}, ["line 3, column 'r1'", "1e+39 is beyond float32"]),
    "series without readings": ("r1,r2\n1,2\n,\n", {}, ["line 3", "no reading in any of the 2", "'keep'"]),
    "only marks": ("r1,r2\n-9,-9\n", {"missing": -9}, ["line 2", "no reading"]),
    "duplicate ids": (
        "id,r1,r2\na,1,2\nb,1,2\na,3,4\n",
        {"id": "id"},
        ["line 4", "id 'a' as on line 2", "rename or drop"],
    ),
    "missing id": ("id,r1,r2\n,1,2\n", {"id": "id"}, ["line 2, column 'id'", "no id", "fill it in"]),
    "unknown label column": (
        "label,r1,r2\nx,1,2\n",
        {"label": "lable"},
        ["'lable'", "did you mean 'label'?"],
    ),
    "nothing like that column": ("label,r1,r2\nx,1,2\n", {"id": "zzz"}, ["'zzz'", "'label', 'r1', 'r2'"]),
    "missing label": (
        "label,r1,r2\nx,1,2\n,1,2\n",
        {"label": "label"},
        ["line 3, column 'label'", "no label"],
    ),
    "unknown label": (
        "label,r1,r2\nco2,1,2\nC02,1,2\n",
        {"label": "label", "class_names": ["co2", "CO2"]},
        ["line 3, column 'label'", "'C02'", "did you mean 'CO2'?"],
    ),
    "label among the readings": (
        "r1,r2\n1,2\n",
        {"label": "r1", "readings": ["r1", "r2"]},
        ["'r1'", "choose one"],
    ),
    "no such prefix": ("r1,r2\n1,2\n", {"readings": "x"}, ["no column starts with 'x'"]),
    "no such reading": (
        "r1,r2\n1,2\n",
        {"readings": ["r1", "r3"]},
        ["no reading column 'r3'", "there are 'r1', 'r2'"],
    ),
    "column twice": ("r1,r1,r2\n1,2,3\n", {"readings": "r"}, ["'r1' stands twice", "rename one"]),
    "gap in the numbers": ("r1,r2,r4\n1,2,3\n", {}, ["jump from 'r2' to 'r4'", "option `readings`"]),
    "one number twice": ("r1,r01,r2\n1,2,3\n", {}, ["jump from 'r01' to 'r1'"]),
    "months of columns": (
        "2024-01-01,2024-01-02,2024-02-01,2024-02-02\n1,2,3,4\n",
        {},
        ["several groups", "2024-01-… (2)", "'first:last'"],
    ),
    "a month with one day": (
        "2024-01-31,2024-02-01,2024-02-02\n1,2,3\n",
        {},
        ["several groups", "2024-02-… (2)", "2024-01-… (1)", "'first:last'"],
    ),
    "two groups": ("r1,r2,q1,q2\n1,2,1,1\n", {}, ["several groups", "r… (2)", "q… (2)"]),
    "numbers and text in one group": ("m1,m2,x\ntext,4,5\n", {}, ["m…", "numbers and text"]),
    "decimal commas beside whole numbers": (
        "t1;t2;t3\n1;1,5;2,5\n",
        {},
        ["t…", "numbers and text", "decimal commas", "`decimal`"],
    ),
    "surplus cells": ("r1,r2\n1,2\n1,2,3\n", {}, ["line 3", "more cells than the 2", "`delimiter`"]),
    "surplus cells in the first row": ("r1,r2\n1,2,3\n", {}, ["line 2", "more cells than the 2"]),
    "text below a line that says the delimiter": ("sep=;\nr1;r2\n1;2\n1;x\n", {}, ["line 4, column 'r2'", "'x'"]),
    "surplus cells below empty rows": (",,\n,\nr1,r2\n1,2\n1,2,3\n", {}, ["line 5", "more cells than the 2"]),
    "a delimiter and nothing else": ("sep=;\n;;\n", {}, ["fleet.csv", "empty"]),
    "UTF-8 by its mark": ("\ufeffr1,r2\n1,2\n", {"encoding": "cp1252"}, ["mark of UTF-8", "leave out", "`encoding`"]),
    "zero bytes": ("\0\0\0", {}, ["not a table of text"]),
    "zero bytes below the header": ("r1,r2\n1,2\n1\0\0,2\n", {}, ["line 3", "NUL bytes", "remove"]),
    "a delimiter beyond ASCII": ("r1§r2\n1§2\n", {"delimiter": "§"}, ["'§'", "not ASCII"]),
    "such a delimiter, said by the file": ("sep=¦\nr1¦r2\n1¦2\n", {}, ["'¦'", "not ASCII"]),
    "open quote": ('r1,r2\n1,"2\n1,2\n', {}, ["quote"]),
    "period of a wide table": ("r1,r2\n1,2\n", {"period": "1h"}, ["only a long table"]),
    "unknown encoding": ("r1,r2\n1,2\n", {"encoding": "utf-9"}, ["'utf-9'", "'utf-8'"]),
}

BAD_LONG = {
    "no id option": ("id,t,v\na,1,2\n", {"time": "t", "value": "v"}, ["say id"]),
    "no value option": ("id,t,v\na,1,2\n", {"id": "id", "time": "t"}, ["say value"]),
    "header only": ("id,t,v\n", LONG, ["no rows below"]),
    "unknown column": ("id,t,v\na,1,2\n", {**LONG, "time": "time"}, ["no time column 'time'"]),
    "missing id": ("id,t,v\na,1,2\n,1,2\n", LONG, ["line 3, column 'id'", "no id"]),
    "missing time": ("id,t,v\na,1,2\na,,2\n", LONG, ["line 3, column 't'", "no time"]),
    "text for a time": (
        "id,t,v\na,2024-01-01,2\na,yesterday,2\n",
        LONG,
        ["line 3, column 't'", "'yesterday' is not a time", "`time_format`"],
    ),
    "day before month": ("id,t,v\na,31/01/2024,2\n", LONG, ["line 2", "'31/01/2024' is not a time"]),
    "hours written as numbers": (
        "id,t,v\na,2024050100,1\na,2024050101,2\n",
        {**LONG, "period": "1h"},
        ["line 2, column 't'", "2024050100", "looks like a date", "'%Y%m%d%H'"],
    ),
    "minutes as months": (
        "id,t,v\na,01/05/2024 10:30,1\n",
        {**LONG, "time_format": "%d/%m/%Y %H:%m"},
        ["'%d/%m/%Y %H:%m' is not a format of times", "%H:%M"],
    ),
    "milliseconds to be binned": (
        "id,t,v\na,1700000000000,2\n",
        {**LONG, "period": "1h"},
        ["line 2, column 't'", "seconds since 1970"],
    ),
    "repeated time": (
        "id,t,v\na,2024-01-02,1\nb,2024-01-02,1\na,2024-01-01,1\na,2024-01-02,1\n",
        LONG,
        ["line 5, column 't'", "sensor 'a'", "2024-01-02", "`period`"],
    ),
    "two offsets": (
        "id,t,v\na,2024-01-01T00:00+01:00,1\na,2024-01-01T00:00:00+02:00,1\n",
        LONG,
        ["line 3, column 't'", "+0200", "+0100", "one zone"],
    ),
    "naive beside aware": (
        "id,t,v\na,2024-01-01T00:00Z,1\na,2024-01-01 01:00,1\n",
        LONG,
        ["line 3", "no time zone", "UTC"],
    ),
    "text in the value": ("id,t,v\na,1,1\na,2,on\n", LONG, ["line 3, column 'v'", "'on'"]),
    "infinite value": ("id,t,v\na,1,inf\n", LONG, ["line 2, column 'v'", "infinite"]),
    "series without readings": ("id,t,v\nb,1,1\na,1,\na,2,\n", LONG, ["line 3", "sensor 'a'", "'keep'"]),
    "two labels": (
        "id,t,v,l\na,1,1,x\na,2,1,y\n",
        {**LONG, "label": "l"},
        ["line 3, column 'l'", "sensor 'a'", "'y'"],
    ),
    "no label": ("id,t,v,l\na,1,1,x\nb,1,1,\n", {**LONG, "label": "l"}, ["line 3, column 'l'", "no label"]),
    "two texts": ("id,t,v,m\na,1,1,x\na,2,1,y\n", {**LONG, "metadata": "m"}, ["column 'm'", "sensor 'a'"]),
    "a stray date": (
        "id,t,v\na,1970-01-01,1\na,2024-01-01,1\n",
        {**LONG, "period": "1s"},
        ["sensor 'a' spans", "check its times"],
    ),
    "dates of digits to be binned": (
        "id,t,v\na,20240501,2\na,20240502,3\n",
        {**LONG, "period": "1D"},
        ["line 2, column 't'", "looks like a date", "'%Y%m%d'"],
    ),
    "ids with spaces": ("id,t,v\na ,1,2\na,2,3\n", LONG, ["ids 'a ' and 'a'", "write them alike"]),
    "bad period": ("id,t,v\na,1,2\n", {**LONG, "period": "often"}, ["'often'", "'10min'"]),
    "negative period": ("id,t,v\na,1,2\n", {**LONG, "period": "-1h"}, ["'-1h'", "too short"]),
}


@pytest.mark.parametrize(("text", "options", "says"), BAD_WIDE.values(), ids=BAD_WIDE.keys())
def test_bad_wide_tables_are_explained(write, complaint, text, options, says):
    path = write(text)
    message = complaint(lambda: read_table(path, **options))
    for words in says:
        assert words in message


@pytest.mark.parametrize(("text", "options", "says"), BAD_LONG.values(), ids=BAD_LONG.keys())
def test_bad_long_tables_are_explained(write, complaint, text, options, says):
    path = write(text)
    message = complaint(lambda: read_table(path, **options))
    for words in says:
        assert words in message


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"layout": "tall"}, "'tall'"),
        ({"empty": "drop"}, "'drop'"),
        ({"decimal": ";"}, "';'"),
        ({"layout": "wide", "time": "t"}, "belong to long tables"),
        ({"delimiter": ", "}, "one character"),
        ({"readings": []}, "names no column"),
        ({"label": "type", "metadata": ["site", "type"]}, "'type' is named as label and as metadata"),
        ({"time": "at", "value": "at"}, "'at' is named as time and as value"),
    ],
)
def test_options_that_cannot_be_are_refused(complaint, options, says):
    assert says in complaint(lambda: read_table("fleet.csv", **options))


def test_a_file_that_is_not_there_or_of_unknown_kind(write, tmp_path, complaint):
    assert "no such file" in complaint(lambda: read_table(tmp_path / "none.csv"))
    message = complaint(lambda: read_table(write("x", "fleet.doc")))
    assert "unknown kind of file" in message
    assert ".parquet" in message
    assert "is a file" in complaint(lambda: read_table(write("r1,r2\n1,2\n"), layout="folder"))


def test_a_wrong_encoding_names_line_and_byte(write, complaint):
    path = write("site,r1,r2\nroof,1,2\nBüro,1,2\n", encoding="latin-1")
    message = complaint(lambda: read_table(path))
    assert "line 3: byte 0xfc is not utf-8" in message
    assert "'latin-1'" in message
    utf16 = write("r1,r2\n1,2\n", encoding="utf-16")
    assert "'utf-16'" in complaint(lambda: read_table(utf16))
    read_table(utf16, encoding="utf-16")


def test_a_wrong_encoding_far_down_is_found(write, complaint):
    path = write("r1,r2,site\n" + "1,2,roof\n" * 30_000 + "1,2,Büro\n", encoding="latin-1")
    assert "line 30002" in complaint(lambda: list(iter_tables(path, rows=1000)))


@pytest.mark.parametrize("keep", [0.5, 0.97], ids=["half", "without its end"])
@pytest.mark.parametrize("ending", ["parquet", "xlsx", "csv.gz"])
def test_a_file_cut_off_is_said_to_be_damaged(tmp_path, complaint, ending, keep):
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        WIDE.to_parquet(path)
    elif ending == "xlsx":
        WIDE.to_excel(path, index=False)
    else:
        path.write_bytes(gzip.compress(WIDE.to_csv(index=False).encode() * 50))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    message = complaint(lambda: read_table(path))
    assert str(path) in message
    assert "damaged" in message


@pytest.mark.parametrize("ending", ["parquet", "xlsx", "csv.gz"])
def test_a_foreign_file_under_a_known_ending_is_said_to_be_damaged(write, complaint, ending):
    path = write("r1,r2\n1,2\n", f"t.{ending}")
    assert "damaged" in complaint(lambda: read_table(path))


def test_damage_inside_a_parquet_file_is_explained(tmp_path, complaint):
    path = tmp_path / "t.parquet"
    WIDE.to_parquet(path, compression="gzip")
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    assert "damaged" in complaint(lambda: read_table(path))


def test_rows_of_parquet_and_excel_are_counted_as_their_programs_do(tmp_path, complaint):
    table = WIDE.astype(object)
    table.iloc[1, 1] = "fault"
    table.astype(str).to_parquet(tmp_path / "t.parquet")
    table.to_excel(tmp_path / "t.xlsx", index=False)
    assert "row 2, column 'r2'" in complaint(lambda: read_table(tmp_path / "t.parquet"))
    assert "row 3, column 'r2'" in complaint(lambda: read_table(tmp_path / "t.xlsx"))


def test_an_unknown_sheet_lists_those_there_are(tmp_path, complaint):
    WIDE.to_excel(tmp_path / "t.xlsx", sheet_name="fleet")
    assert "there are 'fleet'" in complaint(lambda: read_table(tmp_path / "t.xlsx", sheet="flet"))


def test_surplus_cells_of_a_sheet_are_not_dropped(tmp_path, complaint):
    table = pd.DataFrame([["r1", "r2", None], [1, 2, None], [3, 4, 5]])
    table.to_excel(tmp_path / "t.xlsx", header=False, index=False)
    assert "row 3: more cells than the 2" in complaint(lambda: read_table(tmp_path / "t.xlsx"))


def test_tables_without_rows_or_columns(tmp_path, complaint):
    WIDE.head(0).to_parquet(tmp_path / "rows.parquet")
    WIDE.head(0).to_excel(tmp_path / "rows.xlsx", index=False)
    pd.DataFrame().to_excel(tmp_path / "sheet.xlsx")
    assert "no rows below" in complaint(lambda: read_table(tmp_path / "rows.parquet"))
    assert "no rows below" in complaint(lambda: read_table(tmp_path / "rows.xlsx"))
    assert "empty" in complaint(lambda: read_table(tmp_path / "sheet.xlsx"))
