"""What each sensor of a simulated site would read if it were perfect, and the table of sensor types.

Every quantity is one function of the site and of the sensor's own random generator (where it hangs, how it is
used). It returns float64 `[steps]` in the base unit that the table names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from deepfeatiot_tf.readings.simulate_weather import (
    STEP_HOURS,
    Array,
    Site,
    accumulate,
    lag,
    red_noise,
    smooth_noise,
    station_pressure,
)

Quantity = Callable[[Site, np.random.Generator], Array]

# Share of the people present, by hour of the day.
_OFFICE = np.array([0] * 7 + [0.2, 0.7, 1, 1, 1, 0.5, 0.8, 1, 1, 0.9, 0.5, 0.2] + [0] * 5)
_HOME = np.array([1] * 7 + [0.8, 0.4, 0.2, 0.2, 0.2, 0.4, 0.3, 0.2, 0.3, 0.5, 0.7, 0.9] + [1] * 5)
# Share of the day's peak, by hour; midnight stands at both ends.
_TRAFFIC = np.concatenate(
    [
        [0.2, 0.1, 0.1, 0.1, 0.2, 0.4, 0.7, 1, 1, 0.8, 0.7, 0.7],
        [0.8, 0.8, 0.8, 0.9, 1, 1, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2],
    ]
)


def people(site: Site, rng: np.random.Generator) -> Array:
    """How many are in a room: an office (empty at weekends) or a home, hour by hour."""
    hour = (site.hours % 24).astype(int)
    block = (site.hours - site.hours[0]).astype(int)
    if rng.random() < 0.5:
        expected = rng.uniform(1, 12) * _OFFICE[hour] * np.where(site.weekday < 5, 1.0, 0.05)
    else:
        expected = rng.uniform(1, 3) * _HOME[hour]
    chance = rng.uniform(0.6, 1.4, block[-1] + 1)[block]
    return np.round(expected * chance)


def traffic(site: Site) -> Array:
    """Share of the daily peak, 0 to 1; calmer at weekends."""
    weekly = np.where(site.weekday < 5, 1.0, 0.7)
    return np.interp(site.hours % 24, np.arange(25), _TRAFFIC) * weekly


def outdoor_temperature(site: Site, rng: np.random.Generator) -> Array:
    """°C; a poor radiation shield adds some of the sun."""
    shield = rng.exponential(0.0015)
    return site.temperature + shield * lag(site.radiation, 0.3) + 0.1 * red_noise(rng, len(site.hours), 0.2)


def indoor_temperature(site: Site, rng: np.random.Generator) -> Array:
    """°C in a heated room, or (one in ten) in a shed or cellar that follows the weather late."""
    sun_gain = rng.uniform(0, 0.006) * lag(site.radiation, 3)
    outside = lag(site.temperature, rng.uniform(12, 60))
    if rng.random() < 0.1:
        return outside + rng.uniform(0, 5) + sun_gain
    night = (site.hours % 24 < 6) | (site.hours % 24 > 22)
    wanted = rng.uniform(18.5, 22.5) - rng.uniform(0, 3) * night
    heated = lag(wanted, rng.uniform(1, 5))
    hysteresis = rng.uniform(0, 0.4) * np.abs((site.hours / rng.uniform(0.7, 2.5)) % 2 - 1)
    return np.maximum(heated + hysteresis, outside + 2) + sun_gain + lag(0.15 * people(site, rng), 1.5)


def relative_humidity(site: Site, rng: np.random.Generator) -> Array:
    """% outdoors, or (one in four) in a heated room, where the same vapour is a smaller share."""
    if rng.random() > 0.25:
        return site.humidity + 1.5 * red_noise(rng, len(site.hours), 0.4)
    warmer = np.maximum(21 - lag(site.temperature, 10), 0)
    indoors = lag(site.humidity, 6) * np.exp(-0.06 * warmer) + lag(1.2 * people(site, rng), 1)
    return np.clip(indoors + rng.uniform(0, 12), 8, 95) + 0.6 * red_noise(rng, len(site.hours), 0.5)


def co2(site: Site, rng: np.random.Generator) -> Array:
    """In ppm: people breathe, ventilation lets it decay; one in six hangs outdoors, by plants and traffic."""
    background = 421 + rng.normal(0, 6)
    if rng.random() < 1 / 6:
        respiration = np.maximum(-lag(site.sun, 2), 0) * rng.uniform(10, 60)
        local = 12 * site.urban * traffic(site) + 3 * red_noise(rng, len(site.hours), 1)
        return background + respiration + local
    air_changes = rng.lognormal(-0.3, 0.6)  # per hour
    source = rng.uniform(60, 220)  # ppm per person and hour: the size of the room
    ventilation = np.exp(0.15 * red_noise(rng, len(site.hours), 3))
    return background + lag(source * people(site, rng) / air_changes, 1 / air_changes) * ventilation


def air_pressure(site: Site, rng: np.random.Generator) -> Array:
    """In hPa at the station, or reduced to sea level, as half of the devices do."""
    if rng.random() < 0.5:
        return site.pressure
    return station_pressure(site.pressure, site.altitude)


def wind_speed(site: Site, rng: np.random.Generator) -> Array:
    """m/s; shelter slows it, and the cups do not start below a threshold."""
    gusts = np.exp(0.15 * rng.standard_normal(len(site.hours)))
    speed = site.wind_speed * rng.uniform(0.4, 1.1) * gusts
    return np.where(speed < rng.uniform(0.2, 0.9), 0.0, speed)


def wind_direction(site: Site, rng: np.random.Generator) -> Array:
    """Degrees; the vane swings more in light wind, and its north is some degrees off."""
    swing = 12 / np.sqrt(site.wind_speed + 0.3) * rng.standard_normal(len(site.hours))
    return (site.wind_direction + swing + rng.normal(0, 5)) % 360


def solar_radiation(site: Site, rng: np.random.Generator) -> Array:
    """W/m²; trees or houses cut the low sun, and a thermopile cools below zero at night."""
    horizon = rng.exponential(0.08)
    seen = np.where(site.sun > horizon, site.radiation, 0.35 * site.radiation)
    return seen - rng.choice([0.0, 1.5]) * (site.sun < 0)


def illuminance(site: Site, rng: np.random.Generator) -> Array:
    """Lux outdoors, or (two in five) in a room with windows and lamps; cheap sensors saturate."""
    twilight = 400 * np.exp(-((np.minimum(site.sun, 0) / 0.05) ** 2))
    daylight = 115 * site.radiation + twilight
    if rng.random() < 0.6:
        return np.minimum(daylight * rng.uniform(0.3, 1), rng.choice([54612, 65535, 88000, 200000]))
    lamps = rng.uniform(80, 500) * (people(site, rng) > 0) * (site.sun < rng.uniform(0.05, 0.6))
    return daylight * rng.lognormal(-4.2, 0.8) + lamps * np.exp(0.03 * rng.standard_normal(len(lamps)))


def soil_moisture(site: Site, rng: np.random.Generator) -> Array:
    """% by volume: rain fills, drainage and roots (by day) empty; warm soil reads a little differently."""
    memory = rng.uniform(60, 400)
    soaked = site.rain * STEP_HOURS * rng.uniform(0.2, 0.9)
    drawn = rng.uniform(0, 0.02) * np.maximum(site.sun, 0) * STEP_HOURS * 10
    stored = accumulate(soaked - drawn, np.exp(-STEP_HOURS / memory), rng.uniform(0, 15))
    warmth = rng.normal(0, 0.05) * lag(site.temperature - site.temperature[0], 5)
    return np.minimum(rng.uniform(6, 32) + np.maximum(stored, 0) + warmth, rng.uniform(38, 52))


def precipitation(site: Site, rng: np.random.Generator) -> Array:
    """mm/h of rain; a gauge under a tree misses some."""
    return site.rain * rng.uniform(0.6, 1.1)


def pm25(site: Site, rng: np.random.Generator) -> Array:
    """µg/m³: calm air, traffic and stoves raise it; fireworks and barbecues spike."""
    steps = len(site.hours)
    level = 2.4 + 0.8 * site.urban + 0.5 * red_noise(rng, steps, 20) + 0.25 * red_noise(rng, steps, 1.5)
    level += 0.4 * site.urban * traffic(site) - 0.35 * np.log(site.wind_speed + 0.3)
    events = lag((rng.random(steps) < 0.0015) * rng.exponential(700, steps), 0.5)
    return np.exp(level) * (1 + 0.004 * np.maximum(site.humidity - 70, 0)) + events


def battery_voltage(site: Site, rng: np.random.Generator) -> Array:
    """V of a lithium cell or a lead battery on a solar panel, or of a primary cell that slowly runs down."""
    charge = lag(np.tanh(site.radiation / 150), rng.uniform(3, 9))
    sunlit = np.tanh(site.radiation / rng.uniform(80, 300))
    cold = 0.002 * (lag(site.temperature, 0.7) - 20)
    kind = rng.random()
    if kind < 0.4:
        return np.minimum(rng.uniform(3.55, 3.95) + 0.3 * charge + 0.08 * sunlit + cold, 4.2)
    if kind < 0.6:
        return np.minimum(rng.uniform(11.9, 12.6) + 0.5 * charge + 1.2 * sunlit + 3 * cold, 14.4)
    fresh = rng.choice([1.5, 3.0, 3.0, 3.6, 4.5])
    used = rng.uniform(0, 0.2) + rng.exponential(0.0002) * (site.hours - site.hours[0])
    return fresh * (1 - used + 0.5 * cold)


def noise_level(site: Site, rng: np.random.Generator) -> Array:
    """dB(A): road traffic, wind, and passing events over a floor."""
    steps = len(site.hours)
    road = 10 * np.log10(traffic(site) + 0.03) * rng.uniform(0.5, 1.1)
    base = rng.uniform(42, 55) + 14 * site.urban
    passing = (rng.random(steps) < 0.05) * rng.exponential(6, steps)
    return np.maximum(base + road + 1.5 * red_noise(rng, steps, 0.5) + 0.3 * site.wind_speed + passing, 29.5)


def snow_height(site: Site, rng: np.random.Generator) -> Array:
    """Depth in cm under a gauge higher up: falls below 1 °C, melts above 0 °C, settles; grass in summer."""
    temperature = site.temperature - rng.uniform(8, 20)
    caught = rng.uniform(0.7, 1.4)  # cm of snow per mm of water
    falling = caught * np.where(temperature < 1, site.rain, 0.0)
    melting = 0.05 * np.maximum(temperature, 0)
    start = rng.lognormal(4.2, 0.7) if temperature.mean() < 4 else 0.0
    settling = 0.0006 * start
    depth = start + np.cumsum(falling - melting - settling) * STEP_HOURS
    depth -= np.minimum(np.minimum.accumulate(depth), 0)  # what melts must have lain there
    grass = rng.exponential(3) * (start == 0)
    compensation = rng.normal(0, 0.04) * (site.temperature - site.temperature.mean())  # the speed of sound
    return depth + grass + compensation


def water_level(site: Site, rng: np.random.Generator) -> Array:
    """Metres above the gauge's zero: a river that swells after rain, or (one in four) a tidal quay."""
    wander = rng.uniform(0.005, 0.04) * red_noise(rng, len(site.hours), 2)
    if rng.random() < 0.25:
        moon = rng.uniform(0.3, 2.5) * np.cos(2 * np.pi * (site.hours - rng.uniform(0, 12)) / 12.42)
        return rng.uniform(1.5, 6) + moon * (1 + 0.15 * np.cos(2 * np.pi * site.hours / 354)) + wander
    swell = lag(lag(site.rain, rng.uniform(2, 6)), rng.uniform(10, 60)) * rng.uniform(0.2, 2.5)
    season = rng.uniform(0, 0.2) * smooth_noise(rng, len(site.hours), 40)
    return rng.lognormal(0.0, 0.7) + swell + season + wander


