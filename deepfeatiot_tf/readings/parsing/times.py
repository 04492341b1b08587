"""From cells to points in time that can be sorted and binned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.cells import texts
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.table_file import TableFile, where_first

_LATEST_SECOND = 1e11  # the year 5138; milliseconds since 1970 lie beyond
# Dates written as numbers, and from which on they are no seconds: those of the second are after 2030.
_DATES = {"%Y%m%d": 0, "%Y%m%d%H": 1_900_000_000}
_OFFSET = re.compile(r"(?::\d{2}|T\d{2,6})(?:[.,]\d+)?\s*(Z|[+-]\d{2}(?::?\d{2})?)$", re.IGNORECASE)
_UTC = frozenset({"Z", "+0000", "-0000", "+00", "-00"})
_NO_ZONE = "no time zone"


@dataclass
class Zone:
    """The time zone of a table's first row, which all others have to share."""

    name: str | None = None


def ticks(column: pd.Series, file: TableFile, options: TableOptions, zone: Zone) -> np.ndarray:
    """Times as numbers `[n]` in the same order: microseconds since 1970, or the numbers of the column.

    The latter are taken as seconds since 1970 where they have to be binned by `period`; where a format of times is
    named, they are read by it.

    Args:
        column: the time column of some rows.
        file: the table.
        options: what the user said about it.
        zone: of the table so far; set by its first row.

    Raises:
        InputError: a time is missing, cannot be read, or is in another zone than the first.
    """
    missing = column.isna().to_numpy()
    if missing.any():
        raise InputError(f"{_cell(column, missing, file)}: no time; fill it in or drop the row")
    if isinstance(next(iter(column), None), Decimal):  # numbers of a Parquet file
        column = column.astype(np.float64)
    if pd.api.types.is_numeric_dtype(column.dtype) and options.time_format is None:
        return _from_numbers(column, file, options)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        zones = pd.Series(str(column.dtype.tz), index=column.index)
        times = column
    elif pd.api.types.is_datetime64_any_dtype(column.dtype):
        zones = pd.Series(_NO_ZONE, index=column.index)
        times = column
    else:
        digits = pd.api.types.is_numeric_dtype(column.dtype)  # of a workbook or a Parquet file
        written = pd.Series(texts(column), index=column.index, name=column.name) if digits else column.astype(str)
        text = written.str.strip()
        zones = _zones(text)
        times = _parse(text, file, options)
    _check_zone(column, zones, file, zone)
    if isinstance(times.dtype, pd.DatetimeTZDtype):
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return times.to_numpy("datetime64[us]").astype(np.int64)


def _from_numbers(column: pd.Series, file: TableFile, options: TableOptions) -> np.ndarray:
    numbers = column.to_numpy()
    if options.period is None:
        return numbers
    late = ~(np.abs(numbers) < _LATEST_SECOND)
    if late.any():
        raise InputError(
            f"{_cell(column, late, file)}: {numbers[np.argmax(late)]} is not a time in seconds since 1970; "
            "convert the column to seconds or to ISO 8601"
        )
    first = pd.Series(numbers[:1000]).astype(str)
    for written, least in _DATES.items() if len(first) else ():
        if pd.to_datetime(first, format=written, errors="coerce").notna().all() and (numbers[:1000] >= least).all():
            raise InputError(
                f"{_cell(column, ~late, file)}: {numbers[0]} would be seconds since 1970, but looks like a date; say "
                f"the option `time_format`, such as {written!r}"
            )
    return np.round(numbers.astype(np.float64) * 1e6).astype(np.int64)


def _parse(text: pd.Series, file: TableFile, options: TableOptions) -> pd.Series:
    try:
        times = pd.to_datetime(text, format=options.time_format or "ISO8601", utc=True, errors="coerce")
    except (ValueError, re.error) as error:  # the latter where a part of it is there twice
        raise InputError(
            f"time_format {options.time_format!r} is not a format of times; say it like '%d/%m/%Y %H:%M'"
        ) from error
    bad = times.isna().to_numpy()
    if bad.any():
        expected = options.time_format or "ISO 8601, such as 2024-01-31 23:50"
        raise InputError(
            f"{_cell(text, bad, file)}: {text.iloc[np.argmax(bad)]!r} is not a time ({expected}); "
            "correct it, or say the option `time_format`, such as '%d/%m/%Y %H:%M'"
        )
    return times


def _zones(text: pd.Series) -> pd.Series:
    offsets = text.str.extract(_OFFSET, expand=False).str.upper().str.replace(":", "", regex=False)
    return offsets.mask(offsets.isin(_UTC), "UTC").fillna(_NO_ZONE)


def _check_zone(column: pd.Series, zones: pd.Series, file: TableFile, zone: Zone) -> None:
    if zones.empty:
        return
    zone.name = zone.name or str(zones.iloc[0])
    other = (zones != zone.name).to_numpy(dtype=bool)
    if other.any():
        raise InputError(
            f"{_cell(column, other, file)}: {zones.iloc[np.argmax(other)]}, but the rows before have "
            f"{zone.name}; write all times in one zone"
        )


def _cell(column: pd.Series, wrong: np.ndarray, file: TableFile) -> str:
    return f"{where_first(file, column.index, wrong)}, column {str(column.name)!r}"
