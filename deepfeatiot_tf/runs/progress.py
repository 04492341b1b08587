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
    """One bar for the whole of a run: epochs done, validation accuracy, time taken and left (at most).

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

    def __enter__(self) -> TrainingBar:
        self.progress.start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *where: object) -> None:
        if failure:
            self.progress.update(self.task, visible=False)
        self.progress.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin where the run stands."""
        epochs = self.params["epochs"]
        if not self.progress.tasks[self.task].total:
            shown = f"going on after epoch {epoch}" if epoch else "compiling"
            self.progress.update(self.task, total=epochs, completed=epoch, shown=shown)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Say how far it is."""
        logs = logs or {}
        shown = f"epoch {epoch + 1}/{self.params['epochs']}"
        if "val_accuracy" in logs:
            shown += f", validation {logs['val_accuracy']:.0%}"
        self.progress.update(self.task, completed=epoch + 1, shown=shown)
        logger.info("%s: epoch %d: %s", self.name, epoch + 1, {k: round(float(v), 4) for k, v in logs.items()})
