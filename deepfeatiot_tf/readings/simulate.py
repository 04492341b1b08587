"""A plausible fleet of sensors, made up: for first steps, tests and runs at scale."""

from __future__ import annotations

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.readings.simulate_devices import lose, observe
from deepfeatiot_tf.readings.simulate_names import LANGUAGES, describe
from deepfeatiot_tf.readings.simulate_quantities import SENSOR_TYPES, SensorType
from deepfeatiot_tf.readings.simulate_weather import STEP_MINUTES, Array, Site, simulate_site

# What the random streams of a seed are for; each site and each sensor has a stream of its own.
_SITE_STREAM, _SENSOR_STREAM = 0, 1


def simulate_fleet(
    n: int,
    *,
    seed: int = 0,
    length: int = 168,
    missing: float = 0.03,
    faults: float = 0.1,
    start: int = 0,
) -> SensorReadings:
    """Readings, sensor types and metadata of `n` sensors that do not exist.

    Sensors stand at sites of 16, one of each type, in random order; those of a site share its weather (sun,
    fronts, clouds, rain) and its owner's language. Devices differ in unit, resolution, noise, sampling period
    (5 minutes to an hour), start and number of readings. A share of them drifts, sticks or spikes; some lose
    readings.

    Sensor `i` depends on `i`, `seed`, `length`, `missing` and `faults`, never on `n` or `start`: a large
    fleet can be made in chunks, `simulate_fleet(10_000, start=0)`, `simulate_fleet(10_000, start=10_000)`, …

    Args:
        n: number of sensors.
        seed: decides everything. Default 0.
        length: readings of the longest series; one series in five is shorter and ends in NaN. Default 168.
        missing: mean share of readings lost in gaps, up to 0.5. Default 0.03.
        faults: share of devices with a fault. Default 0.1.
        start: position of the first sensor in the endless fleet of this seed. Default 0.

    Returns:
        readings with ids `"sensor-000000"`, …, labels, metadata, and all 16 sensor types as `class_names`.

    Raises:
        InputError: an argument is out of range.

    Example:
        >>> simulate_fleet(32).class_names[:3]
        ('CO2', 'PM2.5', 'air pressure')
    """
    _check_arguments(n, seed, length, missing, faults, start)
    kinds = len(SENSOR_TYPES)
    values = np.full((n, length), np.nan, dtype=np.float32)
    labels, metadata = [], []
    for number in range(start // kinds, -(-(start + n) // kinds)):
        rng = _stream(seed, _SITE_STREAM, number)
        order = rng.permutation(kinds)
        language = LANGUAGES[rng.integers(len(LANGUAGES))]
        site = simulate_site(rng, steps=length * 60 // STEP_MINUTES)
        for place in range(kinds):
            index = number * kinds + place
            if start <= index < start + n:
                kind = SENSOR_TYPES[order[place]]
                readings, text = _simulate_sensor(
                    _stream(seed, _SENSOR_STREAM, index), site, kind, language, length, missing, faults
                )
                values[index - start, : len(readings)] = readings
                labels.append(kind.label)
                metadata.append(text)
    return SensorReadings(
        values,
        ids=[f"sensor-{i:06d}" for i in range(start, start + n)],
        labels=labels,
        metadata=metadata,
        class_names=sorted(kind.label for kind in SENSOR_TYPES),
        name="simulated fleet",
    )


def _simulate_sensor(
    rng: np.random.Generator,
    site: Site,
    kind: SensorType,
    language: str,
    length: int,
    missing: float,
    faults: float,
) -> tuple[Array, str]:
    weights = np.array([unit.weight for unit in kind.units])
    unit = kind.units[rng.choice(len(weights), p=weights / weights.sum())]
    count = length if rng.random() < 0.8 else max(int(length * rng.uniform(0.4, 1)), 1)
    readings = observe(rng, kind, unit, kind.quantity(site, rng), count, faults)
    return lose(rng, readings, missing), describe(rng, kind.label, unit.symbol, language)


def _stream(seed: int, what: int, number: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(what, number)))


def _check_arguments(n: int, seed: int, length: int, missing: float, faults: float, start: int) -> None:
    for what, value, least in (("n", n, 0), ("seed", seed, 0), ("start", start, 0), ("length", length, 1)):
        if value < least:
            raise InputError(f"simulate_fleet: {what}={value}; give at least {least}")
    for what, share, most in (("missing", missing, 0.5), ("faults", faults, 1.0)):
        if not 0 <= share <= most:
            raise InputError(f"simulate_fleet: {what}={share}; give a share from 0 to {most}")
