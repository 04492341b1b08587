"""Training a run: split, fit, test once, write down; and going on where it was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import keras
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import Report, evaluate
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.files import write_beside, write_text
from deepfeatiot_tf.layers import LanguageFeatures, TextFeatures
from deepfeatiot_tf.models import CollectiveClassifier, DeepFeatIoT, DeepHeteroIoT, DeepMetaIoT, load_model
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.refit import refit
from deepfeatiot_tf.readings import SensorReadings, split
from deepfeatiot_tf.runs.answer_table import answer_table
from deepfeatiot_tf.runs.held_out import calibrate, held_out_answers
from deepfeatiot_tf.runs.model_card import branch_worth, model_card
from deepfeatiot_tf.runs.model_file import save_keras, save_model
from deepfeatiot_tf.runs.run_folder import RunFolder, describe_data, versions
from deepfeatiot_tf.runs.settings import RunSettings
from deepfeatiot_tf.training import RunCheckpoint
from deepfeatiot_tf.training.class_balance import balanced_class_weight
from deepfeatiot_tf.training.resumable_fit import fit_resumably

logger = logging.getLogger(__name__)

MODELS: dict[str, type[FrozenFeatureModel]] = {
    "deepfeatiot": DeepFeatIoT,
    "deepheteroiot": DeepHeteroIoT,
    "deepmetaiot": DeepMetaIoT,
}
# Of a model, the layers that read with pretrained weights, by the settings that name them.
ENCODERS: dict[str, Any] = {"language": LanguageFeatures, "text_encoder": TextFeatures}

Parts = tuple[SensorReadings, SensorReadings, SensorReadings]


def train_run(
    readings: SensorReadings,
    folder: str | Path,
    *,
    settings: RunSettings | None = None,
    table: Mapping[str, Any] | None = None,
    restart: bool = False,
    feature_cache: str | Path | bool | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 1,
) -> Report:
    """Train on a part of the readings, select on another, test once on the third; keep it all in a folder.

    The folder gets `settings.json` (settings, data and its checksum, sizes of the parts, pretrained encoders,
    versions), `model.keras`, `model_card.md`, `report.md`, `metrics.json`, pictures, `predictions.csv` (of the test
    part), `held_out.csv`, `suspects.csv` and, of a network trained by gradient, `history.csv`. A run that was
    interrupted, even killed, goes on with the same call and ends with the result of an unbroken one. A finished run is
    not trained again.

    `held_out.csv` has the answers to series that were not learned from: the validation part; of a closed-form head
    without one, each series of the training part left out in turn. How right they are is in `metrics.json`, too. The
    `precision` of `predict_run` and `export_run` rests on them. A network's confidences are scaled by a temperature
    fitted on the validation part, in its weights; a closed-form head takes its own from the series left out; a blend of
    both is weighed on the validation part. A model whose learning rate is annealed needs that part for nothing else,
    and is then trained once more, on it, too.
    Of a collective run the test part is answered together, beside the training part, and each series left out beside
    the rest of it; `collective.keras` has what was learned for that, and `held_out.csv` also what each gets by itself.
    `suspects.csv` has those that it reads otherwise than they are labelled, and the card says what is lost without each
    branch of a closed-form head.

    Args:
        readings: labelled.
        folder: of the run; made if missing.
        settings: Default: those of `RunSettings()`.
        table: how the readings were read, as options of `read_table`; `predict_run` and `evaluate_run` read
            alike. Default: nothing is remembered.
        restart: whether to throw away what run there is in the folder. Default False.
        feature_cache: as for `DeepFeatIoT.fit`.
        callbacks: further ones for `fit`, to show progress, say.
        verbose: of `fit`. Default 1.

    Returns:
        the report on the test part.

    Raises:
        InputError: settings or readings cannot be used, or the folder holds another run.

    Example:
        >>> settings = RunSettings(epochs=50)
        >>> report = train_run(load_dataset("swiss"), "run/", settings=settings)  # doctest: +SKIP
    """
    settings = settings or RunSettings()
    run = RunFolder(folder)
    run.check_place()
    if run.begun and not restart:
        run.check_same(readings, settings, table)
    if settings.text_encoder is not None and readings.metadata is None:
        raise InputError(f"{readings.name}: has no metadata for the text encoder to read; name its column, --metadata")
    _tell_of_unread_metadata(readings, settings)
    parts = split_for(readings, settings)
    if run.finished and not restart:
        run.state.unlink(missing_ok=True)
        return _tested(load_model(run.finished_model()), run, parts)
    model = _build(readings.class_names, settings)
    if restart or not run.begun:
        run.begin(
            {
                "settings": settings.to_json(),
                "data": describe_data(readings),
                "split": dict(zip(("train", "validation", "test"), map(len, parts), strict=True)),
                **_encoders(model),
                "table": dict(table or {}),
                "versions": versions(),
            }
        )
    options: dict[str, Any] = {"feature_cache": feature_cache, "verbose": verbose}
    begun = perf_counter()
    if settings.solved:
        history, facts = _solve(model, parts[0], settings, callbacks=list(callbacks), **options)
    else:
        history, facts = _train(model, parts, settings, run, callbacks=list(callbacks), **options)
    if model.blend is not None:  # which `fit` has calibrated
        facts["learned_share"] = float(model.blend.share)
    elif not settings.solved:
        facts["temperature"] = calibrate(model, parts[1])
    alone, facts["held_out"] = held_out_answers(model, parts[0], parts[1])
    held_out = alone
    if settings.collective:
        fleet = CollectiveClassifier(model)
        left_out = fleet.fit(parts[0], _class_weight(parts[0], settings))
        held_out, _ = held_out_answers(model, *parts[:2], answers=left_out)
        facts["siblings_share"] = fleet.second.share
        facts.update({f"alone_{score}": alone.metrics[score] for score in ("accuracy", "log_loss")})
        save_keras(fleet.save, run.collective)
    facts.update({f"held_out_{score}": held_out.metrics[score] for score in ("accuracy", "log_loss")})
    if model.annealed and not settings.solved:
        model = refit(
            model,
            partial(_build, readings.class_names, settings, _loaded(model, settings)),
            *(inputs_for(model, part) for part in parts[:2]),
            seed=settings.seed,
            epochs=facts["epochs"],
            unfinished=run.refit_state,
            batch_size=settings.batch_size,
            class_weight=_class_weight(parts[0], settings),
            callbacks=list(callbacks),
            **options,
        )
    cost = {"fit_seconds": perf_counter() - begun, "parameters": model.count_params()}
    save_model(model, run.model)
    report = _tested(model, run, parts)
    _write_csv(run.held_out, answer_table(held_out, alone if settings.collective else None))
    _write_csv(run.predictions, answer_table(report))
    if history:
        _write_csv(run.history, _history_table(history))
    record = run.record()
    context = {
        "protocol": "honest",
        **facts,
        **_encoders(model),
        **{name: record[name] for name in ("split", "settings", "versions")},
    }

    def without(smaller: RunSettings) -> Report:
        other = _build(readings.class_names, smaller, _loaded(model, smaller))
        _solve(other, parts[0], smaller, feature_cache=feature_cache, verbose=0)
        return held_out_answers(other, parts[0], parts[1])[0]

    _write_csv(run.suspects, held_out.misread)
    worth = branch_worth(settings, getattr(model, "branches", ()), model.learned_windows, alone, without)
    write_text(run.card, model_card(run, report, held_out, worth, {**cost, **facts}))
    report.save(run.path, history=history, context=context)  # last: its report.md makes the run a finished one
    run.state.unlink(missing_ok=True)
    return report


def _tested(model: FrozenFeatureModel, run: RunFolder, parts: Parts) -> Report:
    """The report on the test part; of a collective run answered together, beside the training part."""
    if not run.is_collective:
        return evaluate(model, parts[2])
    found = CollectiveClassifier.load(model, run.collective).predict(parts[2], beside=parts[0])
    return Report(parts[2], model.class_names, found)


def _tell_of_unread_metadata(readings: SensorReadings, settings: RunSettings) -> None:
    if settings.model != "deepfeatiot" or settings.text_encoder is not None or readings.metadata is None:
        return
    if any(text.strip() for text in readings.metadata):
        ways = "use-multilingual, minilm or ngrams" if settings.solved else "use-multilingual or minilm"
        logger.warning("%s: its metadata is not read; --text-encoder %s reads it", readings.name, ways)


def split_for(readings: SensorReadings, settings: RunSettings) -> Parts:
    """Training, validation and test part of a run.

    Raises:
        InputError: the readings cannot be split so.
    """
    parts = split(readings, seed=settings.seed, test=settings.test, validation=settings.validation or 0.0)
    if settings.validation and not len(parts[1]):
        raise InputError(
            f"{readings.name}: validation={settings.validation} of {len(parts[0])} series is none to select "
            "on; raise it"
        )
    return parts


def _build(
    class_names: tuple[str, ...], settings: RunSettings, encoders: Mapping[str, Any] | None = None
) -> FrozenFeatureModel:
    """The model of the settings, with `encoders` that are loaded already in place of their names."""
    build: Any = MODELS[settings.model]
    try:
        model = build(class_names, **{**settings.model_options, **(encoders or {})})
        model.compile(recipe=settings.recipe)
    except ValueError as error:
        raise InputError(str(error).strip().splitlines()[0]) from error
    return model


def _loaded(model: FrozenFeatureModel, settings: RunSettings) -> dict[str, Any]:
    """Of the model's pretrained layers those that the settings ask for."""
    return {name: getattr(model, name) for name in ENCODERS if getattr(settings, name, None) is not None}


