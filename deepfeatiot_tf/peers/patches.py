"""What the two patch networks share: patches of each series, and a system that knows its length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from deepfeatiot_tf.evaluation import KerasSystem
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.layers import InputChannels
from deepfeatiot_tf.peers.inputs import LEVEL_AND_SHAPE
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

LENGTH, STRIDE = 16, 8  # as PatchTST has them
LEARNING_RATE = 1e-3

# From patches [batch, patches, 32] to features [batch, width].
Network = Callable[[keras.KerasTensor], keras.KerasTensor]


@keras.saving.register_keras_serializable("deepfeatiot_tf.peers")
class Patches(keras.layers.Layer):
    """The level and the shape of each series, cut into patches of 16 readings that overlap by 8.

    The last reading is repeated eight times at the end, as published, and as often as fills a first patch. PatchTST
    reads the shape alone, which does not say what a sensor measures (`level_and_shape`); here a patch holds both.

    Input: raw readings float32 `[batch, time]`, NaN for missing.

    Output: float32 `[batch, max(⌊(time − 16) / 8⌋ + 2, 1), 32]`.

    Reference: PatchTST (arXiv 2211.14730), section 3.1.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32", "trainable": False})
        self.channels = InputChannels("robust")

    def call(self, readings: tf.Tensor) -> tf.Tensor:
        series = self.channels(readings)[0][..., :LEVEL_AND_SHAPE]
        more = max(STRIDE, LENGTH - series.shape[1])
        series = tf.concat([series, tf.repeat(series[:, -1:], more, axis=1)], axis=1)
        patches = tf.signal.frame(series, LENGTH, STRIDE, axis=1)  # [batch, patches, 16, 2]
        return tf.reshape(patches, [-1, *self.compute_output_shape(readings.shape)[1:]])

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        patches = (max(input_shape[1] + STRIDE, LENGTH) - LENGTH) // STRIDE + 1
        return (input_shape[0], patches, LENGTH * LEVEL_AND_SHAPE)


class PatchSystem(KerasSystem):
    """A network whose weights depend on the length of the series, which is known when training begins.

    Args:
        network: from patches `[batch, patches, 32]` to features `[batch, width]`.
        training: how to train; by Adam at 1e-3 on the cross-entropy.
    """

    def __init__(self, network: Network, training: Training) -> None:
        super().__init__(
            self._model,
            epochs=training.epochs,
            patience=training.patience,
            batch_size=training.batch_size,
        )
        self.network = network
        self._time = 0

    def fit(self, train: SensorReadings, validation: SensorReadings | None, **how: Any) -> dict[str, float]:
        """Build for the length of `train`, and train; see `KerasSystem.fit`."""
        self._time = train.values.shape[1]
        return super().fit(train, validation, **how)

    def _model(self, class_names: tuple[str, ...], seed: int) -> keras.Model:
        keras.utils.set_random_seed(seed)
        readings = keras.Input((self._time,), name="readings", dtype="float32")
        features = self.network(Patches(name="patches")(readings))
        probabilities = keras.layers.Dense(len(class_names), activation="softmax", name="probabilities")(features)
        model = keras.Model({"readings": readings}, probabilities)
        model.compile(keras.optimizers.Adam(LEARNING_RATE), "categorical_crossentropy", metrics=["accuracy"])
        return model
