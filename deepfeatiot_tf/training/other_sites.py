"""Copies of a series as another site would report it: in another unit, to fewer decimals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from scipy import constants

from deepfeatiot_tf.training.further_series import further_series

# Units that stations report one quantity in; of each, one of it in the first, and where its zero lies there.
UNITS: tuple[dict[str, tuple[float, float]], ...] = (
    {"degC": (1.0, 0.0), "degF": (constants.degree_Fahrenheit, -32 * constants.degree_Fahrenheit)},
    {"hPa": (1.0, 0.0), "kPa": (10.0, 0.0), "inHg": (constants.inch * constants.mmHg * 10, 0.0)},
    {"m/s": (1.0, 0.0), "km/h": (constants.kmh, 0.0), "mph": (constants.mph, 0.0), "knot": (constants.knot, 0.0)},
    {"mm": (1.0, 0.0), "inch": (constants.inch * 1000, 0.0)},
    {"km": (1.0, 0.0), "mile": (constants.mile / 1000, 0.0)},
)
# Nobody reports what a conversion gives to more decimals than these.
CONVERTED_DECIMALS = 2
FEWER_DECIMALS = (1, 0)


def check_units(units: Iterable[str]) -> None:
    """A `ValueError` for a unit that is not in `UNITS`; `""` stands for one that has no others."""
    known = [unit for quantity in UNITS for unit in quantity]
    for unit in units:
        if unit not in ("", *known):
            raise ValueError(
                f"unit {unit!r} is none of {', '.join(known)}; leave out types that are reported in one unit everywhere"
            )


def other_sites(readings: np.ndarray, units: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Copies of each series in the other units of its quantity, and of these and itself to one decimal and to none.

    What another site's sensors of a type have in common with these is the quantity, not the unit or the resolution of
    the logger. A copy that is the same as another is left out, and one that no longer moves where the series does.

    Args:
        readings: float32 `[series, time]`, NaN for missing.
        units: of each series, as in `UNITS`; `""` for one that has no others.

    Returns:
        float32 `[rows, time]`, NaN behind, and int `[rows]`, the row that each comes from.
    """
    kinds = np.asarray(units)
    found = [np.empty((0, readings.shape[1]), np.float32)]
    origins = [np.empty(0, int)]
    for unit in np.unique(kinds):
        mine = np.flatnonzero(kinds == unit)
        copies, rows = further_series(readings[mine], partial(_elsewhere, unit=str(unit)))
        found.append(copies)
        origins.append(mine[rows])
    return np.concatenate(found), np.concatenate(origins)


def _elsewhere(record: np.ndarray, unit: str) -> Iterator[np.ndarray]:
    exact = record.astype(np.float64)
    seen = [record.astype(np.float32)]
    for each in (exact, *(converted.round(CONVERTED_DECIMALS) for converted in _in_other_units(exact, unit))):
        for rounded in (each, *(each.round(decimals) for decimals in FEWER_DECIMALS)):
            copy = rounded.astype(np.float32)  # in which alone a reading to so many decimals is the same again
            if _moves(copy) == _moves(seen[0]) and not any(np.array_equal(copy, one, equal_nan=True) for one in seen):
                seen.append(copy)
                yield copy


def _moves(record: np.ndarray) -> bool:
    return len(np.unique(record[np.isfinite(record)])) > 1


def _in_other_units(record: np.ndarray, unit: str) -> Iterator[np.ndarray]:
    quantity = next((quantity for quantity in UNITS if unit in quantity), {})
    for other, (factor, zero) in quantity.items():
        if other != unit:
            mine, my_zero = quantity[unit]
            yield (record * mine + my_zero - zero) / factor
