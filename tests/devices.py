"""Devices with an upper and a lower sensor: alone alike, side by side one lies above the other."""

import numpy as np

from deepfeatiot_tf.readings import SensorReadings

TYPES = ("lower", "upper")


def devices(rng, count, apart=4.0, time=40):
    """Their sensors in no order, labelled."""
    walks = rng.normal(size=(count, time)).cumsum(axis=1) + rng.uniform(-50, 50, (count, 1))
    values = np.concatenate([walks - apart / 2, walks + apart / 2]) + rng.normal(size=(2 * count, time)) / 10
    labels = np.repeat(TYPES, count)
    mixed = rng.permutation(2 * count)
    return SensorReadings(values[mixed], labels=labels[mixed], class_names=TYPES, name="devices")
