"""The cells of a comparison: every data set × protocol × seed × system, each kept when it is done."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.cell_table import CellTable
from deepfeatiot_tf.evaluation.protocols import ProtocolName, SplitRule, run_protocol
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

logger = logging.getLogger(__name__)

# Told before each cell and at the end: what comes, cells done, cells in all, seconds left (None: not known yet).
OnCell = Callable[[str, int, int, float | None], None]


@dataclass(frozen=True)
class Grid:
    """What is compared.

    Args:
        readings: the data sets.
        systems: by name.
        protocols: any of `"honest"`, `"paper"`. Default: the honest one.
        splits: see `run_protocol`. Default `"paper"`.
        seeds: number of cells of each kind, with the seeds 0, 1, …. Default 3.
        training: of the networks.

    Raises:
        InputError: no data, two data sets of one name, or no seed.
    """

    readings: Sequence[SensorReadings]
    systems: Mapping[str, SystemEntry]
    protocols: Sequence[ProtocolName] = ("honest",)
    splits: SplitRule = "paper"
    seeds: int = 3
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        names = [readings.name for readings in self.readings]
        if not names:
            raise InputError("no data to compare on; name some with --data")
        if len(set(names)) < len(names):
            raise InputError(f"data {max(names, key=names.count)!r} is named twice; give each once")
        if self.seeds < 1:
            raise InputError(f"seeds is {self.seeds}; give at least 1")


def run_grid(grid: Grid, table: Path, on_cell: OnCell | None = None) -> tuple[pd.DataFrame, dict[str, str]]:
    """Run every cell that the table does not have yet, one seed of everything before the next.

    A system that cannot be built, or that fails, costs its own cells on that data set only: the rest is run.

    Args:
        grid: what to run.
        table: CSV file of the finished cells; given again, it is gone on with.
        on_cell: to show progress. Default: nothing is shown.

    Returns:
        all cells of the table, those of earlier calls included, one row each as `ProtocolResult` explains them; and why
        cells of this grid are not among them: reasons by system, or by `system on data`.

    Raises:
        InputError: the table cannot be used, or holds cells of other settings; or no cell could be run at all.
    """
    cells: list[dict[str, Any]] = []
    reasons = {entry.title: _unusable(entry) for entry in grid.systems.values() if _unusable(entry)}
    usable = [entry for entry in grid.systems.values() if entry.title not in reasons]
    plan = list(itertools.product(range(grid.seeds), grid.readings, grid.protocols, usable))
    for done, (seed, readings, protocol, entry) in enumerate(plan):
        where = f"{entry.title} on {readings.name}"
        if where in reasons:
            continue
        if on_cell:
            on_cell(f"{where}, {protocol}, seed {seed}", done, len(plan), seconds_left(cells, plan[done:]))
        try:
            result = run_protocol(
                entry.build(grid.training),
                readings,
                name=entry.title,
                protocol=protocol,
                splits=grid.splits,
                seeds=[seed],
                table=table,
                settings=entry.settings(grid.training),
            )
        except InputError:
            raise  # the data or the table, not the system
        except Exception as error:  # whatever a peer's library throws at data that it was not made for
            reasons[where] = " ".join(f"{type(error).__name__}: {error}".split())
            logger.error("%s: %s", where, reasons[where])
            logger.info("where it happened", exc_info=True)
            continue
        cells.append(dict(result.cells.iloc[0]))
    if on_cell:
        on_cell("done", len(plan), len(plan), 0.0)
    if not cells:
        raise InputError("no cell could be run: " + "; ".join(f"{what}: {why}" for what, why in reasons.items()))
    return CellTable(table).cells, reasons


def seconds_left(
    cells: Sequence[Mapping[str, Any]], pending: Sequence[tuple[int, SensorReadings, str, SystemEntry]]
) -> float | None:
    """What the pending cells will take, by what finished ones took.

    Args:
        cells: finished.
        pending: not finished; like finished ones of the same system and data, else of the same system, else of all.

    Returns:
        seconds; None before the first cell is finished.
    """
    if not cells:
        return None
    took = pd.DataFrame(cells).assign(seconds=lambda each: each["fit_seconds"] + each["predict_seconds"])
    alike = took.groupby(["system", "data"])["seconds"].mean().to_dict()
    of_system = took.groupby("system")["seconds"].mean().to_dict()
    everything = float(took["seconds"].mean())
    return float(
        np.sum(
            [
                alike.get((entry.title, readings.name), of_system.get(entry.title, everything))
                for _, readings, _, entry in pending
            ]
        )
    )


def _unusable(entry: SystemEntry) -> str:
    if entry.make is None:
        return entry.absent
    return f"needs {entry.missing} (extra {entry.extra})" if entry.missing else ""
