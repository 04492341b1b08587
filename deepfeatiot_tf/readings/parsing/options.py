"""The options of `read_table`, checked once and handed down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.cells import CellRules

LAYOUTS = ("auto", "wide", "long", "folder")
EMPTY = ("error", "keep")
FOLDER_LABEL = "folder"
TAB = ("\\t", "tab")  # as people write it on a command line


@dataclass(frozen=True)
class TableOptions:
    """What the user said about a table; the fields are explained in `read_table`."""

    label: str | None
    metadata: tuple[str, ...]
    id: str | None
    readings: str | tuple[str, ...] | None
    layout: str
    time: str | None
    value: str | None
    period: pd.Timedelta | None
    time_format: str | None
    cells: CellRules
    empty: str
    repair_text: bool
    delimiter: str | None
    encoding: str
    sheet: str | int | None
    class_names: tuple[str, ...] | None
    name: str | None

    @property
    def is_long(self) -> bool:
        """Whether a file is read as a row per reading."""
        return self.layout == "long" or (self.layout == "auto" and bool(self.time or self.value))

    @property
    def text(self) -> tuple[str, ...]:
        """Of `named`, the columns to be read as written: 007 is no number there, nor a time whose format is named."""
        return tuple(column for column in self.named if column != self.time or self.time_format is not None)

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that the user gave a role other than readings."""
        roles = (self.label, self.id, self.time, *self.metadata)
        return tuple(column for column in roles if column is not None)


def check_options(
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
    missing: object | Iterable[object] = (),
    empty: str = "error",
    repair_text: bool = True,
    decimal: str = ".",
    delimiter: str | None = None,
    encoding: str = "utf-8",
    sheet: str | int | None = None,
    class_names: Sequence[str] | None = None,
    name: str | None = None,
) -> TableOptions:
    """The options in one form, or an `InputError` for one that cannot be."""
    _one_of("layout", layout, LAYOUTS)
    _one_of("empty", empty, EMPTY)
    _one_of("decimal", decimal, (".", ","))
    if layout == "wide" and (time or value or period):
        raise InputError("time, value and period belong to long tables; leave them out, or say layout='long'")
    if readings is not None and not readings:
        raise InputError("readings names no column; name some, or leave it out")
    if label is not None and label in ((metadata,) if isinstance(metadata, str) else metadata or ()):
        raise InputError(f"column {label!r} is named as label and as metadata, which would tell the label; choose one")
    if time is not None and time == value:
        raise InputError(f"column {time!r} is named as time and as value; choose one")
    marks = missing if isinstance(missing, Iterable) and not isinstance(missing, str) else [missing]
    return TableOptions(
        label=label,
        metadata=(metadata,) if isinstance(metadata, str) else tuple(metadata or ()),
        id=id,
        readings=readings if isinstance(readings, str | None) else tuple(str(column) for column in readings),
        layout=layout,
        time=time,
        value=value,
        period=_period(period),
        time_format=time_format,
        cells=CellRules.from_marks(marks, decimal),
        empty=empty,
        repair_text=bool(repair_text),
        delimiter=_delimiter(delimiter),
        encoding=encoding,
        sheet=sheet,
        class_names=None if class_names is None else tuple(str(c) for c in class_names),
        name=name,
    )


def _one_of(option: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise InputError(f"{option} is {given!r}; say one of {', '.join(map(repr, known))}")


def _delimiter(given: str | None) -> str | None:
    if given in TAB:
        return "\t"
    if given is not None and (len(given) != 1 or given in '"\r\n'):
        raise InputError(f"delimiter is {given!r}; say one character, such as ';', or 'tab'")
    return given


def _period(given: str | pd.Timedelta | None) -> pd.Timedelta | None:
    if given is None:
        return None
    try:
        period = pd.Timedelta(given)
    except ValueError as error:
        raise InputError(f"period {given!r} is not a length of time; say it like '10min', '1h' or '1D'") from error
    if not period >= pd.Timedelta(1, "us"):  # also catches NaT
        raise InputError(f"period {given!r} is too short; say it like '10min', '1h' or '1D'")
    return period
