"""What CSV, Parquet and Excel files have in common once opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

SAMPLE_ROWS = 200


class TableFile(Protocol):
    """A table on disk that can be read from the start as often as needed.

    Every frame's index holds the row's position in the file, from 0, so that any row can be found again.

    Attributes:
        path: as the user gave it.
        columns: the header; see `unique_names`.
    """

    path: Path
    columns: list[str]

    def sample(self) -> pd.DataFrame:
        """The first rows, to decide from what the columns hold."""

    def chunks(self, rows: int | None, text: Sequence[str], numbers: Sequence[str]) -> Iterator[pd.DataFrame]:
        """The table in frames of `rows` rows, or in one frame.

        Args:
            rows: of each frame; None for all at once.
            text: columns whose cells are wanted as written ("007" stays "007").
            numbers: further columns that are wanted. There may be others in the frames.
        """

    def where(self, row: int) -> str:
        """A place to put before an error: the file and the row, as a person counts it."""


_REPEATED = "(again, column {})"


def where_first(file: TableFile, index: pd.Index, wrong: np.ndarray) -> str:
    """The place of the first row that is wrong."""
    return file.where(int(index.to_numpy()[np.argmax(wrong)]))


def unique_names(header: Sequence[object]) -> list[str]:
    """Column names as text; a name that has stood before and an empty one are marked with their position."""
    names: list[str] = []
    seen: set[str] = set()
    for position, cell in enumerate(header, start=1):
        name = str(cell)
        if name in seen:
            name = f"{name} {_REPEATED.format(position)}"
        elif not name:
            name = f"(no name, column {position})"
        names.append(name)
        seen.add(name)
    return names


def repeated_names(columns: Sequence[str]) -> set[str]:
    """The names that stand more than once in the header that `unique_names` was given."""
    start = _REPEATED.partition("{}")[0]
    return {name for name, mark, _ in (column.rpartition(f" {start}") for column in columns) if mark}


def is_unnamed(name: str) -> bool:
    """Whether a column has no name, as the row numbers that pandas writes."""
    return name.startswith("(no name, column ") or name.startswith("__index_level_")
