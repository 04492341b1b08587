"""Two answers in one: what a solved head says and what a network trained beside it says."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar

# What no series says yet: a share of one half, with the weight of so many series on either side.
PRIOR_SERIES = 4.0
SMALLEST = 1e-7


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class Blend(keras.layers.Layer):
    """`(1 − share) · solved + share · learned`, probabilities both; in training `learned` alone.

    The network is trained as if it were alone: on the series that it learns from, a solved head is right about nearly
    all and would leave it nothing to learn. `adapt` then takes the share from series that neither of the two learned
    from, so that a network that learned little counts for little.

    Input: `solved` and `learned`, float32 `[batch, classes]`, probabilities.

    Output: float32 `[batch, classes]`. Before `adapt`, the share is one half.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})

    def build(self, solved_shape: tuple, learned_shape: tuple) -> None:
        self.share = self.add_weight(
            name="share", shape=(), initializer=keras.initializers.Constant(0.5), trainable=False
        )

    def adapt(
        self, solved: np.ndarray, learned: np.ndarray, one_hot: np.ndarray, weights: np.ndarray | None = None
    ) -> None:
        """Take the share under which the true classes are most likely.

        One half counts as if eight more series had spoken for it, four for either side; a handful of series settles
        nothing.

        Args:
            solved: float `[series, classes]`, of series that nothing was learned from.
            learned: float `[series, classes]`, the same of the network.
            one_hot: `[series, classes]`, their labels.
            weights: float `[series]`, what each counts for beside the others, in any unit. Default: all the same.
        """
        counts = np.ones(len(one_hot)) if weights is None else np.asarray(weights, np.float64)
        if counts.any():
            counts = counts / counts[counts > 0].mean()
        true = one_hot.argmax(axis=1)[:, None]
        first, second = (np.take_along_axis(np.asarray(each, np.float64), true, axis=1) for each in (solved, learned))

        def cost(share: float) -> float:
            mixed = np.maximum((1 - share) * first + share * second, SMALLEST)
            return -float(counts @ np.log(mixed[:, 0]) + PRIOR_SERIES * np.log(share * (1 - share)))

        self.share.assign(minimize_scalar(cost, bounds=(SMALLEST, 1 - SMALLEST), method="bounded").x)

    def call(self, solved: tf.Tensor, learned: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if training:
            return learned
        return (1.0 - self.share) * solved + self.share * learned

    def compute_output_shape(self, solved_shape: tuple, learned_shape: tuple) -> tuple:
        return tuple(solved_shape)

    def compute_output_spec(self, solved: Any, learned: Any, training: bool | None = None) -> Any:
        return keras.KerasTensor(solved.shape, "float32")
