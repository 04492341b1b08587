"""Which columns of a table are what."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.cells import looks_decimal_comma, survey
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.table_file import TableFile, is_unnamed, repeated_names

logger = logging.getLogger(__name__)

_NUMBERED = re.compile(r"(.*?)(\d+)")
_DECIMAL = re.compile(r"[+-]?\d+\.\d+")
_HOW_TO_SAY = "say which with the option `readings`: a prefix, 'first:last', or a list of names"


def require(file: TableFile, column: str | None, role: str) -> None:
    """An `InputError` where a column that the user named is not there, or is there twice."""
    if column is None:
        return
    if column not in file.columns:
        close = difflib.get_close_matches(column, file.columns, n=3, cutoff=0.6)
        others = close or file.columns
        shown = ", ".join(map(repr, others[:8])) + (f" … ({len(others)} in all)" if len(others) > 8 else "")
        hint = f"did you mean {shown}?" if close else f"there are {shown}"
        raise InputError(f"{file.path}: no {role} column {column!r}; {hint}")
    _require_once(file, [column])


def _require_once(file: TableFile, columns: Sequence[str]) -> None:
    twice = repeated_names(file.columns).intersection(columns)
    if twice:
        raise InputError(f"{file.path}: column {min(twice)!r} stands twice in the header; rename one")


def require_rows(file: TableFile, sample: pd.DataFrame) -> None:
    """An `InputError` where the table is nothing but a header."""
    if sample.empty:
        raise InputError(f"{file.path}: a header and no rows below it; give at least one row")


def reading_columns(file: TableFile, options: TableOptions, sample: pd.DataFrame) -> list[str]:
    """The columns of a wide table that hold readings, in the order of time.

    Raises:
        InputError: there are none, or what the user or the header says is ambiguous.
    """
    if options.readings is None:
        columns = _detect(file, options, sample)
    elif isinstance(options.readings, str):
        columns = _named_by(options.readings, file, options)
    else:
        columns = list(options.readings)
        for column in columns:
            require(file, column, "reading")
    _require_once(file, columns)
    if options.label in columns:
        raise InputError(f"{file.path}: column {options.label!r} is named as label and as reading; choose one")
    return columns


def _named_by(given: str, file: TableFile, options: TableOptions) -> list[str]:
    """A single column, the columns from `first:last`, or all that start with a prefix."""
    if given in file.columns:
        return [given]
    for colon in re.finditer(":", given):  # a name such as 00:15 may hold colons itself
        first, last = given[: colon.start()], given[colon.end() :]
        if first in file.columns and last in file.columns:
            span = file.columns[file.columns.index(first) : file.columns.index(last) + 1]
            columns = [column for column in span if column not in options.named]
            if not columns:
                raise InputError(f"{file.path}: no column of readings from {first!r} to {last!r}; {_HOW_TO_SAY}")
            return columns
    columns = [c for c in file.columns if c.startswith(given) and c not in options.named]
    if not columns:
        raise InputError(f"{file.path}: no column starts with {given!r}; {_HOW_TO_SAY}")
    ends = [column.removeprefix(given) for column in columns]
    return sorted(columns, key=lambda c: int(c.removeprefix(given))) if all(map(str.isdecimal, ends)) else columns


def _detect(file: TableFile, options: TableOptions, sample: pd.DataFrame) -> list[str]:
    free = [c for c in file.columns if c not in options.named and not is_unnamed(c)]
    numeric, text = survey(sample, options.cells)
    _require_header(file, [c for c in free if c in numeric])
    numbered = _numbered(free)
    groups = {prefix: columns for prefix, columns in numbered.items() if len(columns) > 1}
    readings = {
        prefix: columns
        for prefix, columns in groups.items()
        if sum(c in numeric for c in columns) > sum(c in text for c in columns)
    }
    if not readings:
        unnumbered = [c for c in free if c in numeric]
        mixed = next((prefix for prefix, columns in groups.items() if numeric.intersection(columns)), None)
        if mixed is not None:
            hint = _decimal_comma_hint(sample[groups[mixed]]) or _HOW_TO_SAY
            raise InputError(f"{file.path}: the columns {mixed}… hold numbers and text; {hint}")
        return _all_numeric(file, unnumbered, sample[free])
    best = max(readings, key=lambda prefix: len(readings[prefix]))
    rivals = [
        prefix
        for prefix, columns in readings.items()
        if prefix != best
        and (shape_of(prefix) == shape_of(best) or 2 * sum(c in numeric for c in columns) >= len(readings[best]))
    ]
    # The last of January alone, before all of February, is a reading like these.
    rivals += [
        prefix
        for prefix, columns in numbered.items()
        if prefix not in groups and shape_of(prefix) == shape_of(best) and numeric.issuperset(columns)
    ]
    if rivals:
        shown = ", ".join(f"{prefix}… ({len(numbered[prefix])})" for prefix in [best, *rivals][:4])
        raise InputError(f"{file.path}: several groups of numbered columns ({shown}); {_HOW_TO_SAY}")
    return _without_gap(readings[best], best, file)


def _require_header(file: TableFile, numeric: Sequence[str]) -> None:
    """An `InputError` where the names of columns are readings themselves; bare integers are names."""
    if 2 * sum(_DECIMAL.fullmatch(column) is not None for column in numeric) > len(numeric):
        raise InputError(f"{file.path}: the first line holds readings; put a header before it, or {_HOW_TO_SAY}")


def _numbered(columns: Sequence[str]) -> dict[str, list[str]]:
    """The columns that end in a number, by what is before it; sorted by that number."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for column in columns:
        match = _NUMBERED.fullmatch(column)
        if match:
            groups.setdefault(match[1], []).append((int(match[2]), column))
    return {prefix: [column for _, column in sorted(group)] for prefix, group in groups.items()}


def shape_of(prefix: str) -> str:
    """A name without its digits: 2024-01- and 2024-02- are dates of one series."""
    return re.sub(r"\d+", "#", prefix)


def _without_gap(columns: list[str], prefix: str, file: TableFile) -> list[str]:
    for before, after in pairwise(columns):
        if int(after.removeprefix(prefix)) != int(before.removeprefix(prefix)) + 1:
            raise InputError(
                f"{file.path}: the numbered columns jump from {before!r} to {after!r}, "
                f"so it is not clear which are readings; {_HOW_TO_SAY}"
            )
    logger.info("%s: %d readings, %r to %r", file.path, len(columns), columns[0], columns[-1])
    return columns


def _all_numeric(file: TableFile, numeric: list[str], free: pd.DataFrame) -> list[str]:
    if numeric:
        logger.warning(
            "%s: no numbered columns, so all columns of numbers are taken as readings: %r to %r (%d); "
            "to choose others, %s",
            *(file.path, numeric[0], numeric[-1], len(numeric), _HOW_TO_SAY),
        )
        return numeric
    hint = _decimal_comma_hint(free) or _HOW_TO_SAY
    raise InputError(f"{file.path}: no reading columns among the {len(file.columns)} columns; {hint}")


def _decimal_comma_hint(columns: pd.DataFrame) -> str:
    if any(looks_decimal_comma(columns[column]) for column in columns):
        return "the numbers have decimal commas; say so with the option `decimal`: ','"
    return ""
