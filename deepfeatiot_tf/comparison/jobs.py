"""Cells one after the other: each kept when it is done, a failing one no reason to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.cell_table import CellTable, CellTableError
from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training
from deepfeatiot_tf.files import make_folder

logger = logging.getLogger(__name__)

# Told before each cell and at the end: what comes, cells done, cells in all, seconds left (None: not known yet).
OnCell = Callable[[str, int, int, float | None], None]


@dataclass(frozen=True)
class Job:
    """One cell to run.

    Args:
        entry: the system.
        data: name of the data.
        what: which of the system's cells on this data, in words.
        run: gives the cell, from the table or by training the system.
    """

    entry: SystemEntry
    data: str
    what: str
    run: Callable[[System], Mapping[str, Any]]


def run_jobs(
    jobs: Sequence[Job], training: Training, table: Path, on_cell: OnCell | None = None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Run the cells that the table does not have yet.

    A system that cannot be built costs all its cells, one that fails on some data its cells there: the rest is run.

    Args:
        jobs: in their order.
        training: of the networks.
        table: CSV file of the cells, to which the jobs add.
        on_cell: to show progress. Default: nothing is shown.

    Returns:
        all cells of the table, those of earlier calls included, one row each as `ProtocolResult` explains them; and why
        cells of these jobs are not among them: reasons by system, or by `system on data`.

    Raises:
        InputError: the table cannot be used or has cells of other settings, or no cell could be run at all.
    """
    CellTable(table)  # an unusable one is refused before anything is trained
    make_folder(table.parent)
    reasons = {job.entry.title: _unusable(job.entry) for job in jobs if _unusable(job.entry)}
    plan = [job for job in jobs if job.entry.title not in reasons]
    cells: list[Mapping[str, Any]] = []
    for done, job in enumerate(plan):
        where = f"{job.entry.title} on {job.data}"
        if where in reasons:
            continue
        if on_cell:
            on_cell(f"{where}, {job.what}", done, len(plan), seconds_left(cells, plan[done:]))
        try:
            cells.append(job.run(job.entry.build(training)))
        except CellTableError:
            raise
        except Exception as error:  # whatever a peer's library throws at data that it was not made for
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            reasons[where] = " ".join(f"{kind}{error}".split())
            logger.error("%s: %s", where, reasons[where])
            logger.info("where it happened", exc_info=True)
    if not cells:
        raise InputError("no cell could be run: " + "; ".join(f"{what}: {why}" for what, why in reasons.items()))
    if on_cell:
        on_cell("done", len(plan), len(plan), 0.0)
    return _of_these_data(CellTable(table).cells, cells, table), reasons


def _of_these_data(kept: pd.DataFrame, mine: Sequence[Mapping[str, Any]], table: Path) -> pd.DataFrame:
    """The cells of the table without those of a data set as it was before it changed, which would be averaged in."""
    now = {cell["data"]: cell["checksum"] for cell in mine}
    same = [now.get(data, checksum) == checksum for data, checksum in zip(kept["data"], kept["checksum"], strict=True)]
    if not all(same):
        logger.warning("%s: %d cells are of data that have changed since, and left out", table, same.count(False))
    return kept[same].reset_index(drop=True)


def seconds_left(cells: Sequence[Mapping[str, Any]], pending: Sequence[Job]) -> float | None:
    """What the pending cells will take, by what finished ones took.

    Args:
        cells: finished.
        pending: not finished; like finished ones of the same system and data, else of the same system, else of all.

    Returns:
        seconds; None before the first cell is finished.
    """
    if not cells:
        return None
    took = pd.DataFrame(cells).assign(seconds=lambda each: each["fit_seconds"] + each.get("predict_seconds", 0))
    alike = took.groupby(["system", "data"])["seconds"].mean().to_dict()
    of_system = took.groupby("system")["seconds"].mean().to_dict()
    everything = took["seconds"].mean()
    return float(
        sum(alike.get((job.entry.title, job.data), of_system.get(job.entry.title, everything)) for job in pending)
    )


def _unusable(entry: SystemEntry) -> str:
    if entry.make is None:
        return entry.absent
    return f"needs {entry.missing} (extra {entry.extra})" if entry.missing else ""
