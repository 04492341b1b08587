"""Sensors of which a model knows nothing, set aside."""

from __future__ import annotations

import logging

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.serving.labelling import known_of

logger = logging.getLogger(__name__)


def answerable(readings: SensorReadings, reads_metadata: bool) -> SensorReadings:
    """Those that a model has an answer to: they have a reading, or metadata that it reads.

    Args:
        readings: of any sensors.
        reads_metadata: whether the model reads the text about a sensor.

    Raises:
        InputError: there are none.
    """
    known = known_of(readings, reads_metadata)
    if not known.any():
        raise InputError(f"{readings.name}: no sensor has any reading; look at the marks of missing ones, --missing")
    return readings if known.all() else readings.take(known)


def tell_of_silent(readings: SensorReadings, asked: SensorReadings) -> None:
    """Warn where `asked`, the answerable ones, are not all of the readings."""
    if len(asked) < len(readings):
        logger.warning(
            "%s: %d sensors have nothing that the model reads; they teach nothing, get no answer, and are not scored",
            *(readings.name, len(readings) - len(asked)),
        )
