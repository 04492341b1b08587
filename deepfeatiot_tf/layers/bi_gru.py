"""The global branch: a stack of bidirectional GRUs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class BiGRU(keras.layers.Layer):
    """Bidirectional GRUs with batch normalization after each; the last one gives its final states.

    Args:
        units: of each GRU, per direction. Default (128, 128, 64) (published).
        stride: consecutive steps averaged into one before the first GRU, which makes the branch that much
            quicker. Default 1 (published).
        relu: whether a ReLU ends the branch. Default True (DeepFeatIoT; DeepHeteroIoT has none).
        mask_value: steps whose channels all have this value are passed over, as DeepMetaIoT does with missing readings
            that are filled with 1e-16; only with `stride=1` and without `length`. Default None: no step is.
        seed: of the initial weights. Default 0.

    Input: channels float32 `[batch, time, channels]` and the optional `length` int32 `[batch]` of each series.

    Output: `[batch, 2 · units[-1]]`: R128 in the paper.

    Raises:
        ValueError: `stride` is below 1, or above it with a `mask_value`.

    Reference: DeepFeatIoT (arXiv 2508.09468), global features.
    """

    def __init__(
        self,
        units: Sequence[int] = (128, 128, 64),
        stride: int = 1,
        relu: bool = True,
        mask_value: float | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if stride < 1:
            raise ValueError(f"stride is {stride}; give 1 or more")
        if mask_value is not None and stride > 1:
            raise ValueError(f"stride is {stride}; steps can be passed over with stride 1 only")
        self.units = tuple(units)
        self.stride = stride
        self.relu = relu
        self.mask_value = mask_value
        self.seed = seed
        self.grus = [
            keras.layers.Bidirectional(
                self._gru(width, last=i == len(self.units) - 1, seed=seed + 4 * i),
                backward_layer=self._gru(width, last=i == len(self.units) - 1, seed=seed + 4 * i + 2, backwards=True),
                dtype=self.dtype_policy,
            )
            for i, width in enumerate(self.units)
        ]
        self.norms = [keras.layers.BatchNormalization(dtype=self.dtype_policy) for _ in self.units]

    def _gru(self, width: int, *, last: bool, seed: int, backwards: bool = False) -> keras.layers.GRU:
        return keras.layers.GRU(
            width,
            return_sequences=not last,
            go_backwards=backwards,
            kernel_initializer=keras.initializers.GlorotUniform(seed),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed + 1),
            dtype=self.dtype_policy,
        )

    def build(self, channels_shape: tuple, length_shape: tuple | None = None) -> None:
        shape = (channels_shape[0], None, channels_shape[-1])
        for gru, norm in zip(self.grus, self.norms, strict=True):
            gru.build(shape)
            shape = (*shape[: len(shape) - 1], 2 * gru.forward_layer.units)
            norm.build(shape if gru is not self.grus[-1] else (shape[0], shape[-1]))

    def call(self, channels: tf.Tensor, length: tf.Tensor | None = None, training: bool | None = None) -> tf.Tensor:
        x, inside = channels, None
        if length is not None:
            x, inside = _average_steps(x, length, self.stride)
        elif self.stride > 1:
            x, _ = _average_steps(x, tf.fill(tf.shape(x)[:1], tf.shape(x)[1]), self.stride)
        elif self.mask_value is not None:
            x, inside = _without_gaps(x, tf.reduce_any(x != tf.cast(self.mask_value, x.dtype), axis=-1))
        read = inside
        if inside is not None:
            # cuDNN refuses a series of no steps: such a one is read as one step, and the answer dropped.
            read = tf.concat([tf.ones_like(inside[:, :1]), inside[:, 1:]], axis=1)
        for gru, norm in zip(self.grus[:-1], self.norms[:-1], strict=True):
            x = norm(gru(x, mask=read, training=training), mask=inside, training=training)
        x = self.grus[-1](x, mask=read, training=training)
        if inside is not None:
            x = tf.where(tf.reduce_any(inside, axis=1, keepdims=True), x, tf.zeros_like(x))
        x = self.norms[-1](x, training=training)
        return tf.nn.relu(x) if self.relu else x

    def compute_output_shape(self, channels_shape: tuple, length_shape: tuple | None = None) -> tuple:
        return (channels_shape[0], 2 * self.units[-1])

    def compute_output_spec(self, channels: Any, length: Any = None, training: bool | None = None) -> Any:
        return keras.KerasTensor(self.compute_output_shape(channels.shape), self.compute_dtype)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "stride": self.stride,
            "relu": self.relu,
            "mask_value": self.mask_value,
            "seed": self.seed,
        }


def _average_steps(x: tf.Tensor, length: tf.Tensor, stride: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Means of `stride` consecutive steps inside each series, and the mask of those that hold any."""
    steps = -(-tf.shape(x)[1] // stride)
    inside = tf.sequence_mask(length, steps * stride, dtype=x.dtype)[..., None]
    x = tf.pad(x, [[0, 0], [0, steps * stride - tf.shape(x)[1]], [0, 0]]) * inside
    x, inside = (tf.reshape(t, [tf.shape(x)[0], steps, stride, t.shape[-1]]) for t in (x, inside))
    count = tf.reduce_sum(inside, axis=2)
    return tf.reduce_sum(x, axis=2) / tf.maximum(count, 1), count[..., 0] > 0


def _without_gaps(x: tf.Tensor, inside: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The steps to read, moved together at the start, and their mask: cuDNN passes over steps at the end only."""
    order = tf.argsort(tf.cast(~inside, tf.int32), axis=1, stable=True)
    steps = tf.reduce_sum(tf.cast(inside, tf.int32), axis=1)
    return tf.gather(x, order, batch_dims=1), tf.sequence_mask(steps, tf.shape(x)[1])
