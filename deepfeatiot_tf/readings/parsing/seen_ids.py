"""Ids that have passed, over any number of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.table_file import TableFile


class SeenIds:
    """Remembers ids as 64-bit hashes, 8 bytes each: 80 MB for ten million sensors.

    Two different ids among ten million share a hash with a chance of 3 in a million.
    Hashes lie in sorted runs of growing length, merged as in a merge sort, so that adding stays fast.
    """

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def add(self, ids: np.ndarray) -> int | None:
        """Adds ids that differ from one another; returns the position of the first that was there before."""
        hashes = pd.util.hash_array(ids.astype(object), categorize=False)
        old = np.zeros(len(hashes), dtype=bool)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            old |= run[at] == hashes
        if old.any():
            return int(np.argmax(old))
        if len(hashes):
            self._runs.append(np.sort(hashes))
        while len(self._runs) > 1 and len(self._runs[-2]) <= len(self._runs[-1]):
            self._runs[-2:] = [np.sort(np.concatenate(self._runs[-2:]), kind="stable")]
        return None


def check_spaces(ids: np.ndarray, file: TableFile) -> None:
    """An `InputError` where two ids differ by the space around them alone: one sensor would be read as two."""
    first: dict[str, str] = {}
    for id in ids:
        other = first.setdefault(id.strip(), id)
        if other != id:
            raise InputError(f"{file.path}: ids {other!r} and {id!r} differ by outer space alone; write them alike")


def without_spaces(ids: np.ndarray) -> np.ndarray:
    """The ids as `SeenIds` is to know them over the parts of a table, in each of which `check_spaces` has looked."""
    return np.array([id.strip() for id in ids], dtype=object)
