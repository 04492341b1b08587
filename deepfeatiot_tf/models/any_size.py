"""Batches of any size, and series of any length, in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def at_least(readings: tf.Tensor, length: int) -> tf.Tensor:
    """Shorter series, with missing readings behind: float32 `[batch, time]` of `length` or more readings.

    Not by `tf.pad`, behind which the converter of TFLite no longer knows how many series there are.
    """
    rows, time = readings.shape
    if time is not None and time >= length:
        return readings
    rows = tf.shape(readings)[0] if rows is None else rows
    shortfall = tf.maximum(length - tf.shape(readings)[1], 0)
    return tf.concat([readings, tf.fill([rows, shortfall], np.float32(np.nan))], axis=1)


def traced_once(function: tf.types.experimental.PolymorphicFunction) -> Callable[[Any], Any]:
    """Keras's function of a batch, traced once for batches of any size.

    By itself it is traced for the first batch, and once more for any, as the last is seldom as large.
    """

    def run(data: Any) -> Any:
        parts = keras.tree.flatten(data)
        if all(isinstance(part, (tf.Tensor, np.ndarray)) for part in parts):  # over several replicas they are neither
            anything = keras.tree.map_structure(lambda part: tf.TensorSpec([None] * part.ndim, part.dtype), data)
            function.get_concrete_function(anything)
        return function(data)

    return run
