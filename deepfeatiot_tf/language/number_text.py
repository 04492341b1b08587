"""Readings written as text, in TensorFlow ops alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

STYLES = ("plain", "published")
SAMPLINGS = ("thin", "mean", "cut")
# All that a number's text is made of, in either style.
ALPHABET = " 0123456789.+-ena[]"
# A reading is three tokens at least as published ("[", "5", ".]"), and the text is cut to a token per reading.
PUBLISHED_TOKENS = 3
FLOAT32_DIGITS = 9
SMALLEST = np.finfo(np.float32).smallest_normal


class NumberText:
    """Writes each series as numbers with a space between, oldest first.

    A series has as many readings as come up to its last one. Style `"plain"` writes a reading with `digits`
    significant digits, as C's `%g`: `21.5`, `-0.25`, `1.013e+05`, `1e-07`. Zero has no sign, what is nearer to it than
    1.2e-38 is zero, and the decimal sign is a point in every locale. A reading that is missing, or infinite, is `nan`;
    a series without readings is one `nan`. Style `"published"` writes readings as NumPy prints an array of one float32,
    `[21.5] [22.] [nan]`, from the first on: as many as the token budget of that style, a token per reading, can hold.

    Args:
        style: `"plain"` or `"published"`. Default `"plain"`.
        readings: at most per series, in style `"plain"`. Default 60.
        digits: significant ones, 1 to 9, in style `"plain"`. Default 4.
        sampling: how a longer series is brought to `readings`: `"thin"` takes evenly spaced ones, `"mean"` averages
            those of as many stretches, `"cut"` takes the first. Default `"thin"`.

    Raises:
        ValueError: an option is none of these.

    Example:
        >>> texts, present = NumberText()(tf.constant([[21.5, float("nan"), -0.25]]))
        >>> b"".join(texts.numpy()[0])
        b'21.5 nan -0.25'

    Reference: the published style is that of DeepFeatIoT's code (arXiv 2508.09468).
    """

    def __init__(self, style: str = "plain", readings: int = 60, digits: int = 4, sampling: str = "thin") -> None:
        if style not in STYLES:
            raise ValueError(f"style is {style!r}; give one of {', '.join(STYLES)}")
        if sampling not in SAMPLINGS:
            raise ValueError(f"sampling is {sampling!r}; give one of {', '.join(SAMPLINGS)}")
        if readings < 1:
            raise ValueError(f"readings is {readings}; give at least 1")
        if not 1 <= digits <= FLOAT32_DIGITS:
            raise ValueError(f"digits is {digits}; give 1 to {FLOAT32_DIGITS}")
        self.style = style
        self.readings = readings
        self.digits = digits
        self.sampling = sampling

    def get_config(self) -> dict[str, Any]:
        """The arguments, as JSON can have them."""
        return {"style": self.style, "readings": self.readings, "digits": self.digits, "sampling": self.sampling}

    def describe(self) -> str:
        """The format in a few words, for logs and reports."""
        if self.style == "published":
            return "published, [21.5] [22.], cut to a token per reading"
        how = {"thin": "evenly spaced", "mean": "means of stretches", "cut": "the first"}[self.sampling]
        return f"plain, {self.digits} digits, up to {self.readings} readings ({how})"

    def __call__(self, values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Write series.

        Args:
            values: float32 `[batch, time]`, NaN for missing.

        Returns:
            string `[batch, n]`, a reading each, every one but the first with its separator before it; and bool
            `[batch, n]`, which of them the series has.
        """
        values = tf.where(tf.math.is_finite(values), values, float("nan"))
        lengths = tf.maximum(series_lengths(values), 1)
        values = tf.pad(values, [[0, 0], [0, 1]], constant_values=float("nan"))  # a series of no length has one, too
        longest = tf.reduce_max(tf.concat([lengths, [1]], 0))
        if self.style == "published":
            kept = tf.math.floordiv(longest - 1, PUBLISHED_TOKENS) + 1
            taken, numbers = _first(values, lengths, kept), _as_numpy_prints
        else:
            kept = tf.minimum(longest, self.readings)
            take = {"thin": _evenly_spaced, "mean": _stretch_means, "cut": _first}[self.sampling]
            taken, numbers = take(values, lengths, kept), self._as_printf
        texts = numbers(taken)
        texts = tf.concat([texts[:, :1], " " + texts[:, 1:]], axis=1)
        return texts, tf.sequence_mask(tf.minimum(lengths, kept), kept)

    def _as_printf(self, values: tf.Tensor) -> tf.Tensor:
        # Zero without a sign; and what TensorFlow takes for zero in some threads is zero in all.
        values = tf.where(tf.abs(values) < SMALLEST, 0.0, values)
        texts = _point(tf.strings.as_string(values, shortest=True, precision=self.digits))
        return tf.where(tf.math.is_nan(values), "nan", texts)


