"""What a server runs: the model, and the names of what it finds."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.models.branch_features import feature_input
from deepfeatiot_tf.serving.classifier import EMBEDDING, METADATA, READINGS
from deepfeatiot_tf.serving.unknown import UNKNOWN

WARMUP_TEXTS = ("Temperature (°C)", "Umidità [%]", "PM2.5 µg/m³", "")


class Endpoint:
    """From raw readings to labels.

    Args:
        model: from `{"readings": …}` to probabilities.
        labels: file of the class names, one a line.
        threshold: confidence below which the label is `UNKNOWN`. Default 0: never.
    """

    def __init__(self, model: keras.Model, labels: Path, threshold: float = 0.0) -> None:
        self.model = model
        self.threshold = np.float32(threshold)
        line, text = tf.lookup.TextFileIndex.LINE_NUMBER, tf.lookup.TextFileIndex.WHOLE_LINE
        source = tf.lookup.TextFileInitializer(str(labels), tf.int64, line, tf.string, text)
        self.labels = tf.lookup.StaticHashTable(source, default_value="")

    def signature(self) -> list[tf.TensorSpec]:
        """Of the inputs, in the order of the call."""
        return [tf.TensorSpec([None, None], tf.float32, READINGS)]

    @staticmethod
    def requests(model: keras.Model, readings: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs that the server tries, with these readings."""
        return {READINGS: readings}

    def __call__(self, readings: tf.Tensor) -> dict[str, tf.Tensor]:
        readings = _not_empty(readings)
        return self._answer(self.model({READINGS: readings}, training=False), _measured(readings))

    def _answer(self, probabilities: tf.Tensor, known: tf.Tensor) -> dict[str, tf.Tensor]:
        confidence, index = tf.math.top_k(probabilities, 2)
        label = tf.where(known, self.labels.lookup(tf.cast(index, tf.int64)), "")
        confidence = tf.where(known, confidence, 0.0)
        if self.threshold > 0:
            refused = known & (confidence[:, :1] < self.threshold)
            # The likeliest type moves to the second place, and takes its confidence along.
            label = tf.where(refused, tf.stack([tf.fill(tf.shape(label)[:1], UNKNOWN), label[:, 0]], axis=1), label)
            confidence = tf.where(refused, confidence[:, :1], confidence)
        return {
            "probabilities": probabilities,
            "label": label[:, 0],
            "confidence": confidence[:, 0],
            "runner_up": label[:, 1],
            "runner_up_confidence": confidence[:, 1],
        }


class TextEndpoint(Endpoint):
    """From raw readings and metadata to labels."""

    def signature(self) -> list[tf.TensorSpec]:
        return [*super().signature(), tf.TensorSpec([None], tf.string, METADATA)]

    @staticmethod
    def requests(model: keras.Model, readings: np.ndarray) -> dict[str, np.ndarray]:
        texts = [text.encode() for text in WARMUP_TEXTS]
        return {READINGS: readings, METADATA: np.resize(np.array(texts, object), len(readings))}

    def __call__(self, readings: tf.Tensor, metadata: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        readings = _not_empty(readings)
        described = (tf.strings.strip(metadata) != "")[:, None]
        probabilities = self.model({READINGS: readings, METADATA: metadata}, training=False)
        return self._answer(probabilities, _measured(readings) | described)


class EmbeddingEndpoint(Endpoint):
    """From raw readings and the embedding of the metadata, zeros where there is none, to labels."""

    def signature(self) -> list[tf.TensorSpec]:
        return [*super().signature(), tf.TensorSpec([None, _width(self.model)], tf.float32, EMBEDDING)]

    @staticmethod
    def requests(model: keras.Model, readings: np.ndarray) -> dict[str, np.ndarray]:
        return {READINGS: readings, EMBEDDING: np.zeros((len(readings), _width(model)), np.float32)}

    def __call__(self, readings: tf.Tensor, embedding: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        readings = _not_empty(readings)
        described = tf.reduce_any(embedding != 0, axis=1, keepdims=True)
        features = {
            feature_input(branch): embedding if branch == METADATA else frozen(readings, training=False)
            for branch, frozen in self.model.frozen.items()
        }
        probabilities = self.model({READINGS: readings, **features}, training=False)
        return self._answer(probabilities, _measured(readings) | described)


def _width(model: keras.Model) -> int:
    return model.frozen[METADATA].output.shape[-1]


def _not_empty(readings: tf.Tensor) -> tf.Tensor:
    """A series of no length gets a missing reading."""
    shortfall = tf.maximum(1 - tf.shape(readings)[1], 0)
    return tf.pad(readings, [[0, 0], [0, shortfall]], constant_values=np.nan)


def _measured(readings: tf.Tensor) -> tf.Tensor:
    return tf.reduce_any(tf.math.is_finite(readings), axis=1, keepdims=True)
