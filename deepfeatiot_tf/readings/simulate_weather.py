"""The weather at one simulated site: what its sensors have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]

STEP_MINUTES = 5
STEP_HOURS = STEP_MINUTES / 60


@dataclass(frozen=True)
class Site:
    """A place and some days of its weather, every five minutes. Arrays are float64 `[steps]`.

    Args:
        latitude: degrees, negative in the south.
        altitude: metres above sea level.
        urban: 0 (open country) to 1 (city centre).
        hours: local solar time in hours since midnight of the first day.
        weekday: 0 (Monday) to 6.
        sun: sine of the sun's elevation; negative at night.
        cloud: share of the sky, 0 to 1.
        radiation: global horizontal, W/m².
        temperature: of the air, °C.
        humidity: relative, %.
        pressure: reduced to sea level, hPa.
        wind_speed: m/s.
        wind_direction: degrees, 0 ≤ direction < 360.
        rain: mm/h of water, whether it falls as rain or as snow.
    """

    latitude: float
    altitude: float
    urban: float
    hours: Array
    weekday: Array
    sun: Array
    cloud: Array
    radiation: Array
    temperature: Array
    humidity: Array
    pressure: Array
    wind_speed: Array
    wind_direction: Array
    rain: Array


def simulate_site(rng: np.random.Generator, steps: int) -> Site:
    """A place drawn at random between 35° and 68° north or south, from a random hour of the year on."""
    latitude = rng.uniform(35, 68) * (1 if rng.random() < 0.85 else -1)
    altitude = min(rng.exponential(300), 2500.0)
    hours = rng.uniform(0, 24) + STEP_HOURS * np.arange(steps)
    day = rng.uniform(0, 365) + hours / 24
    weekday = (rng.integers(7) + hours // 24) % 7

    sun = sun_elevation(latitude, day, hours)
    front = smooth_noise(rng, steps, 14)  # positive: high pressure, fair weather
    cloud = cloud_cover(rng, front)
    radiation = surface_radiation(rng, sun, cloud)
    mean_temperature = seasonal_temperature(rng, latitude, altitude, day) + 3.5 * smooth_noise(rng, steps, 15)
    temperature = mean_temperature + daily_warming(rng, radiation)
    rain = precipitation_rate(rng, cloud)
    return Site(
        latitude=latitude,
        altitude=altitude,
        urban=rng.uniform(),
        hours=hours,
        weekday=weekday,
        sun=sun,
        cloud=cloud,
        radiation=radiation,
        temperature=temperature,
        humidity=relative_humidity(temperature, dew_point(rng, mean_temperature, temperature, rain)),
        pressure=1015 + rng.uniform(5, 10) * front + pressure_tide(latitude, hours),
        wind_speed=wind_speed(rng, front, sun),
        wind_direction=wind_direction(rng, front),
        rain=rain,
    )


def accumulate(inflow: Array, keep: float, before: float) -> Array:
    """What a leaky store holds: each step it keeps a share, and the inflow is added; at first, `before`."""
    from scipy.signal import lfilter  # takes a second to import, and only simulation needs it

    return lfilter([1.0], [1.0, -keep], inflow, zi=[keep * before])[0]


def red_noise(rng: np.random.Generator, steps: int, memory_hours: float) -> Array:
    """A stationary AR(1) process of unit variance that forgets in `memory_hours`."""
    keep = np.exp(-STEP_HOURS / memory_hours)
    before = rng.standard_normal()
    return accumulate(np.sqrt(1 - keep**2) * rng.standard_normal(steps), keep, before)


def smooth_noise(rng: np.random.Generator, steps: int, memory_hours: float) -> Array:
    """As `red_noise`, but without its kinks; about unit variance."""
    return np.sqrt(2) * lag(red_noise(rng, steps, memory_hours), memory_hours)


def lag(signal: Array, memory_hours: float) -> Array:
    """A first-order low-pass: what follows `signal` with thermal or other inertia."""
    keep = np.exp(-STEP_HOURS / memory_hours)
    return accumulate((1 - keep) * signal, keep, signal[0])


def sun_elevation(latitude: float, day: Array, hours: Array) -> Array:
    """Sine of the sun's elevation, from the declination (Cooper 1969) and the hour angle."""
    declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    phi = np.deg2rad(latitude)
    hour_angle = 2 * np.pi * (hours - 12) / 24
    return np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)


