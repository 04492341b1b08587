"""The folder of a run: which files it has, whose run it is, how far it has come."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import deepfeatiot_tf
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.files import make_folder, write_text
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.readings.parsing.options import check_options
from deepfeatiot_tf.runs.settings import RunSettings

logger = logging.getLogger(__name__)

PICTURES = ("confusion.png", "reliability.png", "misread.png", "learning_curves.png")
TABLES = ("history.csv", "predictions.csv", "probabilities.csv", "held_out.csv", "suspects.csv", "comparison.csv")
OUTPUTS = ("report.md", "model_card.md", "metrics.json", "model.keras", "collective.keras", *TABLES, *PICTURES)


class RunFolder:
    """The files of one training run.

    `settings.json` makes a folder a run; `report.md`, which is written last, a finished one. In between there
    is `training_state.npz`, `refit_state.npz` of the training on the validation part, too, and `all_state.npz` of that
    on all series.

    Args:
        path: of the folder; need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings = self.path / "settings.json"
        self.state = self.path / "training_state.npz"
        self.refit_state = self.path / "refit_state.npz"
        self.all_state = self.path / "all_state.npz"
        self.model = self.path / "model.keras"
        self.collective = self.path / "collective.keras"
        self.history = self.path / "history.csv"
        self.predictions = self.path / "predictions.csv"
        self.probabilities = self.path / "probabilities.csv"
        self.held_out = self.path / "held_out.csv"
        self.suspects = self.path / "suspects.csv"
        self.card = self.path / "model_card.md"

    @property
    def begun(self) -> bool:
        """Whether there is a run in the folder."""
        return self.settings.exists()

    @property
    def finished(self) -> bool:
        """Whether that run has come to its end."""
        return self.begun and (self.path / "report.md").exists()

    def record(self) -> dict[str, Any]:
        """What `settings.json` says: settings, data, split, table, versions.

        Raises:
            InputError: there is no run in the folder.
        """
        if not self.path.is_dir():
            raise InputError(f"{self.path}: no such run folder; give the one that train wrote (its option -o)")
        if not self.begun:
            raise InputError(f"{self.path}: not a run folder, settings.json is missing; give one that train wrote")
        try:
            record = json.loads(self.settings.read_text(encoding="utf-8"))
            if not all(isinstance(record.get(part), dict) for part in ("settings", "data", "table")):
                raise ValueError("it says nothing about a run")
        except (ValueError, AttributeError) as error:
            raise InputError(f"{self.settings}: not the settings of a run ({error}); give another folder") from error
        unknown = set(record["table"]) - set(inspect.signature(check_options).parameters)
        if unknown:
            raise InputError(
                f"{self.settings}: {min(unknown)!r} is no option of a table; the run is of another version of the "
                "software, so use that, or train again with --restart"
            )
        return record

    @property
    def is_collective(self) -> bool:
        """Whether the sensors of a table are named together."""
        return bool(self.record()["settings"].get("collective"))

    def finished_model(self) -> Path:
        """The model of a finished run.

        Raises:
            InputError: there is no run in the folder, or an unfinished one.
        """
        self.record()
        if not self.finished:
            raise InputError(f"{self.path}: the run is not finished; give its train command again to go on")
        for file in (self.model, *([self.collective] if self.is_collective else [])):
            if not file.exists():
                raise InputError(f"{file}: is missing; copy the whole folder, or train again with --restart")
        return self.model

    def check_place(self) -> None:
        """An `InputError` where the folder holds files that a run would replace, but no run."""
        if self.begun:
            self.record()
            return
        foreign = next((name for name in OUTPUTS if (self.path / name).exists()), None)
        if foreign:
            raise InputError(
                f"{self.path}: has a {foreign} but no settings.json, so it is no run folder; name another with -o"
            )

    def check_same(self, readings: SensorReadings, settings: RunSettings, table: Mapping[str, Any] | None) -> None:
        """An `InputError` where the folder's run has other settings, other data or, if given, another way to read."""
        record = self.record()
        differences = settings.differences(record["settings"])
        before = record["table"]
        now = before if table is None else json.loads(json.dumps(dict(table)))
        differences += [
            f"{name}={before.get(name)}, not {now.get(name)}"
            for name in sorted({*before, *now})
            if before.get(name) != now.get(name)
        ]
        if differences:
            raise InputError(f"{self.path}: holds a run with {'; '.join(differences)}; {WAYS_OUT}")
        data = record["data"]
        if data != describe_data(readings):
            what = f"{data.get('name')}, {data.get('series')} series, SHA-256 {str(data.get('checksum'))[:12]}…"
            raise InputError(
                f"{self.path}: holds a run on other data ({what}), not on {readings.name} ({len(readings)} "
                f"series, SHA-256 {readings.checksum[:12]}…); {WAYS_OUT}"
            )
        if record.get("versions") != versions():
            logger.warning("%s: begun with other versions of the software, so the result may differ", self.path)

    def begin(self, record: dict[str, Any]) -> None:
        """Write `settings.json` of a new run in place of whatever run there was."""
        make_folder(self.path)
        self.forget_states()
        for name in OUTPUTS:  # report.md first: without it a run counts as unfinished
            (self.path / name).unlink(missing_ok=True)
        write_text(self.settings, json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    def forget_states(self) -> None:
        """Delete what an interrupted training would go on from."""
        for state in (self.state, self.refit_state, self.all_state):
            state.unlink(missing_ok=True)


WAYS_OUT = "give the same again to go on, another folder with -o, or --restart to begin anew"


def describe_data(readings: SensorReadings) -> dict[str, Any]:
    """Which readings a run is about."""
    return {
        "name": readings.name,
        "checksum": readings.checksum,
        "series": len(readings),
        "classes": list(readings.class_names),
    }


def versions() -> dict[str, str]:
    """Of everything that a result depends on."""
    packages = ("tensorflow", "keras", "keras-hub", "numpy", "scikit-learn")
    return {
        "deepfeatiot_tf": deepfeatiot_tf.__version__,
        "python": python_version(),
        **{package: version(package) for package in packages},
    }
