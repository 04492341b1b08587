"""The randomized branch: frozen random convolution kernels, pooled over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# Under XLA a step of 40 series by 8 windows keeps its operands in cache and its code small.
SERIES_PER_CALL = 40
WINDOWS_PER_STEP = 8
# In plain ops a step takes as many windows of one series as give so many answers. Fewer make more steps; twice as many
# are memory that the allocator may give back to the system after each, and take anew.
PLAIN_ANSWERS_PER_STEP = 160_000
SAMPLINGS = ("published", "centred")


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class RandomKernels(keras.layers.Layer):
    """What each series answers to frozen random kernels: proportion of positive values (PPV), and maximum.

    `"published"` kernels are those of DeepFeatIoT's code: weights N(0, 0.05²), no bias, pooled by maximum and PPV; by
    default 10,000 kernels of length 9 and dilation 4. It is not ROCKET's sampling. `"centred"` kernels (ours) have
    weights of sum 0 and length 1 and a bias N(0, 1), and are pooled by PPV alone: on standardized channels each asks
    how often one pattern is stronger than one threshold, where PPV without a bias only knows the sign.

    A window counts only where it lies wholly inside the series; a series shorter than a kernel's reach is one window,
    padded with zeros. Nothing is learned.

    With `jit_compile` the transform is one XLA program: products, maximum and count are fused, so that no
    convolution output is ever stored; memory grows with `batch × kernels`, not with time. Without it the same
    numbers come from plain ops, for servers that have no XLA.

    Args:
        kernels: number of kernels. Default 10,000 (published).
        length: weights per kernel. Default 9 (published).
        dilation: steps between the weights, or a pair `(lowest, highest)`: the kernels are then dealt to lowest, twice
            lowest, … up to highest. Default 4 (published).
        sampling: `"published"` or `"centred"`. Default `"published"`.
        seed: of the draw. Default 0.
        jit_compile: whether to run under XLA. Default True.

    Input: channels float32 `[batch, time, channels]` (the kernels are dealt to the channels; each reads one), and the
    optional `length` int32 `[batch]` of each series.

    Output: float32 `[batch, 2 · kernels]`: all maxima, then all PPVs; of centred kernels `[batch, kernels]`, PPVs.

    Raises:
        ValueError: a size is not positive, the dilations do not ascend, or the sampling is unknown.

    Reference: DeepFeatIoT (arXiv 2508.09468), randomized features, R20000. Kernels of sum 0 with a bias, pooled by PPV:
    Dempster et al., MiniRocket, KDD 2021 (theirs are a fixed set, with thresholds taken from the data).
    """

    def __init__(
        self,
        kernels: int = 10_000,
        length: int = 9,
        dilation: int | tuple[int, int] = 4,
        sampling: str = "published",
        seed: int = 0,
        jit_compile: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        lowest, highest = map(int, (dilation, dilation) if isinstance(dilation, int | np.integer) else dilation)
        if min(kernels, length, lowest) < 1 or lowest > highest:
            raise ValueError(
                f"kernels={kernels}, length={length}, dilation={dilation}: give positive sizes, ascending dilations"
            )
        if sampling not in SAMPLINGS:
            raise ValueError(f"sampling is {sampling!r}; give one of {', '.join(SAMPLINGS)}")
        self.kernels = int(kernels)
        self.length = int(length)
        self.dilation = lowest if isinstance(dilation, int | np.integer) else (lowest, highest)
        self.dilations = [lowest * 2**i for i in range(int(np.log2(highest / lowest)) + 1)]
        self.sampling = sampling
        self.seed = int(seed)
        self.jit_compile = jit_compile
        self.supports_jit = jit_compile  # the plain ops have sizes that XLA would have to know beforehand

    def build(self, channels_shape: tuple, length_shape: tuple | None = None) -> None:
        centred = self.sampling == "centred"
        published = keras.initializers.RandomNormal(stddev=0.05, seed=self.seed)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.length, self.kernels),
            initializer=self._draw_centred if centred else published,
            trainable=False,
        )
        self.bias = None
        if centred:
            normal = keras.initializers.RandomNormal(stddev=1.0, seed=self.seed + 1)
            self.bias = self.add_weight(name="bias", shape=(self.kernels,), initializer=normal, trainable=False)

    def _draw_centred(self, shape: tuple[int, int], dtype: str) -> np.ndarray:
        weights = np.random.default_rng(self.seed).normal(size=shape)
        weights -= weights.mean(axis=0)
        # A single weight of sum 0 is 0.
        return (weights / np.maximum(np.linalg.norm(weights, axis=0), 1e-12)).astype(dtype)

    def call(self, channels: tf.Tensor, length: tf.Tensor | None = None) -> tf.Tensor:
        if length is None:
            length = tf.fill(tf.shape(channels)[:1], tf.shape(channels)[1])
        pool = self._pool_by_xla if self.jit_compile else self._pool_by_plain_ops
        highest, share = pool(channels, length)
        return share if self.sampling == "centred" else tf.concat([highest, share], axis=1)

    def _pool_by_plain_ops(self, channels: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        width = channels.shape[2]
        # One channel alone has no axis: plain products and sums are quicker than those of a batch of one.
        channels_axis = [width] if width > 1 else []
        dealt = _dealt(*self._weights(), self._deal(width))
        kernel, bias = (tf.reshape(each, [len(self.dilations), *channels_axis, *each.shape[1:]]) for each in dealt)

        def pool_series(row: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, ...]:
            x, length = row
            signals = tf.reshape(tf.transpose(x), [*channels_axis, tf.shape(x)[0]])
            pooled = [
                _pool_series(signals, length, kernel[i], None if self.bias is None else bias[i], dilation)
                for i, dilation in enumerate(self.dilations)
            ]
            return tuple(tf.reshape(parts, [-1])[: self.kernels] for parts in zip(*pooled, strict=True))

        # No complex numbers here, as under XLA: a TFLite interpreter has none.
        return tf.map_fn(pool_series, (channels, length), fn_output_signature=(tf.float32, tf.float32))

    def _pool_by_xla(self, channels: tf.Tensor, length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Calls of one static shape: one compilation per series length, whatever the batch.
        batch, time, width = tf.shape(channels)[0], tf.shape(channels)[1], channels.shape[2]
        calls = -(-batch // SERIES_PER_CALL)
        fill = calls * SERIES_PER_CALL - batch
        channels = tf.pad(channels, [[0, fill], [0, 0], [0, 0]])
        kernel, bias = self._weights()
        groups = tuple(self._deal(width))
        pooled = tf.map_fn(
            lambda call: _pool_call(*call, kernel, bias, groups),
            (
                tf.reshape(channels, [calls, SERIES_PER_CALL, time, width]),
                tf.reshape(tf.pad(length, [[0, fill]]), [calls, SERIES_PER_CALL]),
            ),
            fn_output_signature=tf.complex64,
        )
        pooled = tf.reshape(pooled, [-1, self.kernels])[:batch]
        return tf.math.real(pooled), tf.math.imag(pooled)

    def _weights(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Kernels `[taps, kernels]` and biases `[kernels]`."""
        bias = tf.zeros([self.kernels]) if self.bias is None else tf.convert_to_tensor(self.bias)
        return tf.convert_to_tensor(self.kernel), bias

    def _deal(self, width: int) -> list[tuple[int, int]]:
        """The groups of kernels, each of one dilation and one channel."""
        return [(dilation, channel) for dilation in self.dilations for channel in range(width)]

    def compute_output_shape(self, channels_shape: tuple, length_shape: tuple | None = None) -> tuple:
        return (channels_shape[0], self.kernels if self.sampling == "centred" else 2 * self.kernels)

    def compute_output_spec(self, channels: Any, length: Any = None) -> Any:
        return keras.KerasTensor(self.compute_output_shape(channels.shape), "float32")

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "kernels": self.kernels,
            "length": self.length,
            "dilation": self.dilation,
            "sampling": self.sampling,
            "seed": self.seed,
            "jit_compile": self.jit_compile,
        }


