"""The order of the series as a function of seed and epoch, whatever came before."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.readings import SensorReadings


class EpochOrder(keras.callbacks.Callback):
    """Shuffles the training part anew in every epoch, and in the same way when the epoch is run again.

    `tf.data`'s own shuffle draws its next order from a state that nothing can save: a resumed run would see
    other batches than an unbroken one. Give this to `fit` among the callbacks, so that it learns the epoch.

    Args:
        seed: of all orders.

    Example:
        >>> order = EpochOrder(seed=0)
        >>> history = model.fit(order.dataset(train), callbacks=[order], epochs=2, verbose=0)
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Shuffle as for this epoch from now on."""
        self.epoch = epoch

    def dataset(self, readings: SensorReadings, batch_size: int = 32) -> tf.data.Dataset:
        """As `readings.to_dataset(shuffle=True)`; a pass over it has the order of the epoch it begins in."""
        series = len(readings)

        def permutation() -> np.ndarray:
            return np.random.default_rng([self.seed, self.epoch]).permutation(series)

        def shuffled(*everything: Any) -> Any:
            order = tf.ensure_shape(tf.numpy_function(permutation, [], tf.int64), [series])
            return tf.nest.map_structure(lambda each: tf.gather(each, order), everything)

        batches = readings.to_dataset(batch_size=series).map(shuffled).rebatch(batch_size)
        known = tf.data.experimental.assert_cardinality(math.ceil(series / batch_size))
        return batches.apply(known).prefetch(2)
