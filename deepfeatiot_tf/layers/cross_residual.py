"""The cross-residual block: two encodings, each completed by what the other says."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class CrossResidual(keras.layers.Layer):
    """A round adds to each of two encodings a function of the other, both at once.

    `F(x) = LN(dense(ReLU(LN(dense(ReLU(LN(dropout(dense(x)))))))))`, with dense layers as wide as `x`, half as wide,
    and as wide as `y`; then `y' = ReLU(LN(dropout(F(x) + y)))`, and the same from `y` to `x`.

    Args:
        rounds: how often; each round has its own weights. Default 1 (published).
        dropout: share of the numbers dropped in training. Default 0.3 (published).
        seed: of the initial weights and the dropout. Default 0.

    Input: `x` `[batch, a]` and `y` `[batch, b]`.

    Output: the pair of `x'` `[batch, a]` and `y'` `[batch, b]`.

    Raises:
        ValueError: `rounds` is below 1.

    Reference: DeepMetaIoT (IEEE Internet of Things Journal, 2025), cross-residual block.
    """

    def __init__(self, rounds: int = 1, dropout: float = 0.3, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; give 1 or more")
        self.rounds = rounds
        self.dropout = dropout
        self.seed = seed
        # Two crossings a round: from x to y, from y to x.
        self.crossings = [
            (self._crossing(seed + 20 * i), self._crossing(seed + 20 * i + 10)) for i in range(self.rounds)
        ]

    def _crossing(self, seed: int) -> _Crossing:
        return _Crossing(self.dropout, seed, dtype=self.dtype_policy)

    def build(self, x_shape: tuple, y_shape: tuple) -> None:
        for to_y, to_x in self.crossings:
            to_y.build(x_shape, y_shape)
            to_x.build(y_shape, x_shape)

    def call(self, x: tf.Tensor, y: tf.Tensor, training: bool | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        for to_y, to_x in self.crossings:
            x, y = to_x(y, x, training=training), to_y(x, y, training=training)
        return x, y

    def compute_output_shape(self, x_shape: tuple, y_shape: tuple) -> tuple:
        return tuple(x_shape), tuple(y_shape)

    def compute_output_spec(self, x: Any, y: Any, training: bool | None = None) -> Any:
        return keras.KerasTensor(x.shape, self.compute_dtype), keras.KerasTensor(y.shape, self.compute_dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "rounds": self.rounds, "dropout": self.dropout, "seed": self.seed}


class _Crossing(keras.layers.Layer):
    """`ReLU(LN(dropout(F(source) + target)))`."""

    def __init__(self, dropout: float, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.drops = [keras.layers.Dropout(dropout, seed=seed + i, dtype=self.dtype_policy) for i in range(2)]
        self.norms = [keras.layers.LayerNormalization(dtype=self.dtype_policy) for _ in range(4)]

    def build(self, source_shape: tuple, target_shape: tuple) -> None:
        width, target = source_shape[-1], target_shape[-1]
        widths = (width, max(width // 2, 1), target)
        self.dense = [
            keras.layers.Dense(
                units, kernel_initializer=keras.initializers.GlorotUniform(self.seed + i), dtype=self.dtype_policy
            )
            for i, units in enumerate(widths)
        ]
        for dense, read in zip(self.dense, (width, *widths), strict=False):
            dense.build((None, read))
        for norm, units in zip(self.norms, (*widths, target), strict=True):
            norm.build((None, units))

    def call(self, source: tf.Tensor, target: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        x = tf.nn.relu(self.norms[0](self.drops[0](self.dense[0](source), training=training)))
        x = tf.nn.relu(self.norms[1](self.dense[1](x)))
        x = self.norms[2](self.dense[2](x))
        return tf.nn.relu(self.norms[3](self.drops[1](x + tf.cast(target, x.dtype), training=training)))
