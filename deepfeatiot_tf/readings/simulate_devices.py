"""What becomes of a perfect reading in a real device: noise, faults, units, resolution, gaps."""

from __future__ import annotations

import numpy as np

from deepfeatiot_tf.readings.simulate_quantities import SensorType, Unit
from deepfeatiot_tf.readings.simulate_weather import STEP_HOURS, STEP_MINUTES, Array

# Readings that devices report when they fail: bus errors, full scale, an unplugged probe, the power-on value.
_ERROR_READINGS = (0.0, -127.0, 85.0, -40.0, 1023.0, 65535.0)


def observe(rng: np.random.Generator, kind: SensorType, unit: Unit, truth: Array, count: int, faults: float) -> Array:
    """The `count` readings that one device of this kind makes of the perfect signal, with no gaps yet.

    Args:
        rng: the device's own.
        kind: its sensor type.
        unit: the unit it reports in.
        truth: float64 `[steps]`, every five minutes, base unit; long enough for `count` readings.
        count: readings to return.
        faults: probability that the device has a fault.
    """
    readings = sample(rng, kind, truth, count) + rng.normal(0, kind.bias)
    readings += kind.noise * rng.lognormal(0, 0.5) * rng.standard_normal(count)
    fault = (drifting, stuck, spiking)[rng.integers(3)] if rng.random() < faults else None
    if fault is drifting:
        readings = drifting(rng, readings)
    readings = np.clip(readings, kind.floor, kind.ceiling) * unit.factor + unit.offset
    readings = to_resolution(readings, rng.choice(unit.resolutions))
    return readings if fault in (None, drifting) else fault(rng, readings)


def sample(rng: np.random.Generator, kind: SensorType, truth: Array, count: int) -> Array:
    """Readings at one of the kind's sampling periods, from a random moment on."""
    every = int(rng.choice(kind.periods)) // STEP_MINUTES
    start = rng.integers(len(truth) - count * every + 1)
    periods = truth[start : start + count * every].reshape(count, every)
    if kind.reading == "total":
        return running_total(rng, periods.sum(axis=1) * STEP_HOURS)
    if kind.reading == "either" and rng.random() < 0.5:
        return periods.mean(axis=1)
    return periods[:, -1]


def running_total(rng: np.random.Generator, amounts: Array) -> Array:
    """Each period's amount, or (one device in four) the sum since the counter was last reset."""
    if rng.random() < 0.25:
        return rng.exponential(20) + np.cumsum(amounts)
    return amounts


def to_resolution(readings: Array, resolution: float) -> Array:
    """Multiples of the resolution, without the tails of binary fractions."""
    return np.round(np.round(readings / resolution) * resolution, 6)


def drifting(rng: np.random.Generator, readings: Array) -> Array:
    """The zero wanders off, steadily, by up to a few times what the readings spread."""
    spread = readings.std() + 0.01 * abs(readings.mean())
    return readings + rng.normal(0, 1.5) * spread * np.linspace(0, 1, len(readings))


def stuck(rng: np.random.Generator, readings: Array) -> Array:
    """One value repeats for up to two thirds of the time."""
    start, end = stretch(rng, len(readings), 0.66)
    return np.concatenate([readings[:start], np.full(end - start, readings[start]), readings[end:]])


def spiking(rng: np.random.Generator, readings: Array) -> Array:
    """A few readings are error values or tenfold."""
    hit = rng.random(len(readings)) < rng.uniform(0.005, 0.04)
    wrong = rng.choice(_ERROR_READINGS) if rng.random() < 0.7 else 10 * readings
    return np.where(hit, wrong, readings)


def lose(rng: np.random.Generator, readings: Array, missing: float) -> Array:
    """NaN where a reading got lost: single ones to a poor link, stretches to an outage. One always stays.

    Args:
        rng: the device's own.
        readings: float64 `[count]`.
        missing: mean share lost over the fleet, half of it singly. Three devices in five lose nothing.
    """
    if rng.random() < 0.6:
        return readings
    share = missing / 0.4 / 2
    lost = rng.random(len(readings)) < min(rng.exponential(share), 0.9)
    start, end = stretch(rng, len(readings), min(2 * share, 0.9))
    lost[start:end] = True
    lost[rng.integers(len(readings))] = False
    return np.where(lost, np.nan, readings)


def stretch(rng: np.random.Generator, count: int, share: float) -> tuple[int, int]:
    """Start and end of a random stretch of up to `share` of `count` readings."""
    length = int(rng.uniform(0, share) * count)
    start = int(rng.integers(count - length))
    return start, start + length
