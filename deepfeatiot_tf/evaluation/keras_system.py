"""A Keras model as a system that a protocol can train and score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.evaluation.protocols import ProtocolName
from deepfeatiot_tf.models.refit import refit
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.training.class_balance import balanced_class_weight
from deepfeatiot_tf.training.resumable_fit import fit_resumably
from deepfeatiot_tf.training.run_checkpoint import RunCheckpoint

# Between two saves of an unfinished fit: the published network's state takes half a gigabyte.
SAVE_SECONDS = 300.0


class KerasSystem:
    """Trains a fresh Keras model per `fit` and keeps the weights of its best epoch.

    A blend, which needs the validation part to weigh its two answers only, is then trained once more, on both parts.

    Args:
        build: `(class_names, seed)` to a compiled model. What the model draws at random follows `seed` only
            as far as `build` hands it on to the layers (or calls `keras.utils.set_random_seed`).
        epochs: at most. Default 200, as published.
        batch_size: Default 32, as published.
        patience: epochs without a better one after which training stops. Default None: never. Under the paper
            protocol it never does.
        monitor: what the best epoch is best by under the honest protocol, a validation loss (lowest) or a
            metric (highest). Default `"val_loss"`. Under the paper protocol it is `"val_accuracy"`; of a model whose
            learning rate is annealed the last epoch is kept.
        balance: whether rare classes weigh as much as frequent ones in training. Default False, as published.
        fit_options: further arguments of `model.fit`, such as `callbacks`. Default none.
        fresh_features: whether each fit computes its frozen features anew, so that its seconds do not depend on what is
            on disk from another one. Default False.
        selects: see `System`. Give False for a closed-form head, and for a network whose learning rate is annealed and
            that is no blend: neither chooses anything. Default True.

    Attributes:
        unfinished: file in which `fit` keeps its state; the same call after a kill goes on from there. Default None.
        model: of the last `fit`, with its best weights.
        history: of the last `fit`: a list per measure, one value per epoch.
    """

    def __init__(
        self,
        build: Callable[[tuple[str, ...], int], keras.Model],
        *,
        epochs: int = 200,
        batch_size: int = 32,
        patience: int | None = None,
        monitor: str = "val_loss",
        balance: bool = False,
        fit_options: Mapping[str, Any] | None = None,
        fresh_features: bool = False,
        selects: bool = True,
    ) -> None:
        self.build = build
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.monitor = monitor
        self.balance = balance
        self.fit_options = dict(fit_options or {})
        self.fresh_features = fresh_features
        self.selects = selects
        self.unfinished: Path | None = None
        self.model: keras.Model | None = None
        self.history: dict[str, list[float]] = {}

    def fit(
        self,
        train: SensorReadings,
        validation: SensorReadings | None,
        *,
        seed: int = 0,
        protocol: ProtocolName = "honest",
    ) -> dict[str, float]:
        """Build and train; see `System.fit`. Without a validation part the last epoch is taken.

        Raises:
            InputError: the model does not report what the best epoch should be best by.
        """
        if not self.fresh_features:
            return self._fit(train, validation, seed, protocol, self.fit_options)
        with TemporaryDirectory() as empty:
            return self._fit(train, validation, seed, protocol, {"feature_cache": empty, **self.fit_options})

    def _fit(
        self,
        train: SensorReadings,
        validation: SensorReadings | None,
        seed: int,
        protocol: ProtocolName,
        fit_options: Mapping[str, Any],
    ) -> dict[str, float]:
        self.model = self.build(train.class_names, seed)
        options = {"verbose": 0, **fit_options}
        if self.balance:
            options["class_weight"] = balanced_class_weight(train.label_indices)
        monitor: str | None = "val_accuracy" if protocol == "paper" else self.monitor
        if validation is None or (protocol == "honest" and getattr(self.model, "annealed", False)):
            monitor = None
        patience = self.epochs if protocol == "paper" else self.patience or self.epochs
        best = RunCheckpoint(self.unfinished, monitor=monitor, patience=patience, every_seconds=SAVE_SECONDS)
        fit_resumably(
            self.model,
            inputs_for(self.model, train),
            None if validation is None else inputs_for(self.model, validation),
            best,
            seed=seed,
            epochs=self.epochs,
            batch_size=self.batch_size,
            **options,
        )
        if protocol == "honest" and validation is not None and getattr(self.model, "blend", None) is not None:
            self.model = refit(
                self.model,
                partial(self.build, train.class_names, seed),
                inputs_for(self.model, train),
                inputs_for(self.model, validation),
                seed=seed,
                epochs=self.epochs,
                batch_size=self.batch_size,
                **options,
            )
        self.history = best.history
        return {
            "epochs": best.epochs,
            "best_epoch": best.best_epoch + 1,
            "parameters": self.model.count_params(),
            "earlier_seconds": best.earlier_seconds,
        }

    def predict(self, readings: SensorReadings) -> np.ndarray:
        """Probabilities `[n, classes]` of the model last fitted.

        Raises:
            InputError: there was no `fit` yet.
        """
        if self.model is None:
            raise InputError("this KerasSystem has not been fitted; call fit first")
        return self.model.predict(self._data(readings), verbose=0)

    def _data(self, readings: SensorReadings) -> Any:
        return inputs_for(self.model, readings).to_dataset(batch_size=self.batch_size)