def cloud_cover(rng: np.random.Generator, front: Array) -> Array:
    """Share of the sky: fronts decide, showers add."""
    index = rng.normal(0, 0.7) - 1.6 * front + 1.3 * red_noise(rng, len(front), 5)
    return 1 / (1 + np.exp(-index))


def surface_radiation(rng: np.random.Generator, sun: Array, cloud: Array) -> Array:
    """Clear sky (Haurwitz 1945), dimmed by clouds (Kasten and Czeplak 1980), flickering under broken ones."""
    height = np.maximum(sun, 1e-3)
    clear = np.where(sun > 0, 1098 * height * np.exp(-0.057 / height), 0.0)
    flicker = 0.45 * cloud * (1 - cloud) * red_noise(rng, len(sun), 0.3)
    return np.maximum(clear * (1 - 0.75 * cloud**3.4 + flicker), 0.0)


def seasonal_temperature(rng: np.random.Generator, latitude: float, altitude: float, day: Array) -> Array:
    """Mean of the day by latitude, season and height (6.5 K per km)."""
    yearly = 30 - 0.4 * abs(latitude) + rng.normal(0, 1.5) - 0.0065 * altitude
    swing = max(0.2 * abs(latitude) + rng.normal(0, 2), 3.0)
    warmest = 200 if latitude > 0 else 17
    return yearly + swing * np.cos(2 * np.pi * (day - warmest) / 365)


def daily_warming(rng: np.random.Generator, radiation: Array) -> Array:
    """The day's departure from its mean: the ground follows the sun three hours late."""
    stored = lag(radiation, 3)
    return rng.uniform(0.015, 0.032) * (stored - stored.mean()) + 0.25 * red_noise(rng, len(radiation), 0.5)


def dew_point(rng: np.random.Generator, mean_temperature: Array, temperature: Array, rain: Array) -> Array:
    """Changes with the air mass, not with the hour; rain moistens; it never exceeds the temperature."""
    depression = rng.lognormal(1.6, 0.5) + 1.3 * red_noise(rng, len(rain), 12)
    wet = lag((rain > 0).astype(float), 2)
    return np.minimum(mean_temperature - depression * (1 - 0.8 * wet), temperature - 0.1)


def relative_humidity(temperature: Array, dew: Array) -> Array:
    """Percent, by the Magnus formula (Sonntag 1990)."""

    def vapour_pressure(t: Array) -> Array:
        return np.exp(17.62 * t / (243.12 + t))

    return 100 * vapour_pressure(dew) / vapour_pressure(temperature)


def pressure_tide(latitude: float, hours: Array) -> Array:
    """The atmosphere's half-day tide in hPa: maxima about 10 and 22 h, weaker towards the poles."""
    return 1.2 * np.cos(np.deg2rad(latitude)) ** 3 * np.cos(2 * np.pi * (hours - 10) / 12)


def station_pressure(sea_level: Array, altitude: float) -> Array:
    """Barometric formula of the standard atmosphere."""
    return sea_level * (1 - 2.25577e-5 * altitude) ** 5.25588


def wind_speed(rng: np.random.Generator, front: Array, sun: Array) -> Array:
    """Gusty, stronger by day and in low pressure."""
    steps = len(front)
    gusts = 0.45 * red_noise(rng, steps, 10) + 0.3 * red_noise(rng, steps, 1) + 0.15 * rng.standard_normal(steps)
    return rng.lognormal(0.8, 0.45) * np.exp(gusts - 0.25 * front) * (1 + 0.6 * np.maximum(sun, 0))


def wind_direction(rng: np.random.Generator, front: Array) -> Array:
    """Wanders about the prevailing direction, and veers as fronts pass."""
    steps = len(front)
    veer = 70 * front + 25 * red_noise(rng, steps, 2) + rng.uniform(3, 15) * rng.standard_normal(steps)
    return (rng.uniform(0, 360) + veer) % 360


def precipitation_rate(rng: np.random.Generator, cloud: Array) -> Array:
    """mm/h: dry most of the time, in spells under thick cloud."""
    steps = len(cloud)
    index = 3.0 * (cloud - 0.75) + 0.8 * red_noise(rng, steps, 2.5) - rng.uniform(0.0, 0.7)
    return 3 * np.maximum(index, 0) ** 1.5 * np.exp(0.6 * red_noise(rng, steps, 0.4))
