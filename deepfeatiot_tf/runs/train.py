"""Training a run: split, fit, test once, write down; and going on where it was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import keras
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import Report
from deepfeatiot_tf.files import write_beside, write_text
from deepfeatiot_tf.readings import SensorReadings, split
from deepfeatiot_tf.runs.answer_table import answer_table, probability_table, read_probabilities
from deepfeatiot_tf.runs.learning import Learner
from deepfeatiot_tf.runs.model_card import branch_worth, model_card
from deepfeatiot_tf.runs.model_file import save_keras, save_model
from deepfeatiot_tf.runs.run_folder import RunFolder, describe_data, versions
from deepfeatiot_tf.runs.settings import RunSettings
from deepfeatiot_tf.runs.silent_sensors import answerable, tell_of_silent

logger = logging.getLogger(__name__)

Parts = tuple[SensorReadings, SensorReadings, SensorReadings]


def train_run(
    readings: SensorReadings,
    folder: str | Path,
    *,
    settings: RunSettings | None = None,
    table: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    restart: bool = False,
    feature_cache: str | Path | bool | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 1,
) -> Report:
    """Train on a part of the readings, select on another, test once on the third; keep it all in a folder.

    The folder gets `settings.json` (settings, data and its checksum, sizes of the parts, pretrained encoders,
    versions), `model.keras`, `model_card.md`, `report.md`, `metrics.json`, pictures, `predictions.csv` (of the test
    part), `probabilities.csv` (of each type, likewise), `held_out.csv`, `suspects.csv` and, of a network trained by
    gradient, `history.csv`. A run that was interrupted, even killed, goes on with the same call and ends with the
    result of an unbroken one. A finished run is not trained again.

    All scores are of a model that has not seen the test part. A closed-form head is then solved again, from all series,
    and that is the model in the folder; see `deliver` of `RunSettings`.

    `held_out.csv` has the answers to series that were not learned from: the validation part; of a closed-form head
    without one, each series that the model in the folder learned from, left out in turn. How right they are is in
    `metrics.json`, too. The `precision` of `predict_run` and `export_run` rests on them. A network's confidences are
    scaled by a temperature fitted on the validation part, in its weights; a closed-form head takes its own from the
    series left out; a blend of both is weighed on the validation part. A model whose learning rate is annealed needs
    that part for nothing else, and is then trained once more, on it, too.
    Of a collective run the test part is answered together, beside the training part, and each series left out beside
    the rest; `collective.keras` has what was learned for that, and `held_out.csv` also what each gets by itself.
    `suspects.csv` has those that it reads otherwise than they are labelled, and the card says what is lost without each
    branch of a closed-form head.

    Args:
        readings: labelled.
        folder: of the run; made if missing.
        settings: Default: those of `RunSettings()`.
        table: how the readings were read, as options of `read_table`; `predict_run` and `evaluate_run` read
            alike. Default: nothing is remembered.
        columns: first and last column of the readings of a wide table, where these were not named but found;
            `predict_run` and `evaluate_run` warn where they find others. Default: not known.
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
    asked = answerable(readings, settings.text_encoder is not None)
    tell_of_silent(readings, asked)
    if settings.idle:
        told = f"{settings.model}, head {settings.head}" if settings.head else settings.model
        logger.warning("without effect on this model (%s): %s", told, ", ".join(settings.idle))
    parts = split_for(asked, settings)
    if run.finished and not restart:
        run.finished_model()
        run.forget_states()
        return _as_written(run, parts[2])
    learner = Learner(readings.class_names, settings, run, callbacks, feature_cache, verbose)
    if restart or not run.begun:
        run.begin(
            {
                "settings": settings.to_json(),
                "data": describe_data(readings),
                "split": dict(zip(("train", "validation", "test"), map(len, parts), strict=True)),
                **learner.encoders,
                "table": dict(table or {}),
                "columns": columns,
                "versions": versions(),
            }
        )
    train, validation, test = parts
    begun = perf_counter()
    learned = learner.learn(train, validation)
    delivered = learner.learn_from_all(learned, asked) if settings.deliver == "all" else learned
    cost = {"fit_seconds": perf_counter() - begun, "parameters": delivered.model.count_params()}
    report = learner.tested(learned, test, train)  # by the one that has not seen these

    if delivered.fleet is not None:
        save_keras(delivered.fleet.save, run.collective)
    save_model(delivered.model, run.model)
    _write_csv(run.held_out, answer_table(delivered.held_out, delivered.alone if settings.collective else None))
    _write_csv(run.suspects, delivered.held_out.misread)
    _write_csv(run.predictions, answer_table(report))
    _write_csv(run.probabilities, probability_table(report))
    if learned.history:
        _write_csv(run.history, _history_table(learned.history))
    worth = branch_worth(
        settings,
        getattr(learned.model, "branches", ()),
        learned.model.learned_windows,
        learned.alone,
        lambda smaller: learner.without(smaller, train, validation),
    )
    facts = {**delivered.facts, "worth_on": learned.facts["held_out"]}
    write_text(run.card, model_card(run, report, delivered.held_out, worth, {**cost, **facts}))
    record = run.record()
    context = {
        "protocol": "honest",
        **delivered.facts,
        **learner.encoders,
        **{name: record[name] for name in ("split", "settings", "versions")},
    }
    # Last: its report.md makes the run a finished one.
    report.save(run.path, history=learned.history or None, context=context)
    run.forget_states()
    return report


def _as_written(run: RunFolder, test: SensorReadings) -> Report:
    """The report on the test part of a finished run, whose model has perhaps learned from that part since.

    Raises:
        InputError: the probabilities that were written are missing or damaged.
    """
    try:
        return Report(test, test.class_names, read_probabilities(run.probabilities, test.class_names))
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        where = f"{run.probabilities}: cannot be read ({reason})"
        raise InputError(f"{where}; copy the whole folder, or train again with --restart") from error


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


def _history_table(history: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    table = pd.DataFrame(history)
    table.insert(0, "epoch", range(1, len(table) + 1))
    return table


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    write_beside(path, lambda beside: table.to_csv(beside, index=False))
