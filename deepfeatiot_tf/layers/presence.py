"""What there is of a sensor: readings, metadata, or both."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class Presence(keras.layers.Layer):
    """Whether a row has any reading, and any text.

    Input: raw readings float32 `[batch, time]`, NaN for missing; and text features float32 `[batch, width]`, zeros for
    blank text, as `TextFeatures` gives them.

    Output: float32 `[batch, 2]`, 1 for what is there and 0 for what is not: readings, metadata.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})

    def call(self, readings: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        measured = tf.reduce_any(tf.math.is_finite(readings), axis=1)
        described = tf.reduce_any(text != 0, axis=1)
        return tf.cast(tf.stack([measured, described], axis=1), tf.float32)

    def compute_output_shape(self, readings_shape: tuple, text_shape: tuple) -> tuple:
        return (readings_shape[0], 2)

    def compute_output_spec(self, readings: Any, text: Any) -> Any:
        return keras.KerasTensor((readings.shape[0], 2), "float32")
