"""Windows of a series as further series: more to learn from where there are few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from deepfeatiot_tf.training.further_series import further_series

# Series up to which halves are learned from unless told otherwise; see benchmarks/results/windows.csv.
FEW_SERIES = 500


def default_windows(series: int) -> tuple[int, ...]:
    """Into how many windows the series of a training part of this size are cut: halves where they are few."""
    return (2,) if series <= FEW_SERIES else ()


def windows_of(readings: np.ndarray, parts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Each series cut into windows of equal length, from its first to its last reading that is not missing.

    A sensor measures the same in the first half of its record as in the second, at other levels and hours: what tells
    the types apart has to be true of both.

    Args:
        readings: float32 `[series, time]`, NaN for missing.
        parts: into how many windows; `(2, 4)` gives the halves and the quarters.

    Returns:
        float32 `[windows, time]`, NaN behind, and int `[windows]`, the row that each comes from. A window of fewer than
        8 readings is left out.
    """

    def windows(record: np.ndarray) -> Iterator[np.ndarray]:
        for count in parts:
            length = len(record) // count
            yield from (record[i * length : (i + 1) * length] for i in range(count))

    return further_series(readings, windows)
