"""Summary statistics of raw readings: cheap features that carry scale and resolution."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from deepfeatiot_tf.layers.input_channels import interpolate, series_length, signed_log

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
STEP_QUANTILES = (0.0, 0.25, 0.5)
SMALLEST_STEP = 1e-6
LAGS = (1, 2, 3, 6, 12, 24)
DECIMALS = (0, 1, 2)


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class SummaryStatistics(keras.layers.Layer):
    """Level, spread, resolution and short-term memory of each series; frozen, NaN-safe, in float32.

    In order (`s` is `sign(x) · log(1 + |x|)`, which keeps every scale and stays finite):

    - `s` of the quantiles 0, 5, 25, 50, 75, 95, 100 % of the readings, and of their first differences;
    - `s` of mean and standard deviation of the readings and of the differences;
    - shares of readings that are zero, negative, equal to the one before, and whole to 0, 1 and 2 decimals;
    - autocorrelation at lags of 1, 2, 3, 6, 12 and 24 readings;
    - log of the quantiles 0, 25, 50 % of the steps, the differences by size that are not zero: what a device resolves
      (1e-6, in the readings' unit, is the least that counts; a series without steps has that);
    - number of distinct readings by the number of readings;
    - share of missing readings.

    A series without readings gives zeros, but for the steps.

    Input: readings float32 `[batch, time]`, NaN for missing.

    Output: float32 `[batch, 35]`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})

    def call(self, readings: tf.Tensor) -> tf.Tensor:
        observed = tf.math.is_finite(readings)
        inside = tf.sequence_mask(series_length(observed), tf.shape(readings)[1])
        # Halved, so that differences and sums of squares of readings near the end of float32 stay finite.
        scale = tf.maximum(_reduce(tf.reduce_max, tf.abs(readings), observed), 1.0)
        x = interpolate(readings, observed) / scale
        change = x[:, 1:] - x[:, :-1]
        known = observed[:, 1:] & observed[:, :-1]
        columns = [
            *_levels(x, observed, scale),
            *_levels(change, known, scale),
            _share(tf.equal(readings, 0.0), observed),
            _share(readings < 0.0, observed),
            _share(tf.equal(readings[:, 1:], readings[:, :-1]), known),
            *(_share(_is_whole(readings, places), observed) for places in DECIMALS),
            *_autocorrelations(x, inside),
            _steps(change, known, scale),
            _distinct(readings, observed),
            _share(~observed, inside),
        ]
        return tf.concat(columns, axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], 2 * (len(QUANTILES) + 2) + 3 + len(DECIMALS) + len(LAGS) + len(STEP_QUANTILES) + 2)

    def compute_output_spec(self, readings: Any) -> Any:
        return keras.KerasTensor(self.compute_output_shape(readings.shape), "float32")


def _reduce(reducer: Any, x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    return reducer(tf.where(mask, x, 0.0), axis=1, keepdims=True)


def _mean(x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(_reduce(tf.reduce_sum, x, mask), _reduce(tf.reduce_sum, tf.ones_like(x), mask))


def _share(condition: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    return _mean(tf.cast(condition, tf.float32), mask)


def _levels(x: tf.Tensor, mask: tf.Tensor, scale: tf.Tensor) -> list[tf.Tensor]:
    """Quantiles, mean and standard deviation of the masked values, times `scale`, on the log scale."""
    mean = _mean(x, mask)
    deviation = tf.sqrt(_mean(tf.square(x - mean), mask))
    levels = tf.concat([_quantiles(x, mask, QUANTILES), mean, deviation], axis=1)
    # log(1 + |l · scale|) without the product where it may overflow.
    large = tf.math.log(tf.maximum(tf.abs(levels), 1e-30)) + tf.math.log(scale)
    logs = tf.where(large > 40.0, large, signed_log(tf.abs(levels) * scale))
    return [tf.sign(levels) * logs]


def _quantiles(x: tf.Tensor, mask: tf.Tensor, quantiles: tuple[float, ...]) -> tf.Tensor:
    """Linear quantiles of the masked values of each row; 0 for a row without any."""
    if x.shape[1] == 0:
        return tf.zeros([tf.shape(x)[0], len(quantiles)])
    x = tf.pad(x, [[0, 0], [0, 1]])
    mask = tf.pad(mask, [[0, 0], [0, 1]])
    ordered = tf.sort(tf.where(mask, x, x.dtype.max), axis=1)
    last = tf.maximum(_reduce(tf.reduce_sum, tf.ones_like(x), mask) - 1.0, 0.0)
    at = last * tf.constant([quantiles])
    below = tf.floor(at)
    low, high = (tf.gather(ordered, tf.cast(i, tf.int32), batch_dims=1) for i in (below, tf.minimum(below + 1.0, last)))
    some = tf.reduce_any(mask, axis=1, keepdims=True)
    return tf.where(some, low + (high - low) * (at - below), 0.0)


def _steps(change: tf.Tensor, known: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    steps = _quantiles(tf.abs(change), known & tf.not_equal(change, 0.0), STEP_QUANTILES)
    logs = tf.math.log(tf.maximum(steps, 1e-30)) + tf.math.log(scale)
    return tf.maximum(logs, tf.math.log(SMALLEST_STEP))


def _distinct(x: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    # Sorted, with what is masked out repeating the largest reading there can be, which is then no new one.
    ordered = tf.sort(tf.where(mask, x, x.dtype.max), axis=1)
    new = tf.cast(tf.not_equal(ordered[:, 1:], ordered[:, :-1]) & (ordered[:, 1:] < x.dtype.max), tf.float32)
    count = tf.reduce_sum(tf.cast(mask, tf.float32), axis=1, keepdims=True)
    first = tf.minimum(count, 1.0)
    return tf.math.divide_no_nan(first + tf.reduce_sum(new, axis=1, keepdims=True), count)


def _is_whole(x: tf.Tensor, places: int) -> tf.Tensor:
    """Whether a float32 reading is a decimal of so many places, to the precision that float32 has there."""
    shifted = x * 10.0**places
    tolerance = tf.maximum(tf.abs(shifted) * 2.0**-22, 1e-4)
    return tf.abs(shifted - tf.round(shifted)) <= tolerance


def _autocorrelations(x: tf.Tensor, inside: tf.Tensor) -> list[tf.Tensor]:
    # From the lowest, so that a series that does not move is 0, where its mean could be off by rounding.
    x = x - tf.reduce_min(tf.where(inside, x, x.dtype.max), axis=1, keepdims=True)
    centred = tf.where(inside, x - _mean(x, inside), 0.0)
    # Divided by the largest deviation first: squares of small ones would vanish.
    centred = tf.math.divide_no_nan(centred, tf.reduce_max(tf.abs(centred), axis=1, keepdims=True))
    power = tf.reduce_sum(tf.square(centred), axis=1, keepdims=True)
    padded = tf.pad(centred, [[0, 0], [0, max(LAGS)]])
    time = tf.shape(x)[1]
    return [
        tf.math.divide_no_nan(tf.reduce_sum(centred * padded[:, lag : lag + time], axis=1, keepdims=True), power)
        for lag in LAGS
    ]
