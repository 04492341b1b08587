"""What a closed-form head learns from beside the series: parts and altered copies of them, as further series."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

# Fewer readings say little about a sensor.
LEAST_READINGS = 8


def further_series(
    readings: np.ndarray, made_of: Callable[[np.ndarray], Iterable[np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """What is made of each series, from its first to its last reading that is not missing.

    Args:
        readings: float32 `[series, time]`, NaN for missing.
        made_of: from the readings of a series `[length]` to those of further ones, none longer than it.

    Returns:
        float32 `[rows, time]`, NaN behind, and int `[rows]`, the row that each comes from. What has fewer than 8
        readings is left out.
    """
    found: list[np.ndarray] = []
    rows: list[int] = []
    for row, series in enumerate(readings):
        present = np.flatnonzero(~np.isnan(series))
        record = series[present[0] : present[-1] + 1] if len(present) else series[:0]
        for made in made_of(record):
            if np.count_nonzero(~np.isnan(made)) >= LEAST_READINGS:
                found.append(made)
                rows.append(row)
    out = np.full((len(found), readings.shape[1]), np.nan, np.float32)
    for place, made in enumerate(found):
        out[place, : len(made)] = made
    return out, np.array(rows, int)