@dataclass(frozen=True)
class Unit:
    """A unit that devices report in: `reading = base * factor + offset`, rounded to one of `resolutions`."""

    symbol: str
    factor: float
    resolutions: tuple[float, ...]
    weight: float
    offset: float = 0.0


@dataclass(frozen=True)
class SensorType:
    """A kind of sensor: its label, its quantity, and what real devices of the kind are like.

    Args:
        label: the sensor type.
        quantity: the perfect reading.
        units: what devices report in, the base unit first.
        noise: standard deviation of the reading's noise, base unit; devices vary about it.
        bias: standard deviation of a device's calibration error, base unit.
        floor, ceiling: what a device cannot leave, base unit.
        periods: sampling periods in minutes.
        reading: what a device gives once a period. `"sample"`: the value of the moment. `"total"`: the sum
            over the period, in hours times the base unit. `"either"`: some devices sample, others average.
    """

    label: str
    quantity: Quantity
    units: tuple[Unit, ...]
    noise: float
    bias: float
    floor: float = -np.inf
    ceiling: float = np.inf
    periods: tuple[int, ...] = (5, 10, 15, 30, 30, 60, 60, 60, 60, 60)
    reading: Literal["sample", "either", "total"] = "either"


_CELSIUS = (
    Unit("°C", 1, (0.01, 0.0625, 0.1, 0.1, 0.5), 0.85),
    Unit("°F", 1.8, (0.1, 0.18, 1.0), 0.15, offset=32),
)

