"""From raw readings with NaN in them to the channels that the other layers read."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

MODES = ("robust", "paper")


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class InputChannels(keras.layers.Layer):
    """Fill and scale raw readings inside the graph.

    `"paper"` is the published input: the raw values as one channel, missing readings replaced by a constant
    (DeepFeatIoT's code writes −1 for SBAS; DeepMetaIoT 1e-16).

    `"robust"` keeps the absolute level, because scale is information, and bounds every channel, so that readings
    of 1e30 and constant series are harmless. Missing readings are interpolated linearly. Channels, in order:

    0. level: `sign(x) · log(1 + |x|)`;
    1. shape: the series standardized to mean 0 and standard deviation 1 (0 where it is constant);
    2. change: first differences, divided by their root mean square;
    3. gap: 1 where the reading is missing.

    Everything after a series' last reading is 0, so a series padded to a greater length gives the same features.

    Args:
        mode: `"robust"` or `"paper"`. Default `"robust"`.
        missing_value: what stands for a missing reading in `"paper"` mode. Default −1.

    Input: float32 `[batch, time]`, in the sensors' own units, NaN for missing.

    Output: a pair: channels float32 `[batch, time, 4]` (`[batch, time, 1]` in `"paper"` mode), and int32 `[batch]`,
    the length of each series up to its last reading (`time` in `"paper"` mode, which knows no padding).

    Raises:
        ValueError: `mode` is neither.

    Example:
        >>> channels, length = InputChannels()(np.array([[20.0, np.nan, 22.0]], "float32"))
        >>> channels.shape
        TensorShape([1, 3, 4])
    """

    def __init__(self, mode: str = "robust", missing_value: float = -1.0, **kwargs: Any) -> None:
        # Raw readings overflow float16; the channels are computed in float32 whatever the policy.
        super().__init__(**{**kwargs, "dtype": "float32"})
        if mode not in MODES:
            raise ValueError(f"mode is {mode!r}; give one of {MODES}")
        self.mode = mode
        self.missing_value = missing_value

    def call(self, readings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        observed = tf.math.is_finite(readings)
        if self.mode == "paper":
            filled = tf.where(observed, readings, self.missing_value)
            length = tf.fill(tf.shape(readings)[:1], tf.shape(readings)[1])
            return filled[..., None], length
        length = series_length(observed)
        inside = tf.sequence_mask(length, tf.shape(readings)[1])
        filled = interpolate(readings, observed)
        channels = [
            signed_log(filled),
            _standardize(filled, inside),
            _scaled_change(filled, inside),
            tf.cast(inside & ~observed, tf.float32),
        ]
        return tf.where(inside[..., None], tf.stack(channels, axis=-1), 0.0), length

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, 1 if self.mode == "paper" else 4), input_shape[:1]

    def compute_output_spec(self, readings: Any) -> Any:
        channels, length = self.compute_output_shape(readings.shape)
        return keras.KerasTensor(channels, "float32"), keras.KerasTensor(length, "int32")

    def get_config(self) -> dict:
        return {**super().get_config(), "mode": self.mode, "missing_value": self.missing_value}


def series_length(observed: tf.Tensor) -> tf.Tensor:
    """int32 `[batch]`: the position after the last observed reading of bool `[batch, time]`; 0 for none."""
    positions = tf.range(1, tf.shape(observed)[1] + 1)
    return tf.maximum(tf.reduce_max(tf.where(observed, positions, 0), axis=1), 0)  # of no time at all, too


def signed_log(x: tf.Tensor) -> tf.Tensor:
    """`sign(x) · log(1 + |x|)`: like asinh, and finite for every finite float32."""
    return tf.sign(x) * tf.math.log1p(tf.abs(x))


def interpolate(readings: tf.Tensor, observed: tf.Tensor) -> tf.Tensor:
    """Fill gaps of float32 `[batch, time]` linearly; ends take the nearest reading; no reading at all gives 0."""
    time = tf.shape(readings)[1]
    order = tf.argsort(tf.cast(~observed, tf.int32), axis=1, stable=True)  # observed positions first
    seen = tf.cumsum(tf.cast(observed, tf.int32), axis=1)
    total = seen[:, -1:]
    before = tf.gather(order, tf.clip_by_value(seen - 1, 0, time - 1), batch_dims=1)
    after = tf.gather(order, tf.clip_by_value(tf.minimum(seen, total - 1), 0, time - 1), batch_dims=1)
    here = tf.range(time)[None]
    span = tf.maximum(after - before, 1)
    share = tf.cast(tf.clip_by_value(here - before, 0, span), tf.float32) / tf.cast(span, tf.float32)
    known = tf.where(observed, readings, 0.0)
    left, right = (tf.gather(known, at, batch_dims=1) for at in (before, after))
    # Between equals lies no other: rounding would make steps of 1e-7 in a series that does not move.
    between = tf.where(left == right, left, left * (1.0 - share) + right * share)
    return tf.where(observed, readings, between)


def _standardize(x: tf.Tensor, inside: tf.Tensor) -> tf.Tensor:
    # Shifted and divided by the range first: squares of large readings would overflow, and the mean of
    # nearly equal ones would lose its last digits.
    highest = tf.reduce_max(tf.where(inside, x, x.dtype.min), axis=1, keepdims=True)
    lowest = tf.reduce_min(tf.where(inside, x, x.dtype.max), axis=1, keepdims=True)
    half_range = highest * 0.5 - lowest * 0.5
    unit = tf.math.divide_no_nan(x * 0.5 - lowest * 0.5, half_range)
    mean = _mean(unit, inside)
    deviation = tf.sqrt(_mean(tf.square(unit - mean), inside))
    return tf.math.divide_no_nan(unit - mean, deviation)


def _scaled_change(x: tf.Tensor, inside: tf.Tensor) -> tf.Tensor:
    half = tf.pad(x[:, 1:] * 0.5 - x[:, :-1] * 0.5, [[0, 0], [1, 0]])
    half = tf.where(inside, half, 0.0)
    unit = tf.math.divide_no_nan(half, tf.reduce_max(tf.abs(half), axis=1, keepdims=True))
    return tf.math.divide_no_nan(unit, tf.sqrt(_mean(tf.square(unit), inside)))


def _mean(x: tf.Tensor, inside: tf.Tensor) -> tf.Tensor:
    count = tf.reduce_sum(tf.cast(inside, tf.float32), axis=1, keepdims=True)
    return tf.math.divide_no_nan(tf.reduce_sum(tf.where(inside, x, 0.0), axis=1, keepdims=True), count)
