"""DFT: the dense feature transform that brings every branch to one width before the fusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class DenseFeatureTransform(keras.layers.Layer):
    """Dense layers with ReLU, each followed by layer normalization.

    Args:
        widths: of the dense layers. Default (64,) (published; the randomized branch has (1024, 64)).
        dropout: share of the input features dropped in training. Default 0 (published).
        seed: of the initial weights and the dropout. Default 0.

    Input: `[batch, features]`.

    Output: `[batch, widths[-1]]`.

    Reference: DeepFeatIoT (arXiv 2508.09468), dense feature transform.
    """

    def __init__(self, widths: Sequence[int] = (64,), dropout: float = 0.0, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widths = tuple(widths)
        self.dropout = dropout
        self.seed = seed
        self.drop = keras.layers.Dropout(dropout, seed=seed, dtype=self.dtype_policy)
        self.dense = [
            keras.layers.Dense(
                width,
                activation="relu",
                kernel_initializer=keras.initializers.GlorotUniform(seed + i),
                dtype=self.dtype_policy,
            )
            for i, width in enumerate(self.widths)
        ]
        self.norms = [keras.layers.LayerNormalization(dtype=self.dtype_policy) for _ in self.widths]

    def build(self, input_shape: tuple) -> None:
        for dense, norm in zip(self.dense, self.norms, strict=True):
            dense.build(input_shape)
            input_shape = dense.compute_output_shape(input_shape)
            norm.build(input_shape)

    def call(self, features: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        x = self.drop(features, training=training)
        for dense, norm in zip(self.dense, self.norms, strict=True):
            x = norm(dense(x))
        return x

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.widths[-1])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "widths": self.widths,
            "dropout": self.dropout,
            "seed": self.seed,
        }
