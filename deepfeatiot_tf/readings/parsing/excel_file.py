"""Excel workbooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.table_file import SAMPLE_ROWS, unique_names


class ExcelFile:
    """One sheet of a workbook, held whole (the format allows a million rows at most); see `TableFile`."""

    def __init__(self, path: Path, options: TableOptions) -> None:
        self.path = path
        try:
            with pd.ExcelFile(path, engine="openpyxl") as workbook:
                sheet = _sheet(options.sheet, [str(name) for name in workbook.sheet_names], path)
                # As the cells are: a text of digits stays one.
                cells = workbook.parse(sheet, header=None, dtype=object)
        except InputError:
            raise
        except Exception as error:  # a damaged workbook fails anywhere in zipfile, XML or openpyxl
            raise InputError(
                f"{path}: not a whole Excel workbook, cut off or damaged ({type(error).__name__}); save it again"
            ) from error
        filled = cells.notna().to_numpy()
        if not filled.any():
            raise InputError(f"{path}: sheet {sheet!r} is empty; give a table with a header, or say the option `sheet`")
        self._above, left = int(filled.any(axis=1).argmax()), int(filled.any(axis=0).argmax())
        end = int(np.flatnonzero(filled[self._above]).max()) + 1
        surplus = filled[:, end:].any(axis=1)
        if surplus.any():
            row = f"{path}, row {int(surplus.argmax()) + 1}"
            raise InputError(f"{row}: more cells than the {end - left} of the header; complete the header")
        header = cells.iloc[self._above, left:end]
        self.columns = unique_names(header.where(header.notna(), "").tolist())
        frame = cells.iloc[self._above + 1 :, left:end].reset_index(drop=True).infer_objects()
        frame = frame.set_axis(self.columns, axis="columns")
        # Where a row is one cell, an empty one is a missing reading.
        self._frame = frame if len(self.columns) == 1 else frame.dropna(how="all")

    def sample(self) -> pd.DataFrame:
        """See `TableFile`."""
        return self._frame.head(SAMPLE_ROWS)

    def chunks(self, rows: int | None, text: Sequence[str], numbers: Sequence[str]) -> Iterator[pd.DataFrame]:
        """See `TableFile`."""
        frame = self._frame[[*dict.fromkeys([*text, *numbers])]]
        step = rows or max(len(frame), 1)
        for start in range(0, len(frame), step):
            yield frame.iloc[start : start + step]

    def where(self, row: int) -> str:
        """See `TableFile`."""
        return f"{self.path}, row {self._above + row + 2}"


def _sheet(wanted: str | int | None, names: list[str], path: Path) -> str:
    if wanted is None:
        return names[0]
    if str(wanted) in names:
        return str(wanted)
    if isinstance(wanted, int) and 0 <= wanted < len(names):
        return names[wanted]
    raise InputError(f"{path}: no sheet {wanted!r}; there are {', '.join(map(repr, names))}")
