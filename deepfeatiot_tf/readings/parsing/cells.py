"""From cells to float32 readings and to text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.table_file import TableFile
from deepfeatiot_tf.readings.parsing.text_repair import repaired

MISSING_WORDS = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "#n/a"})
TRUTH = {"true": 1.0, "false": 0.0}
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


@dataclass(frozen=True)
class CellRules:
    """What counts as a number and what as no reading.

    Args:
        missing_numbers: values that mean "no reading".
        missing_texts: further words that mean it, beside `MISSING_WORDS`.
        decimal: `"."` or `","`.
    """

    missing_numbers: tuple[float, ...] = ()
    missing_texts: frozenset[str] = frozenset()
    decimal: str = "."

    @classmethod
    def from_marks(cls, marks: Iterable[object], decimal: str) -> CellRules:
        """Rules for the user's marks of a missing reading; `-999` and `"-999"` are the same mark."""
        texts = frozenset(str(mark).strip() for mark in marks)
        numbers = [cls(decimal=sign).number(text) for text in texts for sign in {decimal, "."}]  # a float has a point
        return cls(tuple({n for n in numbers if n is not None and not math.isnan(n)}), texts, decimal)

    def number(self, cell: object) -> float | None:
        """A cell as a number, NaN for no reading, None where it is neither."""
        if isinstance(cell, str):
            text = cell.strip()
            if text in self.missing_texts or text.lower() in MISSING_WORDS:
                return math.nan
            if self.decimal != ".":
                text = text.replace(".", "_").replace(self.decimal, ".")
            if "_" in text:  # Python reads 1_000 as a number
                return None
            if text.lower() in TRUTH:  # as pandas reads a column of nothing else
                return TRUTH[text.lower()]
        elif cell is None or cell is pd.NA or cell is pd.NaT:
            return math.nan
        elif isinstance(cell, Real) or hasattr(cell, "as_tuple"):  # the latter is a Decimal
            text = str(cell)
        else:
            return None
        try:
            return float(text)
        except ValueError:
            return float(cell) if isinstance(cell, bool | np.bool_) else None


def numbers(frame: pd.DataFrame, rules: CellRules, file: TableFile) -> np.ndarray:
    """The cells of a frame as float32 `[rows, columns]`, NaN where there is no reading.

    Raises:
        InputError: a cell holds text, an infinite value, or one beyond float32.
    """
    values = _parse(frame, rules, file)
    with np.errstate(over="ignore"):
        readings = values.astype(np.float32)
        for mark in rules.missing_numbers:
            # a mark such as -999.9 may have been rounded to float32 by whoever wrote the file
            rounded = np.float32(mark)
            readings[(values == mark) | ((readings == rounded) & np.isfinite(rounded))] = np.nan
    if np.isinf(readings).any():
        row, column = np.argwhere(np.isinf(readings))[0]
        value = values[row, column]
        problem = "is infinite" if np.isinf(value) else "is beyond float32 (3.4e38)"
        raise InputError(
            f"{_cell(frame, row, column, file)}: {value:g} {problem}; "
            "correct it, or name it in the option `missing` if it means no reading"
        )
    return readings


def survey(frame: pd.DataFrame, rules: CellRules) -> tuple[set[str], set[str]]:
    """The columns that hold numbers and those that hold text, by the half of the cells that say something.

    A column in neither says nothing.
    """
    filled = set(frame.columns[frame.notna().any()])
    numeric: set[str] = set()
    text: set[str] = set()
    for name, dtype in frame.dtypes.items():
        if name not in filled:
            continue
        if pd.api.types.is_numeric_dtype(dtype):
            numeric.add(str(name))
            continue
        parsed = [rules.number(cell) for cell in frame[name]]
        said = [number is not None for number in parsed if number is None or not math.isnan(number)]
        if said:
            (numeric if 2 * sum(said) >= len(said) else text).add(str(name))
    return numeric, text


def looks_decimal_comma(column: pd.Series) -> bool:
    """Whether some cell is a number written with a decimal comma."""
    return any(isinstance(cell, str) and _DECIMAL_COMMA.fullmatch(cell.strip()) for cell in column)


def texts(column: pd.Series) -> np.ndarray:
    """The cells as str, None where there is nothing; a whole number read as 3.0 is `"3"`."""
    cells = column.astype(object).where(column.notna(), None)
    return np.array([_text(cell) for cell in cells], dtype=object)


def label_texts(column: pd.Series) -> np.ndarray:
    """As `texts`, without outer space and without the ".0" that integers get beside missing cells."""
    cells = [cell.strip() if cell is not None else "" for cell in texts(column)]
    return np.array([_WHOLE.sub(r"\1", c) if _WHOLE.fullmatch(c) else c or None for c in cells], dtype=object)


def joined_texts(frame: pd.DataFrame, repair: bool) -> np.ndarray:
    """The texts of each row, each of them repaired if asked for, joined by a space; `""` where there is none."""
    columns = [texts(frame[column]) for column in frame]
    if repair:
        columns = [np.array([cell and repaired(cell) for cell in column], dtype=object) for column in columns]
    return np.array([" ".join(cell for cell in row if cell) for row in zip(*columns, strict=True)], dtype=object)


def _text(cell: object) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bytes):  # texts of Parquet files of old
        return cell.decode("utf-8", errors="backslashreplace")
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _parse(frame: pd.DataFrame, rules: CellRules, file: TableFile) -> np.ndarray:
    if all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes):
        return frame.to_numpy(np.float64, na_value=np.nan)
    values = np.empty(frame.shape)
    bad: list[tuple[int, int]] = []
    for j, (_, column) in enumerate(frame.items()):
        if pd.api.types.is_numeric_dtype(column.dtype):
            values[:, j] = column.to_numpy(np.float64, na_value=np.nan)
            continue
        parsed = [rules.number(cell) for cell in column]
        if None in parsed:
            bad.append((parsed.index(None), j))
        else:
            values[:, j] = parsed
    if bad:
        row, j = min(bad)
        raise InputError(f"{_cell(frame, row, j, file)}: {_why_no_number(frame.iloc[row, j], rules)}")
    return values


def _cell(frame: pd.DataFrame, row: int, column: int, file: TableFile) -> str:
    return f"{file.where(frame.index[row])}, column {frame.columns[column]!r}"


def _why_no_number(cell: object, rules: CellRules) -> str:
    shown = str(cell)
    shown = repr(shown if len(shown) <= 40 else shown[:37] + "...")
    if rules.decimal == "." and _DECIMAL_COMMA.fullmatch(str(cell).strip()):
        return f"{shown} looks like a decimal comma; say so with the option `decimal`: ','"
    if rules.decimal == "," and rules.number(str(cell).replace(".", ",")) is not None:
        return f"{shown} has a decimal point; leave out the option `decimal`"
    return f"{shown} is not a number; correct it, or name it in the option `missing` if it means no reading"
