"""A model and the second look that it takes at the sensors of one table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models.collective import CollectiveModel
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.solved_heads import SOLVED
from deepfeatiot_tf.models.training_data import METADATA, READINGS, has
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.readings.sensor_readings import places_of


class CollectiveClassifier:
    """Names the sensors of one table together: each by itself, then by what moves as it does.

    Readings in the same column are taken to be of the same time. What is answered for a sensor then depends on which
    others are in the table, and on which of them are labelled.

    Args:
        model: with a closed-form head, fitted.
        second: what `fit` learned, where it did so before. Default: nothing yet.

    Example:
        >>> train, _, test = dfi.split(readings, validation=0)  # doctest: +SKIP
        >>> model.fit(train.to_dataset())  # in this order  # doctest: +SKIP
        >>> fleet = dfi.CollectiveClassifier(model)  # doctest: +SKIP
        >>> fleet.fit(train)  # doctest: +SKIP
        >>> fleet.predict(test, beside=train)  # doctest: +SKIP
    """

    def __init__(self, model: FrozenFeatureModel, second: CollectiveModel | None = None) -> None:
        self.model = model
        self._second = second

    @property
    def second(self) -> CollectiveModel:
        """What `fit` learned.

        Raises:
            InputError: there was no `fit`.
        """
        if self._second is None:
            raise InputError("this CollectiveClassifier has not been fitted; call fit first")
        return self._second

    @classmethod
    def load(cls, model: FrozenFeatureModel, path: str | Path) -> CollectiveClassifier:
        """With the second look that `save` wrote.

        Raises:
            InputError: the file is missing or damaged, or was learned beside a model of other types.
        """
        try:
            second = keras.saving.load_model(Path(path), safe_mode=True)
        except Exception as error:  # Keras raises whatever the damaged part led to
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(f"{path}: cannot be opened ({reason}); train or copy it again") from error
        if not isinstance(second, CollectiveModel) or second.class_names != tuple(model.class_names):
            raise InputError(f"{path}: is not of this model; train again")
        return cls(model, second)

    def save(self, path: str | Path) -> None:
        """Write what `fit` learned, a `.keras` file; the model is saved by itself."""
        self.second.save(Path(path))

    def fit(self, train: SensorReadings, class_weight: Mapping[int, float] | None = None) -> np.ndarray:
        """Learn from the series that the model was fitted on, in the same order.

        Args:
            train: labelled.
            class_weight: what the series of a class count for, by its index, as in the model's own `fit`. Default: all
                the same.

        Returns:
            float32 `[series, types]`, what each would get beside the others had it been left out.

        Raises:
            InputError: the model was not fitted on as many series, or in another order, or has no closed-form head
                alone; a label is unknown to it.
        """
        left_out = left_out_answers(self.model, train)
        one_hot = _one_hot(self.model, train)
        if (one_hot.argmax(axis=1) != self.model.learned_classes).any():
            raise InputError(
                f"{train.name}: in another order than the model was fitted in; fit it on to_dataset() unshuffled"
            )
        beliefs = _in_order(self.model, train, self.model.cross_validated)
        self._second = CollectiveModel(tuple(self.model.class_names))
        return self._second.learn(train.values, beliefs, left_out, one_hot, class_weight)

    def predict(self, readings: SensorReadings, beside: SensorReadings | None = None, **options: Any) -> np.ndarray:
        """Probabilities float32 `[sensors, types]`; labels in `readings` are not looked at.

        Args:
            readings: the sensors of one table.
            beside: labelled sensors measured at the same times, which help. Default: there are none.
            **options: of the model's `predict`.

        Raises:
            InputError: there was no `fit`, or a sensor beside has no label or one that the model does not know.
        """
        second = self.second
        if not len(readings):
            return np.empty((0, len(self.model.class_names)), np.float32)
        beliefs = self.model.predict(readings.to_dataset(batch_size=256), verbose=0, **options)
        if beside is None or not len(beside):
            return second.answer(readings.values, beliefs)
        known = np.pad(_one_hot(self.model, beside), [(0, len(readings)), (0, 0)])
        time = max(beside.values.shape[1], readings.values.shape[1])
        values = np.concatenate([_padded(each.values, time) for each in (beside, readings)])
        # What is believed of a labelled sensor is never looked at.
        return second.answer(values, np.concatenate([known[: len(beside)], beliefs]), known)[len(beside) :]


def _one_hot(model: FrozenFeatureModel, labelled: SensorReadings) -> np.ndarray:
    """float32 `[sensors, types]`; the types in the order of the model, whatever that of the readings."""
    if labelled.labels is None:
        raise InputError(f"{labelled.name}: no labels, which sensors to learn from or beside those to name must have")
    places = places_of(labelled.labels, model.class_names)
    if (places < 0).any():
        foreign = labelled.labels[places < 0][0]
        raise InputError(f"{labelled.name}: label {foreign!r} is unknown to the model; rename it or leave its rows out")
    return keras.utils.to_categorical(places, len(model.class_names)).astype(np.float32)


def left_out_answers(model: FrozenFeatureModel, train: SensorReadings) -> np.ndarray:
    """What a closed-form head would have said of each series of the training part, had it been left out.

    Each by the head that reads all that the series has, as the model itself chooses.

    Args:
        model: fitted.
        train: the series that it was fitted on, in that order.

    Raises:
        InputError: the model was fitted on another number of series, or has no closed-form head that answers alone.
    """
    if "closed_form" not in model.left_out or model.blend is not None:
        raise InputError(
            "only a model with the closed-form head alone, just fitted, knows what it says of series left out"
        )
    return _in_order(model, train, model.left_out)


def _in_order(model: FrozenFeatureModel, train: SensorReadings, answers: Mapping[str, np.ndarray]) -> np.ndarray:
    """Of the answers of each head, those of the head that reads all that a series has."""
    texts = np.full(len(train), "", object) if train.metadata is None else train.metadata
    given = {READINGS: train.values, METADATA: texts}
    found = np.full((len(train), len(model.class_names)), 1 / len(model.class_names), np.float32)
    for head in reversed([head for head in SOLVED if head in answers]):
        rows = np.ones(len(train), bool)
        for needed in SOLVED[head] if model.reads_metadata else ():
            rows &= has(given, needed)
        if len(answers[head]) != rows.sum():
            raise InputError(f"{train.name}: {rows.sum()} series, but the model was fitted on {len(answers[head])}")
        found[rows] = answers[head]
    return found


def _padded(values: np.ndarray, time: int) -> np.ndarray:
    return np.pad(values, [(0, 0), (0, time - values.shape[1])], constant_values=np.nan)
