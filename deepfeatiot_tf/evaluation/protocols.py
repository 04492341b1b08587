"""Train and score a system several times, under rules with a name.

- `"honest"`: what a system chooses, it chooses on a validation part of the training data; the test part is
  used once.
- `"paper"`: the DeepFeatIoT authors' rule. The best epoch is the one with the best accuracy *on the test
  part*. The only place where test data selects anything; for comparison with published figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.cell import SCORES, fit_and_score
from deepfeatiot_tf.evaluation.cell_table import CellTable, ProtocolName
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.readings.splits import split

SplitRule = Literal["paper", "resample"]
SUMMARISED = (*SCORES, "fit_seconds", "predict_seconds", "epochs", "best_epoch", "parameters", "peak_memory_mb")


class System(Protocol):
    """Anything that learns from labelled readings and then names the class of others.

    Attributes:
        selects: whether it chooses something (an epoch, say) on a validation part. A system that does not
            gets the whole training part to learn from.

    A system that can go on where its `fit` was killed also has `unfinished`, a path or None: where it is to keep what
    it has learned so far. It is set for the time of a cell, and the file removed when the cell is in the table.
    """

    selects: bool

    def fit(
        self, train: SensorReadings, validation: SensorReadings | None, *, seed: int, protocol: ProtocolName
    ) -> Mapping[str, float] | None:
        """Learn afresh, forgetting any earlier `fit`.

        Args:
            train: labelled.
            validation: to choose on, never to learn from; None if the system does not select. Under the paper
                protocol this is the test part.
            seed: of everything random.
            protocol: under `"paper"`, choose by accuracy; under `"honest"`, by whatever is best.

        Returns:
            what is worth keeping: `epochs`, `best_epoch` (from 1) and `parameters`, where there are such, and
            `earlier_seconds`, of a `fit` that went on; or None.
        """
        ...

    def predict(self, readings: SensorReadings) -> np.ndarray:
        """Probabilities `[n, classes]`, in the order of the training readings' `class_names`."""
        ...


@dataclass(frozen=True, eq=False)
class ProtocolResult:
    """The cells of one `run_protocol`: a system trained and scored once each.

    Args:
        cells: one row per split and seed: `system`, `data`, `checksum`, `protocol`, `split`, `seed`,
            `n_train`, `n_validation` (0 under the paper protocol), `n_test`, `accuracy`, `macro_f1`,
            `log_loss`, `ece` (see `metrics.scores`), `fit_seconds`, `predict_seconds`, `epochs`,
            `best_epoch`, `parameters` (NaN where there are none), `peak_memory_mb` (see `watch_peak`), `device` that
            TensorFlow computed on (absent from older tables: the CPU), and as JSON `f1_by_class` (without classes that
            never occur), `versions` and `settings`.
    """

    cells: pd.DataFrame

    @property
    def summary(self) -> pd.DataFrame:
        """`mean`, `sd` (of the sample; NaN of a single cell) and `n` of every score, one row each."""
        numbers = self.cells.reindex(columns=list(SUMMARISED)).astype(float)  # an older table has fewer columns
        return pd.DataFrame({"mean": numbers.mean(), "sd": numbers.std(), "n": numbers.count()})

    def __repr__(self) -> str:
        first, mean, sd = self.cells.iloc[0], self.summary["mean"], self.summary["sd"]
        accuracy, f1 = (f"{mean[score]:.1%} (sd {sd[score]:.1%})" for score in ("accuracy", "macro_f1"))
        return (
            f"ProtocolResult({first['system']} on {first['data']!r}, {first['protocol']} protocol, "
            f"{len(self.cells)} cells: accuracy {accuracy}, macro F1 {f1})"
        )


def run_protocol(
    system: System,
    readings: SensorReadings,
    *,
    name: str | None = None,
    protocol: ProtocolName = "honest",
    splits: SplitRule = "paper",
    seeds: Sequence[int] = (0, 1, 2),
    validation: float = 0.15,
    table: str | PathLike[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    cell_done: Callable[[Mapping[str, Any], int, int], None] | None = None,
) -> ProtocolResult:
    """Train and score `system` once per seed.

    Args:
        system: a `KerasSystem`, an `EstimatorSystem`, or anything like a `System`.
        readings: labelled.
        name: of the system, in the cells; the key under which finished cells are found again, so another
            setting needs another name. Default: the name of its class.
        protocol: `"honest"` or `"paper"`. Default `"honest"`.
        splits: `"paper"`, the published 70/30 split in every cell, so that the spread is that of the
            training alone; or `"resample"`, each seed its own stratified 70/30 split. Default `"paper"`.
        seeds: one cell each; a seed decides the training, the validation part and, if resampled, the test
            part. Default `(0, 1, 2)`.
        validation: under the honest protocol, share of the series outside the test part on which a selecting
            system chooses. Default 0.15.
        table: a CSV file to which each cell is added when it is done. Cells that it already has are not run
            again, so a broken run goes on with the same call; within a cell, a network goes on from the epoch that was
            saved last. Many systems and data sets may share the file, one process at a time. Default None: nothing
            is written.
        settings: of the system, kept with each cell; a cell found in the table must have been made with the same.
            Default: none are kept, and none compared.
        cell_done: called with `(cell, done, total)` after each cell, those found in the file included.

    Raises:
        InputError: an unknown protocol, no labels, too few series to split, an unusable `table` or one whose
            cells have other settings, or a system that gives no probabilities.

    Example:
        >>> system = KerasSystem(build_model, epochs=200, patience=30)
        >>> run_protocol(system, load_dataset("swiss"), seeds=range(3), table="swiss.csv").summary
    """
    _check_choices(protocol, splits, seeds)
    known = CellTable(None if table is None else Path(table))
    cells = []
    for seed in seeds:
        key = {
            "system": name or type(system).__name__,
            "data": readings.name,
            "checksum": readings.checksum,
            "protocol": protocol,
            "split": splits if splits == "paper" else f"resample {seed}",
            "seed": int(seed),
        }
        make = partial(_run_cell, system, readings, protocol, splits, int(seed), validation)
        cell = known.keep(key, make, settings, system, validation)
        cells.append(cell)
        if cell_done is not None:
            cell_done(cell, len(cells), len(seeds))
    return ProtocolResult(pd.DataFrame(cells))


def _run_cell(
    system: System,
    readings: SensorReadings,
    protocol: ProtocolName,
    splits: SplitRule,
    seed: int,
    validation: float,
) -> dict[str, Any]:
    needs_validation = system.selects and protocol == "honest"
    test_rule: float | Literal["paper"] = "paper" if splits == "paper" else 0.3
    train, held, test = split(readings, seed=seed, test=test_rule, validation=validation if needs_validation else 0)
    if needs_validation and not len(held):
        raise InputError(
            f"{readings.name}: validation={validation} of {len(train)} series is none to choose on; raise it"
        )
    judges = {"honest": held, "paper": test}[protocol] if system.selects else None
    return {
        "n_train": len(train),
        "n_validation": len(held),
        **fit_and_score(system, train, judges, test, seed=seed, protocol=protocol),
    }


def _check_choices(protocol: str, splits: str, seeds: Sequence[int]) -> None:
    for what, given, known in (
        ("protocol", protocol, get_args(ProtocolName)),
        ("splits", splits, get_args(SplitRule)),
    ):
        if given not in known:
            raise InputError(f"{what}={given!r} is unknown; give one of {', '.join(map(repr, known))}")
    if not len(seeds):
        raise InputError("seeds is empty; give at least one seed")
