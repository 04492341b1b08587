"""The cells of a comparison: every data set × protocol × seed × system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from deepfeatiot_tf.comparison.jobs import Job, OnCell, run_jobs
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.protocols import ProtocolName, SplitRule, System, run_protocol
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


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
        InputError: no data, two data sets of one name, an unknown protocol or split rule, or no seed.
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
        for what, given, known in (
            ("protocol", self.protocols, get_args(ProtocolName)),
            ("splits", (self.splits,), get_args(SplitRule)),
        ):
            unknown = [each for each in given if each not in known]
            if unknown or not given:
                raise InputError(f"{what} {(*unknown, '')[0]!r} is unknown; give any of {', '.join(known)}")
        if self.seeds < 1:
            raise InputError(f"seeds is {self.seeds}; give at least 1")


def run_grid(grid: Grid, table: Path, on_cell: OnCell | None = None) -> tuple[pd.DataFrame, dict[str, str]]:
    """Run the cells that the table does not have yet, one seed of everything before the next; see `run_jobs`.

    A system that reads metadata has no cell on data without.

    Raises:
        InputError: there is no cell at all, or see `run_jobs`.
    """
    jobs = [
        Job(entry, readings.name, f"{protocol}, seed {seed}", _cell(grid, entry, readings, protocol, seed, table))
        for seed in range(grid.seeds)
        for readings in grid.readings
        for protocol in grid.protocols
        for entry in grid.systems.values()
        if readings.metadata is not None or not entry.reads_metadata
    ]
    if not jobs:
        raise InputError("these systems read metadata, of which these data have none; name others")
    return run_jobs(jobs, grid.training, table, on_cell)


def _cell(
    grid: Grid, entry: SystemEntry, readings: SensorReadings, protocol: ProtocolName, seed: int, table: Path
) -> Any:
    def run(system: System) -> Mapping[str, Any]:
        result = run_protocol(
            system,
            readings,
            name=entry.title,
            protocol=protocol,
            splits=grid.splits,
            seeds=[seed],
            table=table,
            settings=entry.settings(grid.training),
        )
        return dict(result.cells.iloc[0])

    return run