SENSOR_TYPES: tuple[SensorType, ...] = (
    SensorType("outdoor temperature", outdoor_temperature, _CELSIUS, noise=0.08, bias=0.4),
    SensorType("indoor temperature", indoor_temperature, _CELSIUS, noise=0.05, bias=0.5),
    SensorType(
        "relative humidity",
        relative_humidity,
        (Unit("%", 1, (0.01, 0.1, 0.1, 1.0), 0.97), Unit("", 0.01, (0.001, 0.01), 0.03)),
        noise=0.3,
        bias=2.5,
        floor=0,
        ceiling=100,
    ),
    SensorType(
        "CO2",
        co2,
        (Unit("ppm", 1, (1.0, 1.0, 0.1), 0.97), Unit("%", 1e-4, (0.001,), 0.03)),
        noise=5,
        bias=20,
        floor=380,
    ),
    SensorType(
        "air pressure",
        air_pressure,
        (
            Unit("hPa", 1, (0.01, 0.1, 0.1, 1.0), 0.65),
            Unit("kPa", 0.1, (0.01, 0.01, 0.1), 0.1),
            Unit("mmHg", 0.750062, (0.1, 1.0), 0.1),
            Unit("inHg", 0.02953, (0.01,), 0.1),
            Unit("Pa", 100, (1.0,), 0.05),
        ),
        noise=0.06,
        bias=0.8,
    ),
    SensorType(
        "wind speed",
        wind_speed,
        (
            Unit("m/s", 1, (0.01, 0.1, 0.1, 0.5), 0.7),
            Unit("km/h", 3.6, (0.1, 1.0), 0.1),
            Unit("mph", 2.23694, (0.1, 1.0), 0.1),
            Unit("kn", 1.94384, (0.1, 1.0), 0.1),
        ),
        noise=0.02,
        bias=0.0,
        floor=0,
    ),
    SensorType(
        "wind direction",
        wind_direction,
        (Unit("°", 1, (0.1, 1.0, 1.0, 10.0, 22.5, 45.0), 1),),
        noise=0.0,
        bias=0.0,
        floor=0,
        ceiling=359.9,
        reading="sample",
    ),
    SensorType(
        "solar radiation",
        solar_radiation,
        (Unit("W/m²", 1, (0.1, 1.0), 0.85), Unit("µmol/m²s", 2.05, (1.0,), 0.15)),
        noise=0.8,
        bias=0.0,
        floor=-4,
    ),
    SensorType(
        "illuminance",
        illuminance,
        (Unit("lx", 1, (0.1, 1.0), 0.9), Unit("klx", 0.001, (0.01, 0.1), 0.1)),
        noise=0.6,
        bias=0.0,
        floor=0,
    ),
    SensorType(
        "soil moisture",
        soil_moisture,
        (Unit("%", 1, (0.01, 0.1, 0.1), 0.8), Unit("m³/m³", 0.01, (0.001, 0.0001), 0.2)),
        noise=0.04,
        bias=1.0,
        floor=0,
    ),
    SensorType(
        "precipitation",
        precipitation,
        (Unit("mm", 1, (0.1, 0.2, 0.2, 0.254), 0.9), Unit("in", 1 / 25.4, (0.01,), 0.1)),
        noise=0.0,
        bias=0.0,
        floor=0,
        periods=(15, 30, 60, 60),
        reading="total",
    ),
    SensorType("PM2.5", pm25, (Unit("µg/m³", 1, (0.01, 0.1, 1.0), 1),), noise=0.4, bias=0.5, floor=0),
    SensorType(
        "battery voltage",
        battery_voltage,
        (Unit("V", 1, (0.001, 0.01, 0.01, 0.1), 0.85), Unit("mV", 1000, (1.0, 10.0), 0.15)),
        noise=0.004,
        bias=0.02,
    ),
    SensorType("noise level", noise_level, (Unit("dB", 1, (0.01, 0.1, 1.0), 1),), noise=0.4, bias=1.0, floor=28),
    SensorType(
        "snow height",
        snow_height,
        (Unit("cm", 1, (0.1, 1.0), 0.9), Unit("m", 0.01, (0.001, 0.01), 0.1)),
        noise=0.4,
        bias=1.0,
        periods=(10, 30, 60, 60),
    ),
    SensorType(
        "water level",
        water_level,
        (Unit("m", 1, (0.001, 0.01), 0.85), Unit("cm", 100, (0.1, 1.0), 0.15)),
        noise=0.004,
        bias=0.02,
    ),
)
