"""The head that reads what a row has."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class ModalityChoice(keras.layers.Layer):
    """Of three answers to each row the one from all that the row has.

    Input: what is there, float32 `[batch, 2]`, as `Presence` says it; and logits `[batch, classes]` from readings and
    metadata, from readings alone, and from metadata alone.

    Output: logits float32 `[batch, classes]`. A row with neither gets those from both.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})

    def call(self, presence: tf.Tensor, both: tf.Tensor, readings: tf.Tensor, metadata: tf.Tensor) -> tf.Tensor:
        measured, described = (presence[:, i : i + 1] > 0 for i in range(2))
        return tf.where(measured & ~described, readings, tf.where(described & ~measured, metadata, both))

    def compute_output_shape(self, presence_shape: tuple, both_shape: tuple, *others: tuple) -> tuple:
        return tuple(both_shape)

    def compute_output_spec(self, presence: Any, both: Any, readings: Any, metadata: Any) -> Any:
        return keras.KerasTensor(both.shape, "float32")
