"""What a server runs: the model, and the names of what it finds."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.language.blank_text import are_blank
from deepfeatiot_tf.models.any_size import at_least
from deepfeatiot_tf.models.branch_features import feature_input, source_of
from deepfeatiot_tf.models.collective import CollectiveModel
from deepfeatiot_tf.serving.classifier import EMBEDDING, METADATA, READINGS
from deepfeatiot_tf.serving.unknown import UNKNOWN

KNOWN_LABEL = "known_label"
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
        self.tables = [self.labels]

    def signature(self) -> list[tf.TensorSpec]:
        """Of the inputs, in the order of the call."""
        return [tf.TensorSpec([None, None], tf.float32, READINGS)]

    def request(self, readings: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs that the server tries, with these readings."""
        return {READINGS: readings}

    def probabilities(self, readings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Of the inputs: float32 `[batch, classes]`, and bool `[batch, 1]`, whether anything is known of a sensor."""
        readings = at_least(readings, 1)
        return self.model({READINGS: readings}, training=False), _measured(readings)

    def __call__(self, *inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(*self.probabilities(*inputs))

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

    def request(self, readings: np.ndarray) -> dict[str, np.ndarray]:
        return {READINGS: readings, METADATA: _warmup_texts(len(readings))}

    def probabilities(  # type: ignore[override]
        self, readings: tf.Tensor, metadata: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        readings = at_least(readings, 1)
        described = ~are_blank(metadata)[:, None]
        found = self.model({READINGS: readings, METADATA: metadata}, training=False)
        return found, _measured(readings) | described


class EmbeddingEndpoint(Endpoint):
    """From raw readings and the embedding of the metadata, zeros where there is none, to labels.

    Of a model that also reads how the metadata is spelled, it takes the text, too, and is without the encoder alone.
    """

    @property
    def _reads_text(self) -> bool:
        return any(branch != METADATA and source_of(each) == METADATA for branch, each in self.model.frozen.items())

    def signature(self) -> list[tf.TensorSpec]:
        text = [tf.TensorSpec([None], tf.string, METADATA)] if self._reads_text else []
        return [*super().signature(), *text, tf.TensorSpec([None, _width(self.model)], tf.float32, EMBEDDING)]

    def request(self, readings: np.ndarray) -> dict[str, np.ndarray]:
        text = {METADATA: _warmup_texts(len(readings))} if self._reads_text else {}
        return {READINGS: readings, **text, EMBEDDING: np.zeros((len(readings), _width(self.model)), np.float32)}

    def probabilities(self, readings: tf.Tensor, *told: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        *text, embedding = told
        readings = at_least(readings, 1)
        given = {READINGS: readings, METADATA: text[0] if text else None}
        described = tf.reduce_any(embedding != 0, axis=1, keepdims=True)
        features = {
            feature_input(branch): embedding if branch == METADATA else frozen(given[source_of(frozen)], training=False)
            for branch, frozen in self.model.frozen.items()
        }
        return self.model({READINGS: readings, **features}, training=False), _measured(readings) | described


class TogetherEndpoint(Endpoint):
    """From the sensors of one table, some of them labelled, to the labels of all.

    Args:
        alone: what names each of them by itself.
        second: what their siblings make of that.
        labels: file of the class names, one a line.
        threshold: confidence below which the label is `UNKNOWN`. Default 0: never.
    """

    def __init__(self, alone: Endpoint, second: CollectiveModel, labels: Path, threshold: float = 0.0) -> None:
        super().__init__(alone.model, labels, threshold)
        self.alone = alone
        self.second = second
        line, text = tf.lookup.TextFileIndex.LINE_NUMBER, tf.lookup.TextFileIndex.WHOLE_LINE
        source = tf.lookup.TextFileInitializer(str(labels), tf.string, text, tf.int64, line)
        self.places = tf.lookup.StaticHashTable(source, default_value=-1)
        self.tables = [*alone.tables, self.labels, self.places]

    def signature(self) -> list[tf.TensorSpec]:
        return [*self.alone.signature(), tf.TensorSpec([None], tf.string, KNOWN_LABEL)]

    def request(self, readings: np.ndarray) -> dict[str, np.ndarray]:
        known = np.full(len(readings), b"", object)
        known[::2] = self.second.class_names[0].encode()
        return {**self.alone.request(readings), KNOWN_LABEL: known}

    def probabilities(self, *inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Those of a labelled sensor are its label."""
        *alone, known_label = inputs
        labelled = tf.strings.strip(known_label) != ""
        exact, bare = (self.places.lookup(label) for label in (known_label, tf.strings.strip(known_label)))
        place = tf.where(labelled, tf.where(exact >= 0, exact, bare), -1)
        foreign = labelled & (place < 0)
        message = f"{KNOWN_LABEL} has a label that the model does not know, "
        check = tf.debugging.Assert(~tf.reduce_any(foreign), [message, tf.boolean_mask(known_label, foreign)])
        with tf.control_dependencies([check]):
            known = tf.one_hot(place, len(self.second.class_names))
        # What is believed of a labelled sensor is never looked at.
        asked = tf.where(~labelled)
        told, something = self.alone.probabilities(*(tf.gather(each, asked[:, 0]) for each in alone))
        beliefs = tf.tensor_scatter_nd_update(known, asked, told)
        something = tf.tensor_scatter_nd_update(labelled[:, None], asked, something)
        found = self.second({"readings": at_least(alone[0], 1), "beliefs": beliefs, "known": known}, training=False)
        return tf.where(labelled[:, None], known, found), something


def _warmup_texts(count: int) -> np.ndarray:
    """So many, some of them blank."""
    return np.resize(np.array([text.encode() for text in WARMUP_TEXTS], object), count)


def _width(model: keras.Model) -> int:
    return model.frozen[METADATA].output.shape[-1]


def _measured(readings: tf.Tensor) -> tf.Tensor:
    return tf.reduce_any(tf.math.is_finite(readings), axis=1, keepdims=True)
