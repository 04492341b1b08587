"""The whole path on a made-up fleet: simulate, train in several ways, compare, export, label new sensors."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from sklearn.dummy import DummyClassifier

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import EstimatorSystem, Report
from deepfeatiot_tf.files import make_folder, write_beside, write_text
from deepfeatiot_tf.language.sources import SMOLLM2, packaged_smollm2
from deepfeatiot_tf.models import load_model
from deepfeatiot_tf.readings import SensorReadings, read_table, simulate_fleet
from deepfeatiot_tf.runs.progress import TrainingBar
from deepfeatiot_tf.runs.run_folder import RunFolder
from deepfeatiot_tf.runs.settings import RunSettings
from deepfeatiot_tf.runs.train import split_for, train_run
from deepfeatiot_tf.serving import export_saved_model, predict_table

TABLE: dict[str, Any] = {"label": "label", "id": "id"}
FLOOR = "commonest type"
RESULTS = ("scores.csv", "labelled.csv")
# By name of the run's folder; trained without the learned branches, whose epochs would take minutes.
RUNS = {
    "run-solved": RunSettings(validation=0.15),
    "run-trained": RunSettings(head="mlp", branches=("randomized", "statistics"), epochs=40),
}
# The halves of each series would be read as text, too, which takes three times as long.
WITH_LANGUAGE = {"run-language": RunSettings(validation=0.15, language=SMOLLM2, windows=())}


@dataclass(frozen=True)
class Quickstart:
    """What came out.

    Args:
        folder: where everything lies.
        scores: one row per system: `system`, `validation_accuracy`, `accuracy`, `macro_f1`, `log_loss` (on
            the test part), `seconds` (NaN where the run was finished before).
        chosen: the run folder of the system that was better on the validation part.
        saved_model: the exported folder.
        labelled: the labels of the new sensors.
        sensors: how many those are.
        right: the share of them labelled right.
    """

    folder: Path
    scores: pd.DataFrame
    chosen: Path
    saved_model: Path
    labelled: Path
    sensors: int
    right: float


def quickstart(
    folder: str | Path,
    *,
    series: int = 480,
    new: int = 96,
    length: int = 168,
    runs: Mapping[str, RunSettings] | None = None,
    console: Console | None = None,
) -> Quickstart:
    """Simulate a fleet, train on it in several ways, export the best model, use it.

    Which one is kept is decided on the validation part; their scores on the test part choose nothing.
    An interrupted call goes on with the next one.

    Args:
        folder: gets `fleet.csv`, `new.csv`, `new_truth.csv`, the run folders, `scores.csv`, `labelled.csv`
            and `serving/sensor_type/1`.
        series: sensors to train and test on. Default 480.
        new: further sensors, whose labels are kept aside. Default 96.
        length: readings of each. Default 168.
        runs: settings by name of the run's folder. Default: a head in closed form, one trained by gradient, and,
            where the weights of SmolLM2 are installed, one in closed form that reads the readings as text, too.
        console: shows bars while training. Default: nothing is shown.

    Raises:
        InputError: the folder cannot be written, or holds runs with other settings, or files that would be replaced
            and are not those of a quickstart.
    """
    folder = Path(folder)
    make_folder(folder)
    fleet, truth = _write_fleet(folder, series, new, length)
    if runs is None:
        runs = {**RUNS, **(WITH_LANGUAGE if packaged_smollm2() else {})}
    rows = [_row(FLOOR, *_floor(fleet, next(iter(runs.values()))))]
    models, merits = {}, {}
    for place, settings in runs.items():
        run, name = RunFolder(folder / place), _name(settings)
        before, begun = run.finished, time.perf_counter()
        test = _train(fleet, run, settings, name, console)
        seconds = math.nan if before else time.perf_counter() - begun
        models[run.path] = load_model(run.model)
        # What it said of the validation part before it learned from that, too, if it did.
        held_out = json.loads((run.path / "metrics.json").read_text(encoding="utf-8"))["context"]
        merits[run.path] = held_out["held_out_accuracy"], -held_out["held_out_log_loss"]
        rows.append(_row(name, held_out["held_out_accuracy"], test, seconds))
    chosen = max(merits, key=lambda path: merits[path])
    scores = pd.DataFrame(rows)
    write_beside(folder / "scores.csv", partial(scores.to_csv, index=False))

    saved_model = folder / "serving" / "sensor_type" / "1"
    if not saved_model.exists():
        export_saved_model(models[chosen], saved_model)
    labelled = folder / "labelled.csv"
    sensors = predict_table(models[chosen], folder / "new.csv", labelled, id="id")
    answers = pd.read_csv(labelled, dtype=str, keep_default_na=False).set_index("id")["label"]
    right = float(np.mean([answers[id] == label for id, label in truth.items()]))
    return Quickstart(folder, scores, chosen, saved_model, labelled, sensors, right)


def _name(settings: RunSettings) -> str:
    language = f" and {settings.language}" if settings.language else ""
    head = "closed-form" if settings.solved else "trained"
    return f"frozen features{language}, {head} head"


def _write_fleet(folder: Path, series: int, new: int, length: int) -> tuple[SensorReadings, dict[str, str]]:
    """The labelled part, as read back from its file, and the true labels of the rest."""
    everything = simulate_fleet(series + new, length=length)
    table = pd.DataFrame(everything.values, columns=[f"reading_{i}" for i in range(length)])
    table.insert(0, "id", everything.ids)
    labels = pd.Series(everything.labels, name="label")
    labelled = table.iloc[:series].copy()
    labelled.insert(1, "label", labels[:series])
    rest = table.iloc[series:]
    truth = pd.DataFrame({"id": rest["id"], "label": labels[series:]})
    tables = {"fleet.csv": labelled, "new.csv": rest, "new_truth.csv": truth}
    texts = {name: part.to_csv(index=False, lineterminator="\n") for name, part in tables.items()}
    _check_place(folder, texts)
    for name, text in texts.items():
        write_text(folder / name, text)
    return read_table(folder / "fleet.csv", **TABLE), dict(zip(truth["id"], truth["label"], strict=True))


def _check_place(folder: Path, texts: Mapping[str, str]) -> None:
    """An `InputError` where a file would be replaced that no quickstart wrote."""
    present = [name for name in (*texts, *RESULTS) if (folder / name).exists()]
    ours = [name for name in texts if name in present and (folder / name).read_bytes() == texts[name].encode()]
    for name in present:
        # What comes out of a fleet is a quickstart's own where the fleet is.
        if name not in ours and (name in texts or "fleet.csv" not in ours):
            raise InputError(f"{folder / name}: is there already, and no quickstart wrote it; name another folder, -o")


def _train(fleet: SensorReadings, run: RunFolder, settings: RunSettings, name: str, console: Console | None) -> Report:
    bar = TrainingBar(console, name) if console else None
    with bar or nullcontext():
        return train_run(fleet, run.path, settings=settings, table=TABLE, callbacks=[bar] if bar else [], verbose=0)


def _floor(fleet: SensorReadings, settings: RunSettings) -> tuple[float, Report]:
    """Accuracy on the validation part, and test report, of answers that do not look at the readings."""
    train, validation, test = split_for(fleet, settings)
    system = EstimatorSystem(lambda seed: DummyClassifier(strategy="prior"))
    system.fit(train)
    of_validation = Report(validation, fleet.class_names, system.predict(validation))
    return of_validation.metrics["accuracy"], Report(test, fleet.class_names, system.predict(test))


def _row(system: str, validation_accuracy: float, test: Report, seconds: float = math.nan) -> dict[str, Any]:
    found = test.metrics
    return {
        "system": system,
        "validation_accuracy": validation_accuracy,
        "accuracy": found["accuracy"],
        "macro_f1": found["macro_f1"],
        "log_loss": found["log_loss"],
        "seconds": seconds,
    }
