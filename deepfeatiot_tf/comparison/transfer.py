"""Zero-shot transfer: trained on the sensors of one data set, tested on those of another."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from deepfeatiot_tf.comparison.common_types import over_common_types
from deepfeatiot_tf.comparison.jobs import Job, OnCell, run_jobs
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.cell import fit_and_score
from deepfeatiot_tf.evaluation.cell_table import CellTable
from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.readings.splits import split

VALIDATION = 0.15  # of the training data, for systems that select


def run_transfer(
    sources: Sequence[SensorReadings],
    targets: Sequence[SensorReadings],
    systems: Mapping[str, SystemEntry],
    table: Path,
    *,
    seeds: int = 3,
    training: Training | None = None,
    on_cell: OnCell | None = None,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Train on each source and test on each target, over the types that the two share; see `run_jobs`.

    All series of the source train, but for those on which a selecting system chooses; all of the target test. Nothing
    is chosen on the target.

    Args:
        sources: public data sets.
        targets: public data sets; one that is the source too is left out.
        systems: by name.
        table: CSV file of the cells.
        seeds: cells of each kind, with the seeds 0, 1, …. Default 3.
        training: of the networks. Default: `Training()`.
        on_cell: to show progress. Default: nothing is shown.

    Raises:
        InputError: two data sets share fewer than two types, there is no pair or no seed, or see `run_jobs`.
    """
    training = training or Training()
    pairs = [(one, other) for one in sources for other in targets if one.name != other.name]
    if not pairs or seeds < 1:
        raise InputError("nothing to transfer; name two different data sets, and at least one seed")
    reduced = [over_common_types(one, other) for one, other in pairs]
    jobs = [
        Job(entry, _name(source, target), f"seed {seed}", _cell(entry, source, target, seed, table, training))
        for seed in range(seeds)
        for source, target in reduced
        for entry in systems.values()
    ]
    return run_jobs(jobs, training, table, on_cell)


def _name(source: SensorReadings, target: SensorReadings) -> str:
    return f"{source.name} → {target.name}"


def _cell(
    entry: SystemEntry, source: SensorReadings, target: SensorReadings, seed: int, table: Path, training: Training
) -> Any:
    key = {
        "system": entry.title,
        "data": _name(source, target),
        "checksum": hashlib.sha256(f"{source.checksum}{target.checksum}".encode()).hexdigest(),
        "protocol": "honest",
        "split": "transfer",
        "seed": seed,
    }

    def run(system: System) -> Mapping[str, Any]:
        def make() -> dict[str, Any]:
            train, judges = source, None
            if system.selects:
                train, _, judges = split(source, seed=seed, test=VALIDATION, validation=0)
            sizes = {"n_train": len(train), "n_validation": len(judges or ())}
            return {**sizes, **fit_and_score(system, train, judges, target, seed=seed, protocol="honest")}

        return CellTable(table).keep(key, make, entry.settings(training), system, VALIDATION)

    return run
