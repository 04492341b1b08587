"""InceptionTime and H-InceptionTime, as aeon has them, on the level and the shape of each series."""

from __future__ import annotations

import os
from contextlib import redirect_stdout
from io import StringIO
from tempfile import TemporaryDirectory

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from deepfeatiot_tf.evaluation import EstimatorSystem
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.peers.inputs import level_and_shape

NETWORKS = 5  # trained and averaged in the paper
LEAST_GAIN = 1e-3  # in training loss, for patience to begin anew


def inception_time(training: Training) -> EstimatorSystem:
    """Five Inception networks, averaged (Ismail Fawaz et al. 2020, arXiv 1909.04939).

    Each keeps the epoch of its least training loss, and ends after `patience` epochs that lowered it by less than
    0.001: what is learned by heart gets no better.
    """
    return _system(training, custom_filters=False)


def h_inception_time(training: Training) -> EstimatorSystem:
    """The same with hand-crafted filters beside the learned ones (Ismail-Fawaz et al., IEEE Big Data 2022)."""
    return _system(training, custom_filters=True)


def _system(training: Training, custom_filters: bool) -> EstimatorSystem:
    return EstimatorSystem(
        lambda seed: InceptionTimeInTemporaryFolder(
            training.epochs, training.batch_size, custom_filters, seed, NETWORKS, training.patience
        ),
        inputs=lambda readings: level_and_shape(readings.values),
    )


class StepsWithoutXLA(keras.callbacks.Callback):
    """On a GPU Keras has XLA compile a training step, here anew for each of the networks and each size of batch."""

    def set_model(self, model: keras.Model) -> None:
        """Called before the step is made."""
        super().set_model(model)
        model.jit_compile = False


class InceptionTimeInTemporaryFolder(ClassifierMixin, BaseEstimator):
    """aeon's classifier, whose checkpoints go to a folder that does not outlive `fit`.

    Args:
        epochs: of each network.
        batch_size: series per step.
        custom_filters: whether it is H-InceptionTime.
        seed: of initial weights and order.
        networks: in the ensemble.
        patience: epochs without a lower training loss after which a network ends.
    """

    def __init__(
        self, epochs: int, batch_size: int, custom_filters: bool, seed: int, networks: int, patience: int
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.custom_filters = custom_filters
        self.seed = seed
        self.networks = networks
        self.patience = patience

    def fit(self, X: np.ndarray, y: np.ndarray) -> InceptionTimeInTemporaryFolder:
        """Train on `[n, channels, time]` and int `[n]`."""
        from aeon.classification.deep_learning import InceptionTimeClassifier

        with TemporaryDirectory() as folder:
            self.classifier_ = InceptionTimeClassifier(
                n_classifiers=self.networks,
                n_epochs=self.epochs,
                batch_size=self.batch_size,
                use_custom_filters=self.custom_filters,
                random_state=self.seed,
                callbacks=[
                    StepsWithoutXLA(),
                    keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=50, min_lr=1e-4),  # aeon's own
                    keras.callbacks.EarlyStopping("loss", patience=self.patience, min_delta=LEAST_GAIN),
                ],
                file_path=folder + os.sep,
            ).fit(X, y)
        self.classes_ = self.classifier_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities `[n, classes]`."""
        with redirect_stdout(StringIO()):  # aeon leaves Keras's progress bars on, into those of a comparison
            return self.classifier_.predict_proba(X)
