"""Augmented copies of a series as further series: what tells the types apart has to be true of a worse sensor, too."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

import numpy as np

from deepfeatiot_tf.training.further_series import further_series

# Steps smaller than this share of the largest reading are rounding of float32, and no resolution.
LEAST_STEP = 1e-6


def with_noise(record: np.ndarray, most: int) -> np.ndarray:
    """Up to `most` steps of the sensor's resolution up or down, drawn by chance and for the same record always alike.

    The resolution is the least difference between two readings: of averages, next to nothing. Zeros stay: what is off,
    dry or dark does not flicker. A reading of fewer steps than that from zero may fall below it.
    """
    readings = record[~np.isnan(record)]
    steps = np.diff(np.unique(readings[np.isfinite(readings)]))
    steps = steps[steps > LEAST_STEP * np.abs(readings).max(initial=0.0)]
    if not len(steps):
        return record
    generator = np.random.default_rng([zlib.crc32(readings.tobytes()), most])
    moves = generator.integers(-most, most, len(readings), endpoint=True)
    noisy = record.copy()
    noisy[~np.isnan(record)] = np.where(readings == 0, readings, readings + steps.min() * moves)
    return noisy


def at_half_rate(record: np.ndarray) -> np.ndarray:
    """Every other reading: the sensor reports half as often."""
    return record[::2]


# In the order in which copies are made; see benchmarks/results/augmentation.csv.
AUGMENTATIONS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    partial(with_noise, most=1),
    at_half_rate,
    partial(with_noise, most=2),
    partial(with_noise, most=3),
)


def augmented(readings: np.ndarray, copies: int) -> tuple[np.ndarray, np.ndarray]:
    """So many copies of each series, altered from its first to its last reading that is not missing.

    Args:
        readings: float32 `[series, time]`, NaN for missing.
        copies: of each series, by the first of `AUGMENTATIONS`.

    Returns:
        float32 `[rows, time]`, NaN behind, and int `[rows]`, the row that each comes from. A copy of fewer than 8
        readings is left out.
    """
    return further_series(readings, lambda record: [alter(record) for alter in AUGMENTATIONS[:copies]])
