"""Long work shown on the terminal."""

from __future__ import annotations

import logging
from typing import Any

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

logger = logging.getLogger(__name__)


class TrainingBar(keras.callbacks.Callback):
    """One bar for the whole of a run: series read, epochs done, validation accuracy, time taken and left.

    Used as a context, because much is done before `fit` calls any callback, and after.

    Args:
        console: to draw on.
        name: of what is trained. Default `"training"`.
    """

    def __init__(self, console: Console, name: str = "training") -> None:
        super().__init__()
        self.name = name
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(12),
            TextColumn("{task.fields[shown]}"),
            TimeElapsedColumn(),
            TextColumn("+"),
            TimeRemainingColumn(),
            console=console,
        )
        self.task = self.progress.add_task(name, total=None, shown="preparing")
        self.branch = ""
        self.begun = False

    def __enter__(self) -> TrainingBar:
        self.progress.start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *where: object) -> None:
        if failure:
            self.progress.update(self.task, visible=False)
        self.progress.stop()

    def on_features(self, branch: str, done: int, series: int) -> None:
        """Say how far the features of a frozen branch are; they come before the first epoch."""
        if branch != self.branch:
            self.branch = branch
            self.progress.reset(self.task, total=series)
        self.progress.update(self.task, completed=done, shown=f"{branch} features of {series} series")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """A robust network is trained twice; the second time the bar begins anew."""
        self.begun = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin where the run stands."""
        if self.begun:
            return
        self.begun = True
        shown = f"going on after epoch {epoch}" if epoch else "compiling"
        self.progress.reset(self.task, total=self.params["epochs"], completed=epoch, shown=shown)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Say how far it is."""
        logs = logs or {}
        shown = f"epoch {epoch + 1}/{self.params['epochs']}"
        if "val_accuracy" in logs:
            shown += f", validation {logs['val_accuracy']:.0%}"
        self.progress.update(self.task, completed=epoch + 1, shown=shown)
        logger.info("%s: epoch %d: %s", self.name, epoch + 1, {k: round(float(v), 4) for k, v in logs.items()})
