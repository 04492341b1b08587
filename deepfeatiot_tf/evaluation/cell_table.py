"""Finished cells of a protocol in a CSV file, so that a broken run can go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.files import make_folder, write_beside

ProtocolName = Literal["honest", "paper"]
KEY = ("system", "data", "checksum", "protocol", "split", "seed")
# What reports and the time left are reckoned from.
NUMBERS = ("accuracy", "macro_f1", "fit_seconds")
OTHER_NUMBERS = ("predict_seconds", "log_loss", "ece", "epochs", "best_epoch", "parameters", "peak_memory_mb")
NO_MARKERS: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}  # a system may be called "None"


class CellTableError(InputError):
    """The table itself is why a cell cannot be had, so that no other could be kept, either."""


class CellTable:
    """The cells in one CSV file; with `path` None, none are found and none are kept.

    Args:
        path: made on the first `add`; one process at a time may write it.

    Raises:
        InputError: the file is there, but is no such table.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._cells = pd.DataFrame(columns=list(KEY))
        if path is not None and path.exists():
            self._cells = _read(path)

    @property
    def cells(self) -> pd.DataFrame:
        """All of them, one row each."""
        return self._cells.copy()

    def find(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The cell whose `KEY` columns equal `key`, or None."""
        same = pd.Series(True, index=self._cells.index)
        for column in KEY:
            same &= self._cells[column] == key[column]
        found = self._cells[same]
        return None if found.empty else dict(found.iloc[-1])

    def keep(
        self,
        key: Mapping[str, Any],
        make: Callable[[], Mapping[str, Any]],
        settings: Mapping[str, Any] | None = None,
        system: Any = None,
        validation: float | None = None,
    ) -> dict[str, Any]:
        """The cell of this key, made and added if there is none yet.

        Args:
            key: its `KEY` columns.
            make: gives the other columns.
            settings: what decides the cell beside its key. Default: none are kept, and none compared.
            system: that `make` trains. One with an attribute `unfinished` gets a file there, which is known by key,
                settings, validation, the system's own numbers and the versions of Keras and TensorFlow. Default: none.
            validation: share of the validation part. Default: not known.

        Raises:
            CellTableError: the cell in the file was made with other settings.
        """
        text = None if settings is None else json.dumps(dict(settings), sort_keys=True)
        found = self.find(key)
        if found is None:
            with self._resumable(system, [[str(key[column]) for column in KEY], text, validation]):
                found = {**key, **make(), **({} if text is None else {"settings": text})}
                self.add(found)
        elif text is not None and isinstance(found.get("settings"), str) and found["settings"] != text:
            raise CellTableError(
                f"{self.path}: holds {key['system']} on {key['data']} with the settings {found['settings']}, not "
                f"{text}; give the same settings to go on, or another folder"
            )
        return found

    @contextmanager
    def _resumable(self, system: Any, facts: Sequence[Any]) -> Iterator[None]:
        """Inside, a system that can go on where its training was killed has the file for it; afterwards it is gone."""
        if self.path is None or not hasattr(system, "unfinished"):
            yield
            return
        make_folder(self.path.parent)
        plain = {
            name: value
            for name, value in vars(system).items()
            if isinstance(value, int | float | str) and not name.startswith("_")
        }
        names = json.dumps([facts, plain, version("keras"), version("tensorflow")], sort_keys=True, default=str)
        digest = hashlib.sha256(names.encode()).hexdigest()[:12]
        system.unfinished = self.path.with_name(f"{self.path.stem}.{digest}.unfinished.npz")
        try:
            yield
            system.unfinished.unlink(missing_ok=True)
        finally:
            system.unfinished = None

    def add(self, cell: Mapping[str, Any]) -> None:
        """Keep a cell: afterwards the file has it, or is as it was.

        Raises:
            CellTableError: the file cannot be written.
        """
        if self.path is None:
            return
        row = pd.DataFrame([cell])
        self._cells = row if self._cells.empty else pd.concat([self._cells, row], ignore_index=True)
        try:
            make_folder(self.path.parent)
            write_beside(self.path, lambda beside: self._cells.to_csv(beside, index=False))
        except InputError as error:
            raise CellTableError(str(error)) from error


def _read(path: Path) -> pd.DataFrame:
    text = {column: str for column in KEY if column != "seed"}
    try:
        cells = pd.read_csv(path, dtype={**text, "seed": int}, float_precision="round_trip", **NO_MARKERS)
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: not a table of cells ({reason}); name another file") from error
    missing = [column for column in (*KEY, *NUMBERS) if column not in cells]
    if missing:
        raise InputError(f"{path}: not a table of cells, column {missing[0]!r} is missing; name another file")
    for column in (*NUMBERS, *(each for each in OTHER_NUMBERS if each in cells)):
        if not pd.api.types.is_numeric_dtype(cells[column]):
            raise InputError(f"{path}: not a table of cells, column {column!r} is not of numbers; name another file")
    try:
        cells.get("f1_by_class", pd.Series(dtype=object)).dropna().map(json.loads)
    except ValueError as error:
        where = f"{path}: not a table of cells, column 'f1_by_class'"
        raise InputError(f"{where} is not of JSON; name another file") from error
    unknown = ~(
        cells["protocol"].isin(get_args(ProtocolName)) & cells["split"].str.fullmatch("paper|transfer|resample .+")
    )
    if unknown.any():
        row = cells[unknown].iloc[0]
        raise InputError(
            f"{path}: has a cell of the protocol {row['protocol']!r} and the split {row['split']!r}, which there are "
            "not; correct them, or name another file"
        )
    return cells
