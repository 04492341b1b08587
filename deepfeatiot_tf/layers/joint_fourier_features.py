"""Random Fourier features of two inputs together."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class JointFourierFeatures(keras.layers.Layer):
    """`√2 · cos(x W + y V + b)`, frozen: a linear head on these knows "this x with that y".

    Its kernel is the product of a kernel of `x` and one of `y`: two rows are alike if they are alike in both. That of
    `x` is the mean of Gaussian kernels that read a few of its features each; that of `y` is one Gaussian kernel.

    The defaults are for ranks of summary statistics and standardized sentence embeddings, chosen on validation
    parts of the training data of TS-M, TS-N and SensEUR.

    Args:
        width: number of features. Default 8,000.
        reads: how many of the features of `x` each one reads. Default 2.
        x_scale: standard deviation of the entries of W. Default 1.
        y_scale: standard deviation of the entries of V. Default 0.08.
        seed: of the draw. Default 0.

    Input: `x` float32 `[batch, a]` and `y` float32 `[batch, b]`, standardized.

    Output: float32 `[batch, width]`.

    Raises:
        ValueError: a size is not positive.

    Reference: Rahimi and Recht, Random Features for Large-Scale Kernel Machines, NIPS 2007.
    """

    def __init__(
        self,
        width: int = 8000,
        reads: int = 2,
        x_scale: float = 1.0,
        y_scale: float = 0.08,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        if min(width, reads) < 1:
            raise ValueError(f"width={width}, reads={reads}: give positive sizes")
        self.width = width
        self.reads = reads
        self.x_scale = x_scale
        self.y_scale = y_scale
        self.seed = seed

    def build(self, x_shape: tuple, y_shape: tuple) -> None:
        self.x_directions = self.add_weight(
            name="x_directions", shape=(x_shape[-1], self.width), initializer=self._draw_x, trainable=False
        )
        self.y_directions = self.add_weight(
            name="y_directions", shape=(y_shape[-1], self.width), initializer=self._draw_y, trainable=False
        )
        self.phases = self.add_weight(
            name="phases",
            shape=(self.width,),
            initializer=keras.initializers.RandomUniform(0.0, 6.2831853, seed=self.seed + 2),
            trainable=False,
        )

    def _draw_x(self, shape: tuple[int, int], dtype: str) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        chosen = rng.random(shape).argsort(axis=0) < self.reads
        return (rng.normal(scale=self.x_scale, size=shape) * chosen).astype(dtype)

    def _draw_y(self, shape: tuple[int, int], dtype: str) -> np.ndarray:
        return np.random.default_rng(self.seed + 1).normal(scale=self.y_scale, size=shape).astype(dtype)

    def call(self, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        angles = tf.matmul(x, self.x_directions) + tf.matmul(y, self.y_directions) + self.phases
        return tf.sqrt(2.0) * tf.cos(angles)

    def compute_output_shape(self, x_shape: tuple, y_shape: tuple) -> tuple:
        return (*x_shape[:-1], self.width)

    def compute_output_spec(self, x: Any, y: Any) -> Any:
        return keras.KerasTensor((*x.shape[:-1], self.width), "float32")

    def get_config(self) -> dict:
        sizes = {name: getattr(self, name) for name in ("width", "reads", "x_scale", "y_scale", "seed")}
        return {**super().get_config(), **sizes}
