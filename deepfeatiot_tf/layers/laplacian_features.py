"""Features of the Laplacian kernel: what a linear head needs to tell "between" from "above"."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.stats import rankdata
from sklearn.metrics.pairwise import laplacian_kernel

# Directions in which the landmarks differ less than this hold nothing that float32 can tell from rounding.
LEAST_EIGENVALUE = 1e-5
# Standardized values this close count as equal. Many series share a value exactly, a share of 0 or 1 say; one machine's
# rounding must not move such a series from the middle of its equals to their end.
TIE = 1e-4


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class LaplacianFeatures(keras.layers.Layer):
    """`k(x, landmarks) N`, k a Laplacian kernel of values and ranks: a linear head on these is a kernel machine.

    `k(x, y) = exp(−γ · mean |x − y| − ρ · mean |r(x) − r(y)|)`, where `r` is the share of the landmarks that are below
    in that feature (half of those that are equal). The landmarks are series of the training part, all of them up to
    `landmarks`, else a draw; N makes the products of two series' features their kernel (Nyström's method; exact where
    all series are landmarks). As the kernel looks at absolute differences, it bends at thresholds as a forest of trees
    does, and one odd feature does not decide alone; ranks make it finest where most series are.

    The defaults are for standardized input, chosen by leave-one-out on the training parts of six public data sets.

    Args:
        landmarks: at most, and the number of features. Default 1,000.
        gamma: γ, of the values. Default 0.5.
        rank_gamma: ρ, of the ranks. Default 2.
        seed: of the draw. Default 0.

    Input: float32 `[batch, features]`, standardized.

    Output: float32 `[batch, landmarks]`; before `adapt`, zeros.

    Raises:
        ValueError: there are to be no landmarks.

    Reference: Williams and Seeger, Using the Nyström Method to Speed Up Kernel Machines, NIPS 2000.
    """

    def __init__(
        self, landmarks: int = 1000, gamma: float = 0.5, rank_gamma: float = 2.0, seed: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        if landmarks < 1:
            raise ValueError(f"landmarks is {landmarks}; give at least 1")
        self.landmarks = landmarks
        self.gamma = gamma
        self.rank_gamma = rank_gamma
        self.seed = seed

    def build(self, input_shape: tuple) -> None:
        zeros = {"initializer": "zeros", "trainable": False}
        size = (self.landmarks, input_shape[-1])
        self.places = self.add_weight(name="places", shape=size, **zeros)
        self.ranks = self.add_weight(name="ranks", shape=size, **zeros)
        # Of a landmark in all landmarks; where there are fewer than could be, the others have none.
        self.share = self.add_weight(name="share", shape=(self.landmarks,), **zeros)
        self.normalization = self.add_weight(name="normalization", shape=(self.landmarks, self.landmarks), **zeros)

    def adapt(self, features: np.ndarray) -> None:
        """Take the landmarks from float32 `[series, features]`, the training part."""
        chosen = features[np.random.default_rng(self.seed).permutation(len(features))[: self.landmarks]]
        count, width = chosen.shape
        ranks = (rankdata(chosen, axis=0) - 0.5) / count
        scaled = np.concatenate([self.gamma / width * chosen, self.rank_gamma / width * ranks], axis=1)
        values, vectors = np.linalg.eigh(laplacian_kernel(scaled, gamma=1.0))
        kept = values > LEAST_EIGENVALUE
        rest = ((0, self.landmarks - count), (0, 0))
        self.places.assign(np.pad(chosen, rest))
        self.ranks.assign(np.pad(ranks, rest))
        self.share.assign(np.pad(np.full(count, 1 / count), rest[0]))
        normalization = np.zeros(self.normalization.shape)
        normalization[:count, : kept.sum()] = vectors[:, kept] / np.sqrt(values[kept])
        self.normalization.assign(normalization)

    def call(self, features: tf.Tensor) -> tf.Tensor:
        width = self.places.shape[1]
        exponent = tf.zeros([tf.shape(features)[0], self.landmarks])
        for column in range(width):  # one at a time: [batch, landmarks, features] would be large
            value, place = features[:, column, None], self.places[:, column]
            apart = tf.abs(value - place)
            below = tf.where(apart <= TIE, 0.5, tf.cast(place < value, tf.float32))
            rank = tf.reduce_sum(self.share * below, axis=1, keepdims=True)
            exponent += self.gamma * apart + self.rank_gamma * tf.abs(rank - self.ranks[:, column])
        return tf.matmul(tf.exp(-exponent / width), self.normalization)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.landmarks)

    def get_config(self) -> dict:
        own = {"landmarks": self.landmarks, "gamma": self.gamma, "rank_gamma": self.rank_gamma, "seed": self.seed}
        return {**super().get_config(), **own}
