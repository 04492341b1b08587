"""Random Fourier features: what a linear head needs to tell "between" from "above"."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class RandomFourierFeatures(keras.layers.Layer):
    """`√2 · cos(x W + b)`, frozen: a linear head on these is a kernel machine with a Gaussian kernel.

    Args:
        width: number of features. Default 2,000.
        scale: standard deviation of the entries of W, one by the width of the Gaussian. Default 0.2, for
            standardized input (chosen on validation parts of the training data of Swiss, Iowa and SBAS).
        seed: of the draw. Default 0.

    Input: float32 `[batch, features]`, standardized.

    Output: float32 `[batch, width]`.

    Reference: Rahimi and Recht, Random Features for Large-Scale Kernel Machines, NIPS 2007.
    """

    def __init__(self, width: int = 2000, scale: float = 0.2, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        self.width = width
        self.scale = scale
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        self.directions = self.add_weight(
            name="directions",
            shape=(input_shape[-1], self.width),
            initializer=keras.initializers.RandomNormal(stddev=self.scale, seed=self.seed),
            trainable=False,
        )
        self.phases = self.add_weight(
            name="phases",
            shape=(self.width,),
            initializer=keras.initializers.RandomUniform(0.0, 6.2831853, seed=self.seed + 1),
            trainable=False,
        )

    def call(self, features: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(2.0) * tf.cos(tf.matmul(features, self.directions) + self.phases)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.width)

    def get_config(self) -> dict:
        return {**super().get_config(), "width": self.width, "scale": self.scale, "seed": self.seed}
