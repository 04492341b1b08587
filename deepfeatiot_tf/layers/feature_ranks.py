"""Features as their ranks in the training part, kept in the graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class FeatureRanks(keras.layers.Layer):
    """Each feature as the share of the training part below it, brought to mean 0 and deviation 1.

    What a few devices have a thousandfold cannot stretch the scale on which all others differ, as it does under
    `FeatureStandardization`. A value that stands in the training part many times has the mean of its ranks; a feature
    that never varied there gives 0 for its value.

    Args:
        knots: ranks that are kept per feature; between two of them a rank is interpolated. Default 256.

    Input and output: float32 `[batch, features]`.

    Raises:
        ValueError: `knots` is below 2.
    """

    def __init__(self, knots: int = 256, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        if knots < 2:
            raise ValueError(f"knots is {knots}; give 2 or more")
        self.knots = knots

    def build(self, input_shape: tuple) -> None:
        # Until it is adapted, a rank on an even scale.
        even = np.tile(np.linspace(-1.0, 1.0, self.knots, dtype=np.float32), (input_shape[-1], 1))
        self.values = self.add_weight(
            name="values",
            shape=even.shape,
            initializer=lambda shape, dtype: tf.constant(even, dtype),
            trainable=False,
        )

    def adapt(self, batches: Iterable[np.ndarray]) -> None:
        """Take the ranks from batches of float32 `[series, features]` (the training part)."""
        shares = np.linspace(0.0, 1.0, self.knots)
        self.values.assign(np.quantile(np.concatenate(list(batches)), shares, axis=0).T)

    def call(self, features: tf.Tensor) -> tf.Tensor:
        columns = tf.transpose(features)
        below, up_to = (tf.searchsorted(self.values, columns, side=side) for side in ("left", "right"))
        # Among equal knots the middle one; between two different ones, by how far it is from the lower.
        lower = tf.clip_by_value(below - 1, 0, self.knots - 2)
        at, after = (tf.gather(self.values, lower + i, batch_dims=1) for i in range(2))
        between = tf.cast(lower, tf.float32) + tf.clip_by_value(
            tf.math.divide_no_nan(columns - at, after - at), 0.0, 1.0
        )
        among = tf.cast(below + up_to - 1, tf.float32) / 2
        place = tf.where(up_to > below, among, tf.where(below == 0, 0.0, between))
        share = place / (self.knots - 1)
        return tf.transpose((share - 0.5) * np.sqrt(12.0).astype(np.float32))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "knots": self.knots}
