"""A block of features that counts for more, the more series there are to learn from."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class SampleSizeScale(keras.layers.Layer):
    """`x · scale · √(n / (n + half))`, n the number of training series.

    Thousands of random features tell little from a handful of series and drown a few good statistics; from hundreds
    they tell much. At `half` series the block has half of its weight in a kernel.

    Args:
        scale: with any number of series. Default 1.
        half: series. Default 100, read off the accuracies with weights 0, 0.25 and 0.5 of the random kernels after 1 to
            20 labels per class, out of the training parts of Swiss, Iowa, SBAS and SensEUR.

    Input: float32 `[batch, features]`.

    Output: the same shape; before `adapt`, zeros.
    """

    def __init__(self, scale: float = 1.0, half: float = 100.0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        self.scale = scale
        self.half = half

    def build(self, input_shape: tuple) -> None:
        self.series = self.add_weight(name="series", shape=(), initializer="zeros", trainable=False)

    def adapt(self, series: int) -> None:
        """Take the number of training series."""
        self.series.assign(series)

    def call(self, features: tf.Tensor) -> tf.Tensor:
        return features * self.scale * tf.sqrt(self.series / (self.series + self.half))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "scale": self.scale, "half": self.half}
