"""Best weights, early stopping and resumption, in one state that is saved in one piece."""

from __future__ import annotations

import json
import logging
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfeatiot_tf.errors import InputError

logger = logging.getLogger(__name__)


class RunCheckpoint(keras.callbacks.Callback):
    """Keep the weights of the best epoch, stop when none has been better for a while, and survive a kill.

    Keras's `BackupAndRestore`, `EarlyStopping` and `ModelCheckpoint` do each a part; together they forget the
    best weights and the patience on resumption. Here all that training is at the end of an epoch (weights,
    optimizer, dropout seeds, history, best weights) is written as one file, beside and renamed.

    Resume with `fit(..., initial_epoch=checkpoint.restore(model))` and data in the order of an `EpochOrder`;
    the result is that of an unbroken run. Where `finished`, give `epochs` the same number as `initial_epoch`:
    nothing is trained any more, and the model gets its best weights.

    Args:
        path: of the state file, or None to keep everything in memory.
        monitor: the quantity that decides; None keeps the last epoch whose loss is a number. Default `"val_loss"`.
        mode: `"min"` or `"max"`. Default: `"min"` where the name ends in loss or error, else `"max"`.
        patience: epochs without improvement before training stops. Default 20.
        every_seconds: least time between two saves. Default 30.

    Attributes:
        earlier_seconds: what the restored epochs had taken, as far as they were saved; 0 without any.

    Raises:
        InputError: `restore` finds a file that does not belong to the model.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        monitor: str | None = "val_loss",
        mode: str | None = None,
        patience: int = 20,
        every_seconds: float = 30.0,
    ) -> None:
        super().__init__()
        self.path = None if path is None else Path(path)
        self.monitor = monitor
        rises = monitor is None or not monitor.endswith(("loss", "error"))
        self.higher = (mode or ("max" if rises else "min")) == "max"
        self.patience = patience
        self.every_seconds = every_seconds
        self._forget()

    def _forget(self) -> None:
        """Begin again: what one training found says nothing of the next."""
        self.history: dict[str, list[float]] = {}
        self.best_epoch = -1
        self.best_value = -np.inf if self.higher else np.inf
        self.earlier_seconds = 0.0
        self._best: list[np.ndarray] = []
        self._begun = self._saved = -np.inf
        self._restored = False

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(next(iter(self.history.values()), []))

    @property
    def finished(self) -> bool:
        """Whether patience has run out."""
        return self.epochs - 1 - self.best_epoch >= self.patience if self.epochs else False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Note the time; forget an earlier training, unless it has just been restored."""
        if not self._restored:
            self._forget()
        self._restored = False
        self._begun = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch, keep its weights if it is the best, stop if patience has run out, save."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        if self.monitor is not None and self.monitor not in (logs or {}):
            known = ", ".join(logs or {})
            raise InputError(
                f"epochs are to be selected by {self.monitor!r}, but the model reports only {known}; give "
                'validation data, used after every epoch, and compile with metrics=["accuracy"]'
            )
        if self.monitor is None:
            value = epoch if np.isfinite(self.history["loss"][-1]) else np.nan
        else:
            value = self.history[self.monitor][-1]
        if value > self.best_value if self.higher else value < self.best_value:
            self.best_epoch, self.best_value = epoch, value
            self._best = [v.numpy() for v in self.model.trainable_variables + _moving(self.model)]
        if self.finished:
            self.model.stop_training = True
        if self.path is not None and time.monotonic() - self._saved >= self.every_seconds:
            self._save()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Save, then give the model its best weights."""
        if self.path is not None:
            self._save()
        for variable, value in zip(self.model.trainable_variables + _moving(self.model), self._best, strict=False):
            variable.assign(value)

    def restore(self, model: keras.Model) -> int:
        """Bring `model` to where the state file stands; the number of epochs done (0 without a file)."""
        self._forget()
        if self.path is None or not self.path.exists():
            return 0
        try:
            with np.load(self.path) as state:
                arrays = {name: state[name] for name in state.files}
            facts = json.loads(str(arrays.pop("facts")))
            current = [arrays[f"now_{i}"] for i in range(facts["now"])]
            self._best = [arrays[f"best_{i}"] for i in range(facts["best"])]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.path}: not a training state ({error}); delete it to start again") from None
        variables = _state(model)
        if [v.shape for v in variables] != [a.shape for a in current]:
            raise InputError(f"{self.path}: the state of another model; delete it to start again")
        for variable, value in zip(variables, current, strict=True):
            variable.assign(value)
        self.history = facts["history"]
        self.best_epoch, self.best_value = facts["best_epoch"], facts["best_value"]
        self.earlier_seconds = facts.get("seconds", 0.0)
        self._restored = True
        logger.info("%s: going on after epoch %d", self.path, self.epochs)
        return self.epochs

    def _save(self) -> None:
        assert self.path is not None
        now = [v.numpy() for v in _state(self.model)]
        facts = {
            "now": len(now),
            "best": len(self._best),
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_value": self.best_value,
            "seconds": self.earlier_seconds + time.monotonic() - self._begun,
        }
        arrays = {f"now_{i}": a for i, a in enumerate(now)} | {f"best_{i}": a for i, a in enumerate(self._best)}
        # Always the same name, so that what a kill leaves behind is overwritten by the next save.
        beside = self.path.with_name(f"{self.path.name}.part")
        try:
            with beside.open("wb") as file:
                np.savez(file, facts=json.dumps(facts), **arrays)
            os.replace(beside, self.path)
        finally:
            beside.unlink(missing_ok=True)
        self._saved = time.monotonic()


def _moving(model: keras.Model) -> list[keras.Variable]:
    """Non-trainable weights that training moves: the statistics of batch normalization."""
    return [
        variable
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
        for variable in (layer.moving_mean, layer.moving_variance)
    ]


def _state(model: keras.Model) -> list[keras.Variable]:
    """All that training changes: weights, dropout seeds, batch statistics, optimizer."""
    if not model.optimizer.built:  # one that scales the loss would make its counters again
        model.optimizer.build(model.trainable_variables)
    seeds = [v for v in model.non_trainable_variables if "seed_generator" in v.path]
    return model.trainable_variables + _moving(model) + seeds + model.optimizer.variables