@partial(tf.function, jit_compile=True, autograph=False)
def _pool_call(
    channels: tf.Tensor, length: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, groups: tuple[tuple[int, int], ...]
) -> tf.Tensor:
    """complex64 `[batch, kernels]`: maximum + i · PPV. One tensor, so that XLA fuses both into one loop.

    The groups take turns in a loop, not in code of their own, so that the program is compiled as quickly for
    twelve groups as for one. It has no weights of its own, so that layers of the same sizes share one program.

    Args:
        channels: `[batch, time, channels]`.
        length: int `[batch]`, of each series.
        kernel: `[taps, kernels]`.
        bias: `[kernels]`.
        groups: dilation and channel of each group of kernels, which are all of one size but the last.
    """
    taps, kernels = kernel.shape
    kernel, bias = _dealt(kernel, bias, groups)
    dilations, reads = (tf.constant(column) for column in zip(*groups, strict=True))
    time = tf.shape(channels)[1]
    beyond = (taps - 1) * max(dilation for dilation, _ in groups) + 2 * WINDOWS_PER_STEP
    signals = tf.transpose(tf.pad(channels, [[0, 0], [0, beyond], [0, 0]]), [2, 0, 1])

    def pool_group(group: tf.Tensor) -> tf.Tensor:
        reach = (taps - 1) * dilations[group] + 1
        windows = tf.maximum(length - reach + 1, 1)
        steps = -(-tf.maximum(time - reach + 1, 1) // WINDOWS_PER_STEP)
        at = tf.range(WINDOWS_PER_STEP)[:, None] + tf.range(taps) * dilations[group]
        return _pool_group(signals[reads[group]], kernel[group], bias[group], at, windows, steps)

    pooled = tf.map_fn(pool_group, tf.range(len(groups)), fn_output_signature=tf.complex64)
    pooled = tf.reshape(tf.transpose(pooled, [1, 0, 2]), [-1, tf.size(bias)])
    return pooled[:, :kernels]


def _dealt(kernel: tf.Tensor, bias: tf.Tensor, groups: Sequence[tuple[int, int]]) -> tuple[tf.Tensor, tf.Tensor]:
    """Kernels `[groups, taps, share]` and biases `[groups, share]`, the last of them zeros where the shares ask for it.

    Args:
        kernel: `[taps, kernels]`.
        bias: `[kernels]`.
        groups: as `_pool_call` has them.
    """
    taps, kernels = kernel.shape
    share = -(-kernels // len(groups))
    fill = share * len(groups) - kernels
    kernel = tf.reshape(tf.pad(kernel, [[0, 0], [0, fill]]), [taps, len(groups), share])
    return tf.transpose(kernel, [1, 0, 2]), tf.reshape(tf.pad(bias, [[0, fill]]), [len(groups), share])


def _pool_group(
    x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, taps: tf.Tensor, windows: tf.Tensor, steps: tf.Tensor
) -> tf.Tensor:
    """complex64 `[batch, kernels]` of one group, for XLA: fused products.

    Args:
        x: `[batch, time]`, padded behind.
        kernel: `[taps, kernels]`.
        bias: `[kernels]`, taken from each answer.
        taps: int `[step, taps]`, where the first `step` windows take their readings.
        windows: int `[batch]`, the windows inside each series.
        steps: times that `step` windows are taken.
    """
    step = taps.shape[0]

    def look(i: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        outside = tf.where(i * step + tf.range(step) < windows[:, None], 0.0, -np.inf)
        return tf.gather(x, i * step + taps, axis=1), outside

    # What a step sees is looked up a step ahead and carried: XLA then stores it (small), where it would
    # otherwise look every reading up again for every kernel.
    def body(i: tf.Tensor, seen: tf.Tensor, outside: tf.Tensor, carry: tf.Tensor) -> tuple:
        highest, count = _answer(seen, outside, kernel, bias, tf.math.real(carry), tf.math.imag(carry))
        return i + 1, *look(i + 1), tf.complex(highest, count)

    none = tf.zeros([tf.shape(x)[0] if x.shape[0] is None else x.shape[0], kernel.shape[1]])
    start = (tf.constant(0), *look(tf.constant(0)), tf.complex(none - np.inf, none))
    *_, carry = tf.while_loop(lambda i, *_: i < steps, body, start)
    return tf.complex(tf.math.real(carry), tf.math.imag(carry) / tf.cast(windows, tf.float32)[:, None])


def _answer(
    seen: tf.Tensor, outside: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, highest: tf.Tensor, count: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Elementwise products that XLA fuses into one vectorized loop over the kernels."""
    for window in range(seen.shape[1]):
        answer = outside[:, window, None] - bias
        for tap in range(seen.shape[2]):
            answer = answer + seen[:, window, tap, None] * kernel[tap]
        highest = tf.maximum(highest, answer)
        count = count + tf.cast(answer > 0.0, tf.float32)
    return highest, count


def _pool_series(
    signals: tf.Tensor, length: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None, dilation: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Maxima and PPVs `[channels, share]` of one dilation and one series, in plain ops: matrix products.

    Args:
        signals: `[channels, time]`; here and below, one channel alone has no axis.
        length: int, of the series.
        kernel: `[channels, taps, share]`.
        bias: `[channels, share]`, or None.
        dilation: of these kernels.
    """
    *channels, taps, share = kernel.shape
    reach = (taps - 1) * dilation + 1
    windows = tf.maximum(length - reach + 1, 1)
    signals = tf.pad(signals, [*([0, 0] for _ in channels), [0, tf.maximum(reach - tf.shape(signals)[-1], 0)]])
    seen = tf.gather(signals, tf.range(windows)[:, None] + tf.range(taps) * dilation, axis=-1)
    threshold = 0.0 if bias is None else tf.expand_dims(bias, -2)
    step = max(1, PLAIN_ANSWERS_PER_STEP // math.prod([*channels, share]))

    def body(at: tf.Tensor, highest: tf.Tensor, count: tf.Tensor) -> tuple:
        # Not by an ellipsis that stands for no axis, which the converter of TFLite does not take.
        answer = tf.matmul(seen[(*(slice(None) for _ in channels), slice(at, at + step))], kernel)
        highest = tf.maximum(highest, tf.reduce_max(answer, axis=-2))
        count = count + tf.reduce_sum(tf.cast(answer > threshold, tf.float32), axis=-2)
        return at + step, highest, count

    none = tf.zeros([*channels, share])
    start = (tf.constant(0), none - np.inf, none)
    _, highest, count = tf.while_loop(lambda at, *_: at < windows, body, start)
    return highest if bias is None else highest - bias, count / tf.cast(windows, tf.float32)
