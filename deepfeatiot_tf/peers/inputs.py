"""Raw readings and metadata as the peers read them."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf
from joblib import cpu_count

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.layers import InputChannels, SummaryStatistics, TextFeatures
from deepfeatiot_tf.layers.input_channels import interpolate
from deepfeatiot_tf.readings import SensorReadings

LEVEL_AND_SHAPE = 2  # the first channels of InputChannels
SHORTEST = 10  # readings; aeon's kernels of length 9 want one more


def threads() -> int:
    """As many as this process may use."""
    return cpu_count()


def filled(values: np.ndarray) -> np.ndarray:
    """Missing readings interpolated, a series without any taken as 0.

    Args:
        values: float32 `[n, time]`, NaN for missing.

    Returns:
        float32 `[n, time]`; a series shorter than ten readings goes on with its last one.
    """
    readings = tf.constant(values, tf.float32)
    whole = interpolate(readings, tf.math.is_finite(readings)).numpy()
    return np.pad(whole, ((0, 0), (0, max(SHORTEST - whole.shape[1], 0))), mode="edge")


def panel(values: np.ndarray) -> np.ndarray:
    """`filled` as aeon wants it: float64 `[n, 1, time]`."""
    return filled(values)[:, np.newaxis].astype(np.float64)


def level_and_shape(values: np.ndarray) -> np.ndarray:
    """What peers read that are trained by gradient: the signed log of each series, and the series standardized.

    On readings as they are, InceptionTime has no loss on the training part and yet answers it wrongly, in which it uses
    other means for its batch normalization; standardized series alone do not say what a sensor measures.

    Args:
        values: float32 `[n, time]`, NaN for missing.

    Returns:
        float32 `[n, 2, time]`, see `InputChannels`.
    """
    channels, _ = InputChannels("robust")(filled(values))
    return np.moveaxis(np.array(channels[..., :LEVEL_AND_SHAPE]), 2, 1)


def statistics(values: np.ndarray) -> np.ndarray:
    """`SummaryStatistics` of raw readings `[n, time]`: float32 `[n, 35]`."""
    return SummaryStatistics()(values).numpy()


@functools.cache
def sentence_encoder(name: str = "minilm") -> TextFeatures:
    """See `TextFeatures.from_pretrained`; loaded once."""
    return TextFeatures.from_pretrained(name)


def embeddings(readings: SensorReadings) -> np.ndarray:
    """Sentence embeddings of the metadata: float32 `[n, 384]`; each text is read once.

    Raises:
        InputError: there is no metadata.
    """
    if readings.metadata is None:
        raise InputError(f"{readings.name}: has no metadata to read; name its column, metadata=")
    distinct, places = np.unique(readings.metadata.astype(str), return_inverse=True)
    return np.array(sentence_encoder()(tf.constant(distinct)))[places]
