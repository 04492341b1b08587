"""What the model of a run learns, in closed form or by gradient, and what it then says of series held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import Report, evaluate
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.layers import LanguageFeatures, TextFeatures
from deepfeatiot_tf.models import CollectiveClassifier, DeepFeatIoT, DeepHeteroIoT, DeepMetaIoT
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.refit import refit
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.runs.held_out import ALL_LEFT_OUT, calibrate, held_out_answers
from deepfeatiot_tf.runs.run_folder import RunFolder
from deepfeatiot_tf.runs.settings import RunSettings
from deepfeatiot_tf.training import RunCheckpoint
from deepfeatiot_tf.training.class_balance import balanced_class_weight
from deepfeatiot_tf.training.resumable_fit import fit_resumably

MODELS: dict[str, type[FrozenFeatureModel]] = {
    "deepfeatiot": DeepFeatIoT,
    "deepheteroiot": DeepHeteroIoT,
    "deepmetaiot": DeepMetaIoT,
}
# Of a model, the layers that read with pretrained weights, by the settings that name them.
ENCODERS: dict[str, Any] = {"language": LanguageFeatures, "text_encoder": TextFeatures}


@dataclass(frozen=True)
class Learned:
    """A model, and what it says of series that it had not learned from.

    Attributes:
        model: fitted and calibrated.
        alone: on these series, each by itself.
        held_out: on these series; of a collective run, together.
        facts: for report and card; `held_out` says which series these are.
        history: of a network, by name of the metric.
        fleet: of a collective run.
    """

    model: FrozenFeatureModel
    alone: Report
    held_out: Report
    facts: dict[str, Any]
    history: dict[str, list[float]] = field(default_factory=dict)
    fleet: CollectiveClassifier | None = None


class Learner:
    """Builds and fits the model of the settings.

    Args:
        class_names: of the types.
        settings: of the run.
        run: its folder, for the states of a training by gradient.
        callbacks: for `fit`.
        feature_cache: of `fit` and `predict`.
        verbose: of `fit`.

    Raises:
        InputError: options that the model cannot have.
    """

    def __init__(
        self,
        class_names: tuple[str, ...],
        settings: RunSettings,
        run: RunFolder,
        callbacks: Sequence[keras.callbacks.Callback],
        feature_cache: str | Path | bool | None,
        verbose: int,
    ) -> None:
        self.class_names = class_names
        self.settings = settings
        self.run = run
        self.callbacks = list(callbacks)
        self.feature_cache = feature_cache
        self.verbose = verbose
        self._first = self._build(settings)

    @property
    def encoders(self) -> dict[str, dict[str, str]]:
        """Which pretrained models the features of readings as text, and of metadata, come from, where there are any."""
        layers = {name: getattr(self._first, name, None) for name in ENCODERS}
        return {name: layer.describe() for name, layer in layers.items() if isinstance(layer, ENCODERS[name])}

    def learn(self, train: SensorReadings, validation: SensorReadings) -> Learned:
        """From the training part; what there is to choose or to calibrate, on the validation part."""
        model = self._first
        if self.settings.solved:
            return self._solve(model, train, validation)
        history, facts = self._train(model, train, validation)
        if model.blend is not None:  # which `fit` has calibrated
            facts["learned_share"] = float(model.blend.share)
        else:
            facts["temperature"] = calibrate(model, validation, feature_cache=self.feature_cache)
        held_out, facts["held_out"] = self._held_out(model, train, validation)
        if model.annealed:
            model = self._refit(model, facts["epochs"], self.run.refit_state, train, validation)
        return Learned(model, held_out, held_out, {**facts, **_scores(held_out)}, history)

    def learn_from_all(self, learned: Learned, everything: SensorReadings) -> Learned:
        """The same model, from all labelled series; what was chosen and calibrated stays.

        Args:
            learned: what was tested.
            everything: all parts.
        """
        if not self.settings.solved:
            model = self._refit(learned.model, learned.facts["epochs"], self.run.all_state, everything)
            return replace(learned, model=model)
        model = self._again()
        if self.settings.validation:
            self._fit(model, everything)
            return replace(learned, model=model)
        found = self._solve(model, everything, everything.take(np.arange(0)))
        return replace(found, facts={**found.facts, "held_out": ALL_LEFT_OUT})

    def tested(self, learned: Learned, test: SensorReadings, train: SensorReadings) -> Report:
        """The report on the test part; of a collective run answered together, beside the training part."""
        if learned.fleet is None:
            return evaluate(learned.model, test, feature_cache=self.feature_cache)
        answers = learned.fleet.predict(test, beside=train, feature_cache=self.feature_cache)
        return Report(test, learned.model.class_names, answers)

    def without(self, smaller: RunSettings, train: SensorReadings, validation: SensorReadings) -> Report:
        """What a smaller model with a closed-form head says of the series held out."""
        model = self._build(smaller, self._loaded(smaller))
        self._fit(model, train, quiet=True)
        return self._held_out(model, train, validation)[0]

    def _solve(self, model: FrozenFeatureModel, train: SensorReadings, validation: SensorReadings) -> Learned:
        self._fit(model, train)
        alone, which = self._held_out(model, train, validation)
        facts: dict[str, Any] = {"held_out": which}
        if not self.settings.collective:
            return Learned(model, alone, alone, {**facts, **_scores(alone)})
        fleet = CollectiveClassifier(model)
        left_out = fleet.fit(train, self._class_weight(train))
        held_out, _ = self._held_out(model, train, validation, left_out)
        facts["siblings_share"] = fleet.second.share
        facts.update({f"alone_{score}": alone.metrics[score] for score in ("accuracy", "log_loss")})
        return Learned(model, alone, held_out, {**facts, **_scores(held_out)}, fleet=fleet)

    def _fit(self, model: FrozenFeatureModel, train: SensorReadings, quiet: bool = False) -> None:
        """The closed-form head: nothing to select, nothing to resume, no history."""
        data = inputs_for(model, train).to_dataset(batch_size=self.settings.batch_size)
        told: dict[str, Any] = {"verbose": 0} if quiet else {"verbose": self.verbose, "callbacks": self.callbacks}
        model.fit(data, class_weight=self._class_weight(train), feature_cache=self.feature_cache, **told)

    def _held_out(
        self,
        model: FrozenFeatureModel,
        train: SensorReadings,
        validation: SensorReadings,
        answers: np.ndarray | None = None,
    ) -> tuple[Report, str]:
        return held_out_answers(model, train, validation, answers, feature_cache=self.feature_cache)

    def _train(
        self, model: FrozenFeatureModel, train: SensorReadings, validation: SensorReadings
    ) -> tuple[dict[str, list[float]], dict[str, Any]]:
        """By gradient, from where the run stands: the history, and which epoch was kept."""
        monitor = None if model.annealed else self.settings.monitor
        checkpoint = RunCheckpoint(self.run.state, monitor=monitor, patience=self.settings.patience)
        assert self.settings.epochs is not None  # RunSettings has seen to it
        learned_from, judged_on = (inputs_for(model, each) for each in (train, validation))
        options = self._by_gradient(train)
        fit_resumably(model, learned_from, judged_on, checkpoint, epochs=self.settings.epochs, **options)
        if checkpoint.best_epoch < 0:
            raise InputError(
                f"{train.name}: {self.settings.monitor} was no number in any epoch; look at the readings, or give "
                "--variant robust"
            )
        return checkpoint.history, {"best_epoch": checkpoint.best_epoch + 1, "epochs": checkpoint.epochs}

    def _refit(
        self, chosen: FrozenFeatureModel, epochs: int, unfinished: Path, *parts: SensorReadings
    ) -> FrozenFeatureModel:
        mine = [inputs_for(chosen, each) for each in parts]
        options = self._by_gradient(parts[0])
        return refit(chosen, self._again, *mine, epochs=epochs, unfinished=unfinished, **options)

    def _by_gradient(self, train: SensorReadings) -> dict[str, Any]:
        """Arguments of `fit_resumably`."""
        return {
            "seed": self.settings.seed,
            "batch_size": self.settings.batch_size,
            "class_weight": self._class_weight(train),
            "callbacks": self.callbacks,
            "feature_cache": self.feature_cache,
            "verbose": self.verbose,
        }

    def _again(self) -> FrozenFeatureModel:
        return self._build(self.settings, self._loaded(self.settings))

    def _loaded(self, settings: RunSettings) -> dict[str, Any]:
        """The pretrained layers that the settings ask for."""
        return {name: getattr(self._first, name) for name in ENCODERS if getattr(settings, name, None) is not None}

    def _build(self, settings: RunSettings, encoders: Mapping[str, Any] | None = None) -> FrozenFeatureModel:
        """The model of the settings, with `encoders` that are loaded already in place of their names."""
        build: Any = MODELS[settings.model]
        try:
            model = build(self.class_names, **{**settings.model_options, **(encoders or {})})
            model.compile(recipe=settings.recipe)
        except ValueError as error:
            raise InputError(str(error).strip().splitlines()[0]) from error
        return model

    def _class_weight(self, train: SensorReadings) -> dict[int, float] | None:
        return balanced_class_weight(train.label_indices) if self.settings.balance else None


def _scores(held_out: Report) -> dict[str, float]:
    return {f"held_out_{score}": held_out.metrics[score] for score in ("accuracy", "log_loss")}
