"""Tables of readings, from a file or a folder to `SensorReadings`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.files import check_exists, open_table
from deepfeatiot_tf.readings.parsing.folder import iter_folder
from deepfeatiot_tf.readings.parsing.long import iter_long
from deepfeatiot_tf.readings.parsing.options import TableOptions, check_options
from deepfeatiot_tf.readings.parsing.wide import iter_wide
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


def read_table(
    path: str | Path,
    *,
    label: str | None = None,
    metadata: str | Sequence[str] | None = None,
    id: str | None = None,
    readings: str | Sequence[str] | None = None,
    layout: str = "auto",
    time: str | None = None,
    value: str | None = None,
    period: str | pd.Timedelta | None = None,
    time_format: str | None = None,
    missing: object | Sequence[object] = (),
    empty: str = "error",
    repair_text: bool = True,
    decimal: str = ".",
    delimiter: str | None = None,
    encoding: str = "utf-8",
    sheet: str | int | None = None,
    class_names: Sequence[str] | None = None,
    name: str | None = None,
) -> SensorReadings:
    """Reads a table of readings: CSV, TSV, Parquet, Excel, or a folder of one file per sensor.

    Text tables may be gzipped (`.csv.gz`). Three layouts are known. *Wide*: one row per sensor. *Long*: one
    row per reading, with the columns `id`, `time` and `value`; the rows of a sensor may stand anywhere and
    are sorted by time. *Folder*: one file per sensor, named by its id, one row per reading. Shorter series
    end in NaN. An empty cell, NaN, None, null and NA are missing readings.

    Args:
        path: the file or folder. The ending of a file's name decides how it is read.
        label: the column of the sensor type. Integers become `"0"`, `"1"`, …; outer space is cut off. In a
            long table it is the same on all rows of a sensor. For a folder, `"folder"` takes the name of the
            sub-folder: `fleet/<label>/<id>.csv`. Default: no labels.
        metadata: a column of text about the sensor, or several that are joined by a space. Default: no
            metadata.
        id: the column of the sensors' names. Default: for a wide table the number of the row, from `"0"`; a
            long table needs it; a folder does not take it.
        readings: the columns of a wide table that hold readings: a prefix (`"reading_"`), the first and the
            last (`"t0930:t1800"`), or a list of names. Default: the columns that share a prefix and end in
            consecutive integers, in that order; where none do, all columns of numbers without another role,
            with a warning in the log; an error where that is ambiguous.
        layout: `"wide"`, `"long"`, `"folder"` or `"auto"`: folder for a folder, long where `time` or `value`
            is given, else wide. Default `"auto"`.
        time: the column of times: ISO 8601 text, dates of Excel or Parquet, or numbers. All in one time zone.
            Default for a folder: rows are in order.
        value: the column of readings of a long table. Default for a folder: the only column of numbers.
        period: resample a long table or a folder to this period, such as `"10min"`: the mean of each bin, NaN
            for an empty one. Bins begin at multiples of the period since 1970 (UTC, or the clock of times
            without a zone), and a series at its first bin. Times that are numbers count as seconds since
            1970. Default: every reading as it is, in order of time.
        time_format: of times that are not ISO 8601, as for `strptime`: `"%d/%m/%Y %H:%M"`. Default: ISO 8601.
        missing: one or several marks of a missing reading, such as `-999` or `"error"`. Default: none.
        empty: `"error"` or `"keep"` for a series without any reading. Default `"error"`.
        repair_text: whether metadata is repaired: text that was decoded wrongly (`"UmiditÃ "`), entities, white space;
            a dictionary as text becomes its entries (`"supplier: Sensirion, units: %"`). Default True.
        decimal: the decimal sign of numbers in text, `"."` or `","`. Default `"."`.
        delimiter: of a text table. Default: the one of comma, semicolon, tab and bar that cuts the header
            most often.
        encoding: of a text table. Default `"utf-8"`.
        sheet: of a workbook, by name or by position from 0. Default: the first.
        class_names: all classes, in the order of the one-hot columns; another label is an error. Default: the
            sorted distinct labels.
        name: of the readings, for messages and reports. Default: the name of the file or folder.

    Returns:
        one series per sensor: in the order of the rows, of first appearance (long) or of file names (folder).

    Raises:
        InputError: the file or an option cannot be used. The message names file, row and column, and what to
            do.

    Example:
        >>> fleet = read_table("fleet.csv", label="type", metadata=["site", "device"])  # doctest: +SKIP
        >>> log = read_table("log.parquet", id="id", time="at", value="reading")  # doctest: +SKIP
    """
    options = check_options(
        label=label,
        metadata=metadata,
        id=id,
        readings=readings,
        layout=layout,
        time=time,
        value=value,
        period=period,
        time_format=time_format,
        missing=missing,
        empty=empty,
        repair_text=repair_text,
        decimal=decimal,
        delimiter=delimiter,
        encoding=encoding,
        sheet=sheet,
        class_names=class_names,
        name=name,
    )
    return next(_tables(Path(path), options, rows=None))


def iter_tables(path: str | Path, *, rows: int = 10_000, **options: Any) -> Iterator[SensorReadings]:
    """As `read_table`, a part at a time: a table of any length in bounded memory.

    Only an Excel sheet is held whole. In a long table the rows of a sensor have to stand together. What the
    columns hold is decided from the first rows, so all parts of a wide table have the same readings; parts of
    a long table and of a folder are as wide as their longest series. Ids are checked over all parts, by
    64-bit hashes that take 8 bytes per sensor.

    Args:
        path: as for `read_table`.
        rows: sensors per part. Default 10,000.
        **options: as for `read_table`. Without `class_names` each part has the classes that occur in it.

    Yields:
        the sensors in the order of the file.

    Raises:
        InputError: see `read_table`; also while iterating, when a bad row is reached.

    Example:
        >>> for part in iter_tables("fleet.parquet", rows=1000, id="device"):  # doctest: +SKIP
        ...     model.predict(part.to_dataset())
    """
    if rows < 1:
        raise InputError(f"rows is {rows}; a part needs at least one")
    return _tables(Path(path), check_options(**options), rows)


def _tables(path: Path, options: TableOptions, rows: int | None) -> Iterator[SensorReadings]:
    check_exists(path)
    if path.is_dir() != (options.layout == "folder") and options.layout != "auto":
        kind = "a folder" if path.is_dir() else "a file"
        raise InputError(f"{path}: is {kind}, but the option `layout` is {options.layout!r}; leave it out")
    if path.is_dir():
        return iter_folder(path, options, rows)
    file = open_table(path, options)
    if options.is_long:
        return iter_long(file, options, rows)
    if options.period is not None:
        raise InputError(f"{path}: only a long table has a period; say its columns id, time and value")
    return iter_wide(file, options, rows)
