"""A finished run put to use: scored on other readings, labelling a table, exported."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import Report, evaluate
from deepfeatiot_tf.evaluation.refusal import UnreachablePrecisionError
from deepfeatiot_tf.models import CollectiveClassifier, load_model
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.readings.splits import count_shared_rows
from deepfeatiot_tf.runs.held_out import refusal_of
from deepfeatiot_tf.runs.run_folder import OUTPUTS, RunFolder
from deepfeatiot_tf.runs.silent_sensors import answerable, tell_of_silent
from deepfeatiot_tf.runs.sources import (
    FORGOTTEN,
    check_given,
    is_dataset,
    options_of,
    path_of,
    read_source,
    tell_of_other_columns,
    without_labels,
)
from deepfeatiot_tf.serving import export_saved_model, export_tflite, predict_table
from deepfeatiot_tf.serving.lite import ENDING as LITE_ENDING
from deepfeatiot_tf.serving.unknown import OUT_OF_REACH

logger = logging.getLogger(__name__)


def evaluate_run(
    run: str | Path,
    source: str | Path,
    output: str | Path | None = None,
    *,
    folder: str | Path | None = None,
    beside: str | Path | None = None,
    **options: Any,
) -> Report:
    """Score the model of a run on labelled readings that it was not trained on.

    Of a collective run all sensors of the table are named together.

    Args:
        run: the folder of a finished run.
        source: a labelled table, or the name of a data set.
        output: folder of the report. Default: `evaluation-<name>` in the run folder.
        folder: where the files of data sets lie.
        beside: see `predict_run`. Default None.
        **options: as for `read_table`, in place of those that the run was trained with; None or `""` forgets
            one.

    Returns:
        the report, as it was saved.

    Raises:
        InputError: no finished run, a table cannot be read or has a label that the model does not know, there are
            sensors beside those to name but the run is not collective, or the report of another table, or another
            `report.md`, would be replaced.
    """
    place = RunFolder(run)
    check_given(source, options)
    _check_beside(place, beside)
    if output is not None and RunFolder(output).begun:
        raise InputError(f"{output}: is the folder of a run, whose report would be replaced; name another")
    told = source if is_dataset(source) else Path(source).resolve()
    destination = report_folder(run, source) if output is None else Path(output)
    _check_report_of(destination, str(told))
    model = load_model(place.finished_model())
    record = place.record()
    read_as = _merged(record["table"], options)
    tell_of_other_columns(source, read_as, record.get("columns"))
    readings = read_source(source, read_as, folder=folder, class_names=model.class_names)
    if readings.checksum == record["data"].get("checksum"):
        logger.warning(
            "%s: the run was trained on a part of these very readings at least, so the scores are too good; "
            "those of its test part are in %s",
            *(source, place.path / "report.md"),
        )
    asked = answerable(readings, model.reads_metadata)
    tell_of_silent(readings, asked)
    if place.is_collective:
        fleet, labelled = _fleet(place, model, beside, folder)
        _tell_of_copies(asked, labelled)
        report = Report(asked, model.class_names, fleet.predict(asked, labelled))
    else:
        report = evaluate(model, asked)
    context = {
        "run": str(place.path),
        "table": str(told),
        "beside": None if beside is None else str(beside),
        "settings": record["settings"],
    }
    report.save(destination, context=context)
    return report


def report_folder(run: str | Path, source: str | Path) -> Path:
    """Where `evaluate_run` writes unless told otherwise."""
    return Path(run) / f"evaluation-{Path(source).stem}"


def predict_run(
    run: str | Path,
    source: str | Path,
    output: str | Path,
    *,
    folder: str | Path | None = None,
    beside: str | Path | None = None,
    precision: float | None = None,
    standard_names: bool = False,
    progress: Callable[[int], object] | None = None,
    **options: Any,
) -> int:
    """Label a table with the model of a run; with that of a collective run, all of the table together.

    Args:
        run: the folder of a finished run.
        source: a table, or the name of a data set. Labels in it are not looked at.
        output: `.csv` or `.parquet`; see `predict_table`.
        beside: of a collective run, a table of labelled sensors measured at the same times, such as the one that it
            was trained on, and read as that was; see `CollectiveClassifier.predict`. Default None.
        folder: where the files of data sets lie.
        precision: share of right labels, among those given, that is wanted: a sensor is `unknown` below the
            confidence that reached it on the run's `held_out.csv` (see `train_run`). Default None: every sensor gets
            a type.
        standard_names: see `predict`. Default False.
        progress: see `predict_table`.
        **options: as for `evaluate_run`.

    Returns:
        the number of sensors.

    Raises:
        InputError: no finished run, a table cannot be read, the output cannot be written, the precision cannot be
            reached, or there are sensors beside those to name but the run is not collective.
    """
    place = RunFolder(run)
    check_given(source, options)
    _check_beside(place, beside)
    if beside is not None and Path(output).exists() and Path(beside).exists() and Path(output).samefile(beside):
        raise InputError(f"{output}: is the table of the sensors beside; name another file for the labels")
    if Path(output).name in OUTPUTS and Path(output).resolve().parent == place.path.resolve():
        raise InputError(f"{output}: is a file of the run; name another file for the labels")
    threshold = None if precision is None else refusal_of(place, precision)[0].threshold
    model = load_model(place.finished_model())
    path = path_of(source, folder)
    read_as = options_of(source, {}) if is_dataset(source) else _merged(place.record()["table"], options)
    tell_of_other_columns(source, read_as, place.record().get("columns"))
    answers: dict[str, Any] = {"threshold": threshold, "standard_names": standard_names, "progress": progress}
    if place.is_collective:
        fleet, labelled = _fleet(place, model, beside, folder)
        answers["together"] = partial(fleet.predict, beside=labelled)
    if options.get("empty"):
        answers["empty"] = options["empty"]
    return predict_table(model, path, output, **answers, **without_labels(path, read_as))


def export_run(
    run: str | Path,
    output: str | Path,
    *,
    embeddings: bool = False,
    precision: float | None = None,
    standard_names: bool = False,
) -> Path:
    """Write the model of a run for TF Serving or for TFLite; see `export_saved_model` and `export_tflite`.

    The SavedModel of a collective run has a signature for each sensor by itself and one for a table together; a
    `.tflite` file has the former.

    Args:
        run: the folder of a finished run.
        output: the folder of the served model, where it becomes the next version, or of a version of it; or a file that
            ends in `.tflite`.
        embeddings: see `export_saved_model`. Default False.
        precision: as for `predict_run`; of a collective run each signature has its own threshold for it; where it is
            out of reach for each sensor by itself, that signature names none. What it rests on is in the export's
            `about.json`. Default None.
        standard_names: see `export_saved_model`. Default False.

    Returns:
        the folder of the version, or the file.

    Raises:
        InputError: no finished run, the folder or file cannot be written, the precision cannot be reached; or a
            `.tflite` file is asked for with embeddings or of a model that reads text.
    """
    place = RunFolder(run)
    lite = Path(output).suffix.lower() == LITE_ENDING
    trained = place.finished_model()
    collective = place.is_collective
    if lite and (embeddings or standard_names):
        raise InputError(
            f"{output}: embeddings and standard names go with a SavedModel; name a folder, or leave them out"
        )
    threshold: float | None = None
    about: dict[str, Any] = {}
    options: dict[str, Any] = {}
    if precision is not None and collective and not lite:
        together, rests_on = refusal_of(place, precision)
        options["together_threshold"] = together.threshold
        threshold, about = _alone(place, precision)
        about["together"] = rests_on
    elif precision is not None:
        refusal, about = refusal_of(place, precision, alone=collective)
        threshold = refusal.threshold
    model = load_model(trained)
    if lite:
        if collective:
            logger.warning("%s: names each sensor by itself; the SavedModel names a table together, too", output)
        return export_tflite(model, output, threshold=threshold, about=about)
    return export_saved_model(
        CollectiveClassifier.load(model, place.collective) if collective else model,
        output,
        embeddings=embeddings,
        threshold=threshold,
        standard_names=standard_names,
        about=about,
        **options,
    )


def _alone(run: RunFolder, precision: float) -> tuple[float, dict[str, Any]]:
    """The threshold of a collective run for each sensor by itself, and what it rests on.

    A precision may be in reach for sensors named together alone, which is no reason to refuse to export these.
    """
    try:
        refusal, about = refusal_of(run, precision, alone=True)
    except UnreachablePrecisionError as error:
        logger.warning("%s; signature serving_default says unknown of every sensor", error)
        return OUT_OF_REACH, {"precision": precision, "answered_share": 0.0}
    return refusal.threshold, about


def _check_report_of(folder: Path, table: str) -> None:
    """An `InputError` where a folder holds the report on another table, or one that is none of ours."""
    try:
        other = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["context"]["table"]
    except (OSError, ValueError, KeyError, TypeError):  # there is none, or no whole one
        if (folder / "report.md").exists():  # written after it
            raise InputError(
                f"{folder}: has a report.md of something else; name another folder with --output"
            ) from None
        return
    if other != table:
        raise InputError(f"{folder}: holds the report on {other}; name another folder with --output")


def _check_beside(run: RunFolder, beside: str | Path | None) -> None:
    """Refuse sensors beside those to name where they would change nothing."""
    if beside is not None and not run.is_collective:
        run.finished_model()
        raise InputError(f"{run.path}: names each sensor by itself, so none help beside; train it with --collective")


def _fleet(
    run: RunFolder, model: FrozenFeatureModel, beside: str | Path | None, folder: str | Path | None
) -> tuple[CollectiveClassifier, SensorReadings | None]:
    """What names the sensors of a table together, and the labelled ones beside them."""
    labelled = None
    if beside is not None:
        labelled = read_source(beside, run.record()["table"], folder=folder, class_names=model.class_names)
    return CollectiveClassifier.load(model, run.collective), labelled


def _tell_of_copies(readings: SensorReadings, beside: SensorReadings | None) -> None:
    """Warn where sensors to score are beside themselves, with their labels."""
    copies = 0 if beside is None else count_shared_rows(readings, beside)
    if copies:
        logger.warning(
            "%s: %d sensors have the readings of one beside them, and so its label; the scores are too good",
            *(readings.name, copies),
        )


def _merged(remembered: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**remembered, **given}
    return {name: value for name, value in merged.items() if value not in FORGOTTEN}
