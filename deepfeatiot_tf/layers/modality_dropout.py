"""Rows that lack readings or metadata, and training that makes such rows."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class ModalityDropout(keras.layers.Layer):
    """Zeros in place of what a row lacks; in training, by chance, also in place of one of the two that it has.

    A network behind it learns to answer from readings alone and from metadata alone.

    Args:
        rate: share of the rows with both that lose one of them in training, either with the same chance. Default 0.3.
        seed: of the choice. Default 0.

    Input: encodings `[batch, a]` of the readings and `[batch, b]` of the metadata, and what is there, float32 `[batch,
    2]`, as `Presence` says it.

    Output: the two encodings.

    Raises:
        ValueError: `rate` is no share.
    """

    def __init__(self, rate: float = 0.3, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(f"rate is {rate}; give a share from 0 to 1")
        self.rate = rate
        self.seed = seed
        self.draws = keras.random.SeedGenerator(seed)

    def call(
        self, readings: tf.Tensor, metadata: tf.Tensor, presence: tf.Tensor, training: bool | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if training and self.rate:
            chance = keras.random.uniform((tf.shape(presence)[0],), seed=self.draws)
            both = tf.reduce_min(presence, axis=1) > 0
            lost = tf.stack([chance < self.rate / 2, (chance >= self.rate / 2) & (chance < self.rate)], axis=1)
            presence = tf.where(lost & both[:, None], tf.zeros_like(presence), presence)
        presence = tf.cast(presence, readings.dtype)
        return readings * presence[:, :1], metadata * presence[:, 1:]

    def compute_output_shape(self, readings_shape: tuple, metadata_shape: tuple, presence_shape: tuple) -> tuple:
        return tuple(readings_shape), tuple(metadata_shape)

    def compute_output_spec(self, readings: Any, metadata: Any, presence: Any, training: bool | None = None) -> Any:
        return tuple(keras.KerasTensor(each.shape, self.compute_dtype) for each in (readings, metadata))

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
