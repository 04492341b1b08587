"""Standardization of frozen features, with the statistics of the training part kept in the graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class FeatureStandardization(keras.layers.Layer):
    """`(x − mean) / deviation`, clipped. A feature that never varied in the training part gives 0.

    `keras.layers.Normalization` divides such a feature by 1e-7 instead, so that one unseen value swamps the rest.

    Args:
        clip: bound on the absolute value. Default 5.

    Input and output: float32 `[batch, features]`.
    """

    def __init__(self, clip: float = 5.0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        self.clip = clip

    def build(self, input_shape: tuple) -> None:
        width = (input_shape[-1],)
        self.mean = self.add_weight(name="mean", shape=width, initializer="zeros", trainable=False)
        self.inverse = self.add_weight(name="inverse", shape=width, initializer="ones", trainable=False)

    @property
    def adapted(self) -> bool:
        """Whether there are a mean and a deviation of some data."""
        return bool(np.any(self.mean) or np.any(np.array(self.inverse) != 1))

    def adapt(self, batches: Iterable[np.ndarray]) -> None:
        """Take mean and standard deviation from batches of float32 `[series, features]` (the training part).

        Where there are no series, features stay as they are.
        """
        count, total, squares = 0, 0.0, 0.0
        for batch in batches:
            wide = batch.astype(np.float64)
            count += len(wide)
            total = total + wide.sum(axis=0)
            squares = squares + np.square(wide).sum(axis=0)
        if not count:
            return
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
        varied = deviation > 1e-6 * np.maximum(np.abs(mean), 1e-6)
        self.mean.assign(mean)
        self.inverse.assign(np.where(varied, 1.0 / np.where(varied, deviation, 1.0), 0.0))

    def forget(self) -> None:
        """Be as one that was never adapted."""
        self.mean.assign(np.zeros(self.mean.shape))
        self.inverse.assign(np.ones(self.inverse.shape))

    def call(self, features: tf.Tensor) -> tf.Tensor:
        return tf.clip_by_value((features - self.mean) * self.inverse, -self.clip, self.clip)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "clip": self.clip}
