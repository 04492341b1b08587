"""Random Fourier features: what a linear head needs to tell "between" from "above"."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class RandomFourierFeatures(keras.layers.Layer):
    """`√2 · cos(x W + b)`, frozen: a linear head on these is a kernel machine.

    Each column of W reads a few of the features: the kernel is then the mean of Gaussian kernels over such draws, to
    which a feature that says nothing matters less. With all of them read it is one Gaussian kernel.

    The defaults are for standardized input, chosen by leave-one-out on the training data of Swiss, Iowa and SBAS.

    Args:
        width: number of features. Default 4,000.
        reads: how many of its inputs each feature reads (all, where there are no more). Default 6.
        scale: standard deviation of the entries of W, one by the width of the Gaussian. Default 0.7.
        seed: of the draw. Default 0.

    Input: float32 `[batch, features]`, standardized.

    Output: float32 `[batch, width]`.

    Raises:
        ValueError: a size is not positive.

    Reference: Rahimi and Recht, Random Features for Large-Scale Kernel Machines, NIPS 2007.
    """

    def __init__(self, width: int = 4000, reads: int = 6, scale: float = 0.7, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        if min(width, reads) < 1:
            raise ValueError(f"width={width}, reads={reads}: give positive sizes")
        self.width = width
        self.reads = reads
        self.scale = scale
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        self.directions = self.add_weight(
            name="directions",
            shape=(input_shape[-1], self.width),
            initializer=self._draw,
            trainable=False,
        )
        self.phases = self.add_weight(
            name="phases",
            shape=(self.width,),
            initializer=keras.initializers.RandomUniform(0.0, 6.2831853, seed=self.seed + 1),
            trainable=False,
        )

    def _draw(self, shape: tuple[int, int], dtype: str) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        chosen = rng.random(shape).argsort(axis=0) < self.reads
        return (rng.normal(scale=self.scale, size=shape) * chosen).astype(dtype)

    def call(self, features: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(2.0) * tf.cos(tf.matmul(features, self.directions) + self.phases)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.width)

    def get_config(self) -> dict:
        sizes = {"width": self.width, "reads": self.reads, "scale": self.scale, "seed": self.seed}
        return {**super().get_config(), **sizes}