def series_lengths(values: tf.Tensor) -> tf.Tensor:
    """int32 `[batch]`: readings up to the last one, 0 where there is none."""
    places = tf.range(1, tf.shape(values)[1] + 1)
    return tf.maximum(tf.reduce_max(tf.where(tf.math.is_finite(values), places, 0), axis=1), 0)


def _first(values: tf.Tensor, lengths: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    del lengths
    return values[:, :kept]


def _evenly_spaced(values: tf.Tensor, lengths: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    """From the first reading to the last, rounded down to a reading that is there."""
    steps = tf.cast(tf.range(kept), tf.int64)
    lengths = tf.cast(lengths, tf.int64)[:, None]
    last = tf.cast(tf.maximum(kept - 1, 1), tf.int64)
    places = tf.where(lengths > tf.cast(kept, tf.int64), steps * (lengths - 1) // last, steps)
    return tf.gather(values, places, batch_dims=1)


def _stretch_means(values: tf.Tensor, lengths: tf.Tensor, kept: tf.Tensor) -> tf.Tensor:
    """Means of `kept` stretches of equal length; of what is there, NaN where a stretch has nothing."""
    batch, time = tf.unstack(tf.shape(values, tf.int64))
    kept = tf.cast(kept, tf.int64)
    stretches = tf.minimum(tf.cast(lengths, tf.int64), kept)[:, None]
    place = tf.range(time) * stretches // tf.cast(lengths, tf.int64)[:, None]
    there = tf.math.is_finite(values) & (place < stretches)
    segment = tf.where(there, tf.range(batch)[:, None] * kept + place, -1)  # -1 is dropped
    total = tf.math.unsorted_segment_sum(tf.cast(values, tf.float64), segment, batch * kept)
    count = tf.math.unsorted_segment_sum(tf.cast(there, tf.float64), segment, batch * kept)
    means = tf.where(count > 0, total / tf.maximum(count, 1), float("nan"))
    return tf.cast(tf.reshape(means, [batch, kept]), tf.float32)


def _as_numpy_prints(values: tf.Tensor) -> tf.Tensor:
    """As `str(np.array([value], np.float32))`: the shortest decimal that is this float32 and no other.

    In powers of ten below 1e-4 and from 1e8 on, else with at most eight decimals.
    """
    powers = tf.zeros_like(values, tf.string)
    for digits in range(FLOAT32_DIGITS, 0, -1):
        shorter = _point(tf.strings.as_string(values, scientific=True, precision=digits - 1))
        same = tf.strings.to_number(shorter, tf.float32) == values
        powers = shorter if digits == FLOAT32_DIGITS else tf.where(same, shorter, powers)
    shortest = tf.strings.as_string(tf.strings.to_number(powers, tf.float64), precision=8)
    exact = tf.strings.as_string(tf.cast(values, tf.float64), precision=8)
    whole = tf.strings.to_number(_point(shortest), tf.float32) == values  # eight decimals hold it
    plain = tf.strings.regex_replace(_point(tf.where(whole, shortest, exact)), "0+$", "")
    powers = tf.strings.regex_replace(powers, r"^(-?\d)e", r"\1.e")
    size = tf.abs(values)
    texts = tf.where((size >= 1e-4) & (size < 1e8) | (size == 0), plain, powers)
    texts = tf.where(tf.math.is_nan(values), "nan", texts)
    return "[" + texts + "]"


def _point(texts: tf.Tensor) -> tf.Tensor:
    """The decimal sign is the process's; where that is a comma, a point instead."""
    return tf.strings.regex_replace(texts, ",", ".")
