"""Features of a kernel of two inputs together."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.layers.laplacian_features import LaplacianFeatures


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class JointKernelFeatures(LaplacianFeatures):
    """`k(x, landmarks) · g(e, landmarks) N`: a linear head on these knows "this x with that e".

    Two rows are alike if they are alike in both: k is the kernel of `LaplacianFeatures`, `g(e, f) = exp(−τ |ê − f̂|²)` a
    Gaussian one of embeddings of length 1. Landmarks, importances and N as there.

    The defaults are for statistics of readings and sentence embeddings, chosen on validation parts of the training data
    of TS-M, TS-N and SensEUR.

    Args:
        landmarks: see `LaplacianFeatures`. Default 1,000.
        gamma: see `LaplacianFeatures`. Default 0.5.
        rank_gamma: see `LaplacianFeatures`. Default 2.
        embedding_gamma: τ. Default 2.
        seed: see `LaplacianFeatures`. Default 0.

    Input: `x` float32 `[batch, features]`, standardized, and `embedding` float32 `[batch, width]`, of any length.

    Output: float32 `[batch, landmarks]`; before `adapt`, zeros.

    Raises:
        ValueError: there are to be no landmarks.
    """

    def __init__(
        self,
        landmarks: int = 1000,
        gamma: float = 0.5,
        rank_gamma: float = 2.0,
        embedding_gamma: float = 2.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(landmarks, gamma, rank_gamma, seed, **kwargs)
        self.embedding_gamma = embedding_gamma

    def build(self, x_shape: tuple, embedding_shape: tuple) -> None:  # type: ignore[override]
        super().build(x_shape)
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.landmarks, embedding_shape[-1]), initializer="zeros", trainable=False
        )

    def adapt(self, x: np.ndarray, embedding: np.ndarray, one_hot: np.ndarray) -> None:  # type: ignore[override]
        """Take landmarks and importances from the training part.

        Args:
            x: float32 `[series, features]`.
            embedding: float32 `[series, width]`.
            one_hot: float32 `[series, classes]`, their labels.
        """
        chosen = self._adapt_places(x, one_hot)
        units = np.array(_unit(embedding[chosen]))
        self.embeddings.assign(np.pad(units, ((0, self.landmarks - len(chosen)), (0, 0))))
        alike = np.array(self._alike(tf.constant(units)), np.float64)[:, : len(chosen)]
        self._normalize(self._kernel_of_places()[: len(chosen), : len(chosen)] * alike, len(chosen))

    def call(self, x: tf.Tensor, embedding: tf.Tensor) -> tf.Tensor:  # type: ignore[override]
        return tf.matmul(self._kernel(x) * self._alike(_unit(embedding)), self.normalization)

    def _alike(self, units: tf.Tensor) -> tf.Tensor:
        # |a − b|² of vectors of length 1.
        return tf.exp(-self.embedding_gamma * (2.0 - 2.0 * tf.matmul(units, self.embeddings, transpose_b=True)))

    def compute_output_shape(self, x_shape: tuple, embedding_shape: tuple) -> tuple:  # type: ignore[override]
        return (*x_shape[:-1], self.landmarks)

    def compute_output_spec(self, x: Any, embedding: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(x.shape, embedding.shape), "float32")

    def get_config(self) -> dict:
        return {**super().get_config(), "embedding_gamma": self.embedding_gamma}


def _unit(embedding: tf.Tensor) -> tf.Tensor:
    return tf.math.l2_normalize(tf.cast(embedding, tf.float32), axis=1)
