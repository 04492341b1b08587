"""What the commands print."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from deepfeatiot_tf.evaluation import Report
    from deepfeatiot_tf.runs.first_steps import Quickstart


def stdout() -> Console:
    """For results and progress."""
    return Console(highlight=False)


def stderr() -> Console:
    """For errors and the log."""
    return Console(stderr=True)


def say(console: Console, line: str) -> None:
    """One line, however long, as it is."""
    console.print(escape(line), soft_wrap=True)


def print_files(console: Console, files: Mapping[str, Path]) -> None:
    """Where to find what was written."""
    for what, path in files.items():
        say(console, f"{what}: {path}")


def print_scores(console: Console, report: Report, part: str) -> None:
    """The scores of one report, with how far they can be trusted."""
    found = report.metrics
    table = _table(f"{report.readings.name}: {found['n']} series ({part})", "score", "value", "95 % interval")
    for name, score in (("accuracy", "accuracy"), ("macro F1", "macro_f1")):
        bounds = found[f"{score}_interval"]
        table.add_row(name, f"{found[score]:.1%}", " to ".join(f"{bound:.1%}" for bound in bounds or ()))
    table.add_row("calibration error", f"{found['ece']:.1%}", "")
    table.add_row("log-loss", f"{found['log_loss']:.3f}", "")
    console.print(table)


def print_comparison(console: Console, found: pd.DataFrame) -> None:
    """A run and its peers, as `compare_run` gives them."""
    table = _table("The same test part", "system", "accuracy", "macro F1", "log-loss", "seconds to fit")
    for row in found.to_dict(orient="records"):
        scores = (f"{row[score]:.1%}" for score in ("accuracy", "macro_f1"))
        seconds = "–" if math.isnan(row["fit_seconds"]) else f"{row['fit_seconds']:.0f}"
        table.add_row(escape(row["system"]), *scores, f"{row['log_loss']:.2f}", seconds)
    console.print(table)


def print_datasets(console: Console, known: pd.DataFrame) -> None:
    """The catalogue, as `list_datasets` gives it."""
    table = Table(title="Public data sets", title_justify="left")
    for column in ("name", "series", "readings", "classes", "missing", "metadata", "on disk"):
        table.add_column(column, justify="right" if column in ("series", "readings", "classes") else "left")
    for row in known.itertuples():
        cells = (row.name, row.series, row.readings, row.classes, row.missing, row.metadata, row.path or "no")
        table.add_row(*(escape(str(cell)) for cell in cells))
    console.print(table)
    say(console, "A name stands for the table: deepfeatiot train swiss -o run/")


def print_quickstart(console: Console, found: Quickstart) -> None:
    """What came out of the quickstart, and what to try next."""
    measures = ("validation", "accuracy", "macro F1", "log-loss", "seconds")
    title = "Validation accuracy decides which is kept; the rest is of the test part, used once"
    table = _table(title, "system", *measures)
    for row in found.scores.to_dict(orient="records"):
        table.add_row(
            escape(row["system"]),
            *(f"{row[score]:.1%}" for score in ("validation_accuracy", "accuracy", "macro_f1")),
            f"{row['log_loss']:.2f}",
            "–" if math.isnan(row["seconds"]) else f"{row['seconds']:.0f}",
        )
    console.print(table)
    say(
        console,
        f"Kept, because it is better on the validation part: {found.chosen}. Of {found.sensors} new sensors, "
        f"whose types were kept aside, it names {found.right:.1%} right.",
    )
    files = {
        "report": found.chosen / "report.md",
        "model": found.chosen / "model.keras",
        "SavedModel": found.saved_model,
        "labels of the new sensors": found.labelled,
    }
    print_files(console, files)
    say(console, f"Next: deepfeatiot predict {found.chosen} {found.folder / 'new.csv'} -o labels.csv")


@contextmanager
def counting(console: Console) -> Iterator[Callable[[int], None]]:
    """A bar for work of unknown length: how much is done, how fast."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("labelling", total=None)

        def count(done: int) -> None:
            elapsed = progress.tasks[task].elapsed or 0.0
            rate = f", {done / elapsed:,.0f} per second" if elapsed > 1 else ""
            progress.update(task, completed=done, description=f"{done:,} sensors labelled{rate}")

        yield count


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=escape(title), title_justify="left")
    table.add_column(first)
    for column in numbers:
        table.add_column(column, justify="right")
    return table
