"""The commands that compare: `benchmark`, `ablate`, `transfer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from deepfeatiot_tf.command_line.lists import NAMES, names
from deepfeatiot_tf.command_line.options import FolderOption
from deepfeatiot_tf.command_line.output import print_comparison, print_files, say, stdout
from deepfeatiot_tf.command_line.quiet import import_tensorflow
from deepfeatiot_tf.errors import InputError

if TYPE_CHECKING:
    from deepfeatiot_tf.comparison.jobs import OnCell
    from deepfeatiot_tf.evaluation import Report
    from deepfeatiot_tf.readings import SensorReadings
    from deepfeatiot_tf.runs.settings import RunSettings

DataOption = Annotated[
    Any,
    typer.Option("--data", parser=names, metavar=NAMES, help="Public data sets; see `deepfeatiot datasets`."),
]
SystemsOption = Annotated[
    Any,
    typer.Option(
        "--systems", parser=names, metavar=NAMES, help="Systems by name, `quick` (seconds per cell), or `all`."
    ),
]
SplitsOption = Annotated[
    Any, typer.Option(metavar="RULE", help="`paper`, the published 70/30 split, or `resample`, each seed its own.")
]
SeedsOption = Annotated[int, typer.Option(help="Cells of each kind, with the seeds 0, 1, ….")]
EpochsOption = Annotated[int, typer.Option(help="Of a network, at most.")]
PatienceOption = Annotated[int, typer.Option(help="Epochs without a better one after which training stops.")]
ResultsOption = Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Of the cells and the report.")]


def benchmark(
    data: DataOption,
    output: ResultsOption,
    systems: SystemsOption = "quick",
    protocol: Annotated[
        Any, typer.Option("--protocol", parser=names, metavar=NAMES, help="`honest`, `paper`, or both.")
    ] = "honest",
    splits: SplitsOption = "paper",
    seeds: SeedsOption = 3,
    epochs: EpochsOption = 200,
    patience: PatienceOption = 20,
    folder: FolderOption = None,
) -> None:
    """Systems against each other on public data sets; goes on where it was interrupted.

    `deepfeatiot benchmark --data swiss iowa sbas --systems quick --seeds 3 -o results/`

    `deepfeatiot benchmark --data swiss --systems all --protocol honest paper --seeds 5 -o results/`
    """
    from deepfeatiot_tf.comparison.systems import chosen
    from deepfeatiot_tf.evaluation.system_entry import Training

    entries, training = chosen(systems), Training(epochs, patience)
    import_tensorflow()
    from deepfeatiot_tf.comparison.grid import Grid, run_grid
    from deepfeatiot_tf.comparison.report import write_report
    from deepfeatiot_tf.readings import load_dataset

    check_place(output, "report.md")
    console = stdout()
    readings = [load_dataset(name, folder) for name in data]
    grid = Grid(readings, entries, protocol, splits, seeds, training)
    with showing_cells(console) as on_cell:
        cells, reasons = run_grid(grid, output / "cells.csv", on_cell)
    print_outcome(console, reasons, output, write_report(cells, reasons, output))


def ablate(
    data: DataOption,
    output: ResultsOption,
    head: Annotated[
        str, typer.Option(help="`closed_form`, frozen features alone, or `mlp`, the network, which takes hours.")
    ] = "closed_form",
    language: Annotated[
        str | None, typer.Option(help="A pretrained model for the language branch, as for `train`.", metavar="NAME")
    ] = None,
    kernels: Annotated[bool, typer.Option(help="Whether the random kernels are changed, too.")] = True,
    splits: SplitsOption = "resample",
    seeds: SeedsOption = 5,
    epochs: EpochsOption = 40,
    patience: PatienceOption = 20,
    folder: FolderOption = None,
) -> None:
    """What each part of DeepFeatIoT is worth: one changed at a time, honest protocol.

    Example: `deepfeatiot ablate --data swiss iowa --seeds 5 -o ablation/`
    """
    from deepfeatiot_tf.comparison.ablation import effects, variants
    from deepfeatiot_tf.evaluation.system_entry import Training

    entries, training = variants(head, language, kernels), Training(epochs, patience)
    import_tensorflow()
    from deepfeatiot_tf.comparison.ablation_report import write_ablation
    from deepfeatiot_tf.comparison.grid import Grid, run_grid
    from deepfeatiot_tf.language import load_encoder
    from deepfeatiot_tf.readings import load_dataset

    check_place(output, "ablation.md")
    if language is not None:
        load_encoder(language)  # or say now that it cannot be had: each model reads it by itself
    console = stdout()
    grid = Grid([load_dataset(name, folder) for name in data], entries, ("honest",), splits, seeds, training)
    with showing_cells(console) as on_cell:
        cells, reasons = run_grid(grid, output / "cells.csv", on_cell)
    report = write_ablation(effects(cells, entries), reasons, output)
    print_outcome(console, reasons, output, report)


def transfer(
    train: Annotated[
        Any, typer.Option("--train", parser=names, metavar=NAMES, help="Public data sets to train on, one at a time.")
    ],
    test: Annotated[
        Any, typer.Option("--test", parser=names, metavar=NAMES, help="Public data sets to test on, one at a time.")
    ],
    output: ResultsOption,
    systems: SystemsOption = "quick",
    seeds: SeedsOption = 3,
    epochs: EpochsOption = 200,
    patience: PatienceOption = 20,
    folder: FolderOption = None,
) -> None:
    """Zero-shot: train on one data set, test on another, over the sensor types that they share.

    Example: `deepfeatiot transfer --train ts-m --test ts-n senseur -o transfer/`
    """
    from deepfeatiot_tf.comparison.systems import chosen
    from deepfeatiot_tf.evaluation.system_entry import Training

    entries, training = chosen(systems), Training(epochs, patience)
    import_tensorflow()
    from deepfeatiot_tf.comparison.report import write_report
    from deepfeatiot_tf.comparison.transfer import run_transfer
    from deepfeatiot_tf.readings import load_dataset

    check_place(output, "report.md")
    console = stdout()
    sources, targets = ([load_dataset(name, folder) for name in each] for each in (train, test))
    with showing_cells(console) as on_cell:
        cells, reasons = run_transfer(
            sources, targets, entries, output / "cells.csv", seeds=seeds, training=training, on_cell=on_cell
        )
    print_outcome(console, reasons, output, write_report(cells, reasons, output))


def show_comparison(
    console: Console, readings: SensorReadings, run: Path, report: Report, settings: RunSettings
) -> None:
    """Train the quick peers on the split of a run, and print them beside it."""
    from deepfeatiot_tf.runs.compare import compare_run

    with console.status("comparing") as status:
        table, left_out = compare_run(
            readings, run, report, settings, on_peer=lambda title: status.update(f"comparing: {title}")
        )
    print_comparison(console, table)
    for line in left_out:
        say(console, f"left out: {line}")


def print_outcome(console: Console, reasons: Mapping[str, str], folder: Path, report: Path) -> None:
    """What was not run, and where the rest is."""
    for what, why in reasons.items():
        say(console, f"not run: {what}: {why}")
    print_files(console, {"cells": folder / "cells.csv", "report": report})


def check_place(folder: Path, report: str) -> None:
    """An `InputError` where a report would replace what is not of a comparison."""
    from deepfeatiot_tf.runs import RunFolder

    if RunFolder(folder).begun:
        raise InputError(f"{folder}: is the folder of a run, whose report would be replaced; name another")
    if (folder / report).exists() and not (folder / "cells.csv").exists():
        raise InputError(f"{folder / report}: is of no comparison, and would be replaced; name another folder")


@contextmanager
def showing_cells(console: Console) -> Iterator[OnCell]:
    """A bar for the cells of a comparison: which one, how many are done, how long the rest will take."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(12),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("preparing", total=None, left="")

        def show(what: str, done: int, total: int, seconds: float | None) -> None:
            left = "" if seconds is None else f"about {_duration(seconds)} left"
            progress.update(task, description=what, completed=done, total=total, left=left)
            if not console.is_terminal:
                say(console, f"{done}/{total} {what} {left}".rstrip())

        yield show


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


COMPARISONS: tuple[Callable, ...] = (benchmark, ablate, transfer)
