"""What the benchmark scripts share: validation parts, where tables go, which machine and versions made them."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pandas as pd

import deepfeatiot_tf as dfi
from deepfeatiot_tf.files import write_beside

RESULTS = Path(__file__).parent / "results"


def circumstances() -> dict[str, str | int]:
    """Columns that every table carries: command, cores, versions."""
    command = shlex.join(["python", *(os.path.relpath(a) if os.path.exists(a) else a for a in sys.argv)])
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "keras": version("keras"),
        "command": command,
    }


def validation_parts(data: str, parts: int) -> Iterator[tuple[int, dfi.SensorReadings, dfi.SensorReadings]]:
    """What to choose on: the training part of the published split, cut into 70 % to learn from and 30 % to judge on.

    Args:
        data: a public data set, by its name.
        parts: how many such cuts.

    Yields:
        the number of the cut, what to learn from, and what to judge on.
    """
    outside, _, _ = dfi.split(dfi.load_dataset(data), test="paper", validation=0)
    for part in range(parts):
        learned, _, judged = dfi.split(outside, seed=part, test=0.3, validation=0)
        yield part, learned, judged


def write_table(rows: list[dict], path: Path) -> pd.DataFrame:
    """Write `rows` with the circumstances beside and rename; print what was measured."""
    table = pd.DataFrame(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_beside(path, lambda beside: table.assign(**circumstances()).to_csv(beside, index=False))
    print(table.to_string(index=False))
    return table


class Cells:
    """Rows of a table that is written after each, so that a broken run goes on with the same command.

    Args:
        path: of the CSV file.
        key: the columns that tell rows apart.
    """

    def __init__(self, path: Path, key: list[str]) -> None:
        self.path = path
        self.key = key
        self.table = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=key)

    def __contains__(self, cell: tuple) -> bool:
        return cell in set(self.table[self.key].itertuples(index=False, name=None))

    def add(self, cell: tuple, **found: object) -> None:
        """Write the row of this key, with the circumstances."""
        row = pd.DataFrame([dict(zip(self.key, cell, strict=True)) | found | circumstances()])
        self.table = row if self.table.empty else pd.concat([self.table, row], ignore_index=True)
        write_beside(self.path, lambda beside: self.table.to_csv(beside, index=False))
        print(*(f"{name}={value}" for name, value in row.iloc[0].drop(list(circumstances())).items()), flush=True)
