"""The local branch: convolutions at several time scales, side by side."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

# Of the running statistics, which shall have settled after some hundred steps.
MOMENTUM = 0.9


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class MultiScaleConv(keras.layers.Layer):
    """Learnable causal convolutions, one stack per kernel size, averaged over time and concatenated.

    Each stack: for every entry of `filters`, `depth` convolutions with ReLU, then a maximum over pairs (not after
    the last entry); then the mean over the time steps inside the series.

    Args:
        kernel_sizes: one stack each. Default (3, 5, 7, 11) (published).
        filters: of each block in a stack. Default (128, 64, 64) (published).
        depth: convolutions per block. Default 3 (published).
        normalized: whether a batch normalization stands between each convolution and its ReLU. Default False
            (published).
        seed: of the initial weights. Default 0.

    Input: channels float32 `[batch, time, channels]` and the optional `length` int32 `[batch]` of each series.

    Output: `[batch, len(kernel_sizes) · filters[-1]]`: R256 in the paper.

    Reference: DeepFeatIoT (arXiv 2508.09468), local features.
    """

    def __init__(
        self,
        kernel_sizes: Sequence[int] = (3, 5, 7, 11),
        filters: Sequence[int] = (128, 64, 64),
        depth: int = 3,
        normalized: bool = False,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_sizes = tuple(kernel_sizes)
        self.filters = tuple(filters)
        self.depth = depth
        self.normalized = normalized
        self.seed = seed
        seeds = iter(range(seed, seed + len(self.kernel_sizes) * len(self.filters) * depth))
        self.stacks = [
            [[self._conv(size, width, next(seeds)) for _ in range(depth)] for width in self.filters]
            for size in self.kernel_sizes
        ]
        self.norms = [[[self._norm() for _ in block] for block in stack] for stack in self.stacks] if normalized else []
        self.halve = keras.layers.MaxPooling1D(2, padding="same", dtype=self.dtype_policy)

    def _conv(self, size: int, width: int, seed: int) -> keras.layers.Conv1D:
        return keras.layers.Conv1D(
            width,
            size,
            padding="causal",
            use_bias=not self.normalized,
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            dtype=self.dtype_policy,
        )

    def _norm(self) -> keras.layers.BatchNormalization:
        return keras.layers.BatchNormalization(momentum=MOMENTUM, dtype=self.dtype_policy)

    def build(self, channels_shape: tuple, length_shape: tuple | None = None) -> None:
        for stack in self.stacks:
            width = channels_shape[-1]
            for block in stack:
                for conv in block:
                    conv.build((*channels_shape[:2], width))
                    width = conv.filters
        for stack, norms in zip(self.stacks, self.norms, strict=False):
            for block, row in zip(stack, norms, strict=True):
                for conv, norm in zip(block, row, strict=True):
                    norm.build((*channels_shape[:2], conv.filters))

    def call(self, channels: tf.Tensor, length: tf.Tensor | None = None, training: bool | None = None) -> tf.Tensor:
        if length is None:
            length = tf.fill(tf.shape(channels)[:1], tf.shape(channels)[1])
        # The convolution of no series at all has the width of what it reads: it gets one, which is cut off.
        series = tf.shape(channels)[0]
        spare = tf.maximum(1 - series, 0)
        channels, length = tf.pad(channels, [[0, spare], [0, 0], [0, 0]]), tf.pad(length, [[0, spare]])
        each = itertools.zip_longest(self.stacks, self.norms)
        means = [self._stack(stack, norms, channels, length, training) for stack, norms in each]
        return tf.concat(means, axis=-1)[:series]

    def _stack(
        self, stack: list, norms: list | None, x: tf.Tensor, length: tf.Tensor, training: bool | None
    ) -> tf.Tensor:
        for number, block in enumerate(stack):
            if number:
                # Causal convolutions look back only, so padding behind a series reaches no step inside it;
                # zeroed, it cannot win a maximum over ReLU outputs either.
                x = self.halve(x * _inside(x, length))
                length = (length + 1) // 2
            inside = _inside(x, length)[..., 0] > 0
            for place, conv in enumerate(block):
                x = conv(x)
                if norms is not None:
                    x = norms[number][place](x, training=training, mask=inside)
                x = tf.nn.relu(x)
        # In float32: float16 cannot count past 2,048 steps.
        total = tf.reduce_sum(tf.cast(x * _inside(x, length), tf.float32), axis=1)
        mean = total / tf.cast(tf.maximum(length, 1), tf.float32)[:, None]
        return tf.cast(mean, x.dtype)

    def compute_output_shape(self, channels_shape: tuple, length_shape: tuple | None = None) -> tuple:
        return (channels_shape[0], len(self.kernel_sizes) * self.filters[-1])

    def compute_output_spec(self, channels: Any, length: Any = None, training: bool | None = None) -> Any:
        return keras.KerasTensor(self.compute_output_shape(channels.shape), self.compute_dtype)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "kernel_sizes": self.kernel_sizes,
            "filters": self.filters,
            "depth": self.depth,
            "normalized": self.normalized,
            "seed": self.seed,
        }


def _inside(x: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
    return tf.sequence_mask(length, tf.shape(x)[1], dtype=x.dtype)[..., None]
