"""Training by gradient that goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.training.epoch_order import EpochOrder
from deepfeatiot_tf.training.run_checkpoint import RunCheckpoint


def fit_resumably(
    model: keras.Model,
    train: SensorReadings,
    validation: SensorReadings | None,
    checkpoint: RunCheckpoint,
    *,
    seed: int,
    epochs: int,
    batch_size: int = 32,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **options: Any,
) -> None:
    """`model.fit` from where the checkpoint's file stands; afterwards the model has the weights of the best epoch.

    Args:
        model: compiled.
        train: labelled; in the order of an `EpochOrder`, so that the result is that of an unbroken training.
        validation: labelled, or None.
        checkpoint: keeps the best epoch, and the state on disk if it has a path.
        seed: of the order.
        epochs: in all.
        batch_size: series per step. Default 32.
        callbacks: further ones. Default none.
        **options: of `fit`.

    Raises:
        InputError: see `RunCheckpoint`.
    """
    done = checkpoint.restore(model)
    order = EpochOrder(seed)
    judges = None if validation is None else validation.to_dataset(batch_size=batch_size)
    model.fit(
        order.dataset(train, batch_size),
        validation_data=judges,
        initial_epoch=done,
        epochs=done if checkpoint.finished else epochs,
        callbacks=[order, *callbacks, checkpoint],  # which keeps what the others made of the epoch
        shuffle=False,  # the dataset does
        **options,
    )
