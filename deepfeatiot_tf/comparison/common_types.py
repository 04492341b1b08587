"""Which sensor types the public data sets share, under whatever name each has them.

Reviewed by hand against class names, value ranges and sensor names. Types stand together where they measure the same
quantity, in whatever unit and place: Iowa's temperatures are in °F and its pressures in inches of mercury, SBAS's
sensors hang in rooms. What only resembles is left out: gusts are not wind speeds, radiation in W/m² is not light.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

# Of each type, the label (or labels) in each data set that has it.
TYPES: dict[str, dict[str, tuple[str, ...]]] = {
    "temperature": {
        "Swiss": ("Temperature",),
        "Iowa": ("Air Temperature",),
        "SBAS": ("temperature",),
        "TS-M": ("indoor air temperature", "outdoor air temperature"),
        "TS-N": ("indoor air temperature", "outdoor air temperature"),
        "SensEUR": ("Ambient Temperature", "Internal Temperature"),
    },
    "humidity": {
        "Swiss": ("Humidity",),
        "Iowa": ("Relative Humidity",),
        "SBAS": ("humidity",),
        "TS-M": ("humidity",),
        "TS-N": ("humidity",),
        "SensEUR": ("Ambient Relative humidity", "Internal Relative humidity"),
    },
    "pressure": {
        "Swiss": ("Pressure",),
        "Iowa": ("Pressure Altimeter",),
        "TS-M": ("pressure",),
        "TS-N": ("pressure",),
        "SensEUR": ("Atmospheric pressure",),
    },
    "CO2": {"Swiss": ("CO2",), "SBAS": ("co2",), "TS-M": ("CO2",), "TS-N": ("CO2",), "SensEUR": ("CO2",)},
    "wind direction": {
        "Swiss": ("Wind Direction",),
        "Iowa": ("Wind Direction",),
        "TS-M": ("wind direction",),
        "TS-N": ("wind direction",),
    },
    "wind speed": {"Swiss": ("Wind Speed",), "TS-M": ("wind speed",), "TS-N": ("wind speed",)},
    "dew point": {"Iowa": ("Dew Point",), "TS-M": ("dew point",), "TS-N": ("dewpoint",)},
    "voltage": {"Swiss": ("Voltage",), "TS-M": ("voltage",), "TS-N": ("voltage",)},
    "light": {"SBAS": ("light",), "TS-M": ("light",), "TS-N": ("light",)},
    "PM1": {"TS-M": ("PM 1",), "TS-N": ("PM 1",), "SensEUR": ("PM1",)},
    "PM2.5": {"TS-M": ("PM 2.5",), "TS-N": ("PM 2.5",), "SensEUR": ("PM2.5",)},
    "PM10": {"TS-M": ("PM 10",), "TS-N": ("PM 10",), "SensEUR": ("PM10",)},
    **{
        name: {"TS-M": (name,), "TS-N": (name,)}
        for name in (
            "appliance temperature",
            "air quality",
            "current intensity",
            "wireless RSSI",
            "heat index",
            "rain index",
        )
    },
}


def over_common_types(
    one: SensorReadings, other: SensorReadings, types: Mapping[str, Mapping[str, tuple[str, ...]]] = TYPES
) -> tuple[SensorReadings, SensorReadings]:
    """Both data sets, without metadata, reduced to the types that they share and cut to the shorter's length.

    Args:
        one: a public data set.
        other: another.
        types: labels by type and data set. Default: those of the public data sets.

    Returns:
        readings with the types as labels, the same classes in both.

    Raises:
        InputError: they share fewer than two types.
    """
    shared = tuple(
        name
        for name, labels in types.items()
        if _has(one, labels.get(one.name)) and _has(other, labels.get(other.name))
    )
    if len(shared) < 2:
        what = f"only {shared[0]}" if shared else "no type"
        raise InputError(f"{one.name} and {other.name} share {what}; transfer needs two common sensor types")
    time = min(one.values.shape[1], other.values.shape[1])
    return _reduced(one, shared, types, time), _reduced(other, shared, types, time)


def _has(readings: SensorReadings, labels: tuple[str, ...] | None) -> bool:
    return labels is not None and readings.labels is not None and bool(np.isin(readings.labels, labels).any())


def _reduced(
    readings: SensorReadings, shared: tuple[str, ...], types: Mapping[str, Mapping[str, tuple[str, ...]]], time: int
) -> SensorReadings:
    type_of = {label: name for name in shared for label in types[name][readings.name]}
    assert readings.labels is not None  # they share types
    rows = np.isin(readings.labels, list(type_of))
    return SensorReadings(
        readings.values[rows, :time],
        ids=readings.ids[rows],
        labels=[type_of[label] for label in readings.labels[rows]],
        class_names=shared,
        name=readings.name,
    )