def _encoders(model: FrozenFeatureModel) -> dict[str, dict[str, str] | None]:
    """Which pretrained models the features of readings as text, and of metadata, come from."""
    layers = {name: getattr(model, name, None) for name in ENCODERS}
    return {name: layer.describe() if isinstance(layer, ENCODERS[name]) else None for name, layer in layers.items()}


def _solve(
    model: FrozenFeatureModel, train: SensorReadings, settings: RunSettings, **options: Any
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """The closed-form head: nothing to select, nothing to resume, no history."""
    data = inputs_for(model, train).to_dataset(batch_size=settings.batch_size)
    model.fit(data, class_weight=_class_weight(train, settings), **options)
    return {}, {}


def _train(
    model: FrozenFeatureModel,
    parts: Parts,
    settings: RunSettings,
    run: RunFolder,
    *,
    callbacks: list[keras.callbacks.Callback],
    **options: Any,
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """By gradient, from where the run stands: the history, and which epoch was kept."""
    train, validation, _ = (inputs_for(model, part) for part in parts)
    monitor = None if model.annealed else settings.monitor
    checkpoint = RunCheckpoint(run.state, monitor=monitor, patience=settings.patience)
    assert settings.epochs is not None  # RunSettings has seen to it
    fit_resumably(
        model,
        train,
        validation,
        checkpoint,
        seed=settings.seed,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        class_weight=_class_weight(train, settings),
        callbacks=callbacks,
        **options,
    )
    if checkpoint.best_epoch < 0:
        raise InputError(
            f"{train.name}: {settings.monitor} was no number in any epoch; look at the readings, or give "
            "--variant robust"
        )
    return checkpoint.history, {"best_epoch": checkpoint.best_epoch + 1, "epochs": checkpoint.epochs}


def _class_weight(train: SensorReadings, settings: RunSettings) -> dict[int, float] | None:
    if not settings.balance:
        return None
    every = dict.fromkeys(range(len(train.class_names)), 1.0)  # Keras wants all, a class without series too
    return {**every, **balanced_class_weight(train.label_indices)}


def _history_table(history: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    table = pd.DataFrame(history)
    table.insert(0, "epoch", range(1, len(table) + 1))
    return table


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    write_beside(path, lambda beside: table.to_csv(beside, index=False))
