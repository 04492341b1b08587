"""What a model's answers to labelled readings are worth."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import metrics, plots
from deepfeatiot_tf.evaluation.answers import (
    checked_probabilities,
    inputs_for,
    true_indices,
    without_metadata,
    without_readings,
)
from deepfeatiot_tf.evaluation.markdown import render
from deepfeatiot_tf.evaluation.refusal import Refusal, fit_refusal
from deepfeatiot_tf.files import make_folder, write_beside, write_text
from deepfeatiot_tf.readings.class_names import class_names_of
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


@dataclass(frozen=True, eq=False)
class Report:
    """The scores, confusions and misread series of one set of answers. Immutable; made by `evaluate`.

    Args:
        readings: the labelled series that were answered, n at least 1.
        class_names: the model's classes, in the order of the columns of `probabilities`.
        probabilities: float32 `[n, classes]`.
        alone: of a model that reads metadata, its probabilities `[n, classes]` without it (`"readings"`) and without
            readings (`"metadata"`). Default: none.

    Raises:
        InputError: no labels, a label that the model does not know, or no probabilities.
    """

    readings: SensorReadings
    class_names: tuple[str, ...]
    probabilities: np.ndarray
    alone: Mapping[str, np.ndarray] = field(default_factory=dict)
    true: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.class_names)
        true = true_indices(self.readings, names)
        probabilities = checked_probabilities(self.probabilities, self.readings, names).copy()
        alone = {name: checked_probabilities(found, self.readings, names) for name, found in self.alone.items()}
        object.__setattr__(self, "alone", alone)
        for name, value in (("class_names", names), ("true", true), ("probabilities", probabilities)):
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return (
            f"Report({self.readings.name!r}: {len(self.readings)} series, accuracy "
            f"{self._metrics['accuracy']:.1%}, macro F1 {self._metrics['macro_f1']:.1%})"
        )

    @property
    def ids(self) -> np.ndarray:
        """The ids of the series, str `[n]`, in the order of `true` and `probabilities`."""
        return self.readings.ids

    @property
    def metrics(self) -> dict[str, Any]:
        """All scores by name, fit for JSON.

        What `metrics.scores` gives, with `n`, `accuracy_interval` and `macro_f1_interval` (95 %),
        `misread` (how many), `class_names` and `absent_classes`; and of a model that reads metadata, under
        `modalities`, `accuracy` and `macro_f1` by what it was told: `"readings and metadata"`, `"readings"`,
        `"metadata"`.
        """
        return copy.deepcopy(self._metrics)

    @cached_property
    def _metrics(self) -> dict[str, Any]:
        found = metrics.intervals(self.true, self.probabilities)
        return {
            "n": len(self.true),
            **metrics.scores(self.true, self.probabilities, self.class_names),
            **{f"{name}_interval": bounds and list(bounds) for name, bounds in found.items()},
            "misread": int((metrics.answers(self.probabilities) != self.true).sum()),
            "class_names": list(self.class_names),
            "absent_classes": metrics.absent_classes(self.true, self.class_names),
            **({"modalities": self._modalities()} if self.alone else {}),
        }

    def _modalities(self) -> dict[str, dict[str, float]]:
        told = {"readings and metadata": self.probabilities, **self.alone}
        scores = {name: metrics.scores(self.true, found, self.class_names) for name, found in told.items()}
        return {name: {score: found[score] for score in ("accuracy", "macro_f1")} for name, found in scores.items()}

    @property
    def per_class(self) -> pd.DataFrame:
        """Precision, recall, F1 and support by class; see `metrics.per_class`."""
        return metrics.per_class(self.true, self.probabilities, self.class_names)

    @property
    def confusion(self) -> np.ndarray:
        """Int `[classes, classes]`: series of the row's class answered with the column's."""
        return metrics.confusion(self.true, self.probabilities)

    @property
    def reliability(self) -> pd.DataFrame:
        """Accuracy by confidence; see `metrics.reliability`."""
        return metrics.reliability(self.true, self.probabilities)

    @property
    def misread(self) -> pd.DataFrame:
        """The wrong answers (id, label, predicted, confidence), most confident first: maybe wrong labels."""
        answers = metrics.answers(self.probabilities)
        names = np.array(self.class_names, dtype=object)
        table = pd.DataFrame(
            {
                "id": self.ids,
                "label": names[self.true],
                "predicted": names[answers],
                "confidence": self.probabilities.max(axis=1),
            }
        )
        wrong = table[answers != self.true]
        return wrong.sort_values("confidence", ascending=False, kind="stable", ignore_index=True)

    def refusal(self, precision: float) -> Refusal:
        """From which confidence on the model has to answer to be right as often as asked.

        The threshold goes to `predict`, `predict_table` and `export_saved_model`.

        Args:
            precision: share of right labels among those given, such as 0.95.

        Returns:
            the threshold, and the share of these series that it lets answer; see `fit_refusal`. It holds for new
            sensors only if none of these series took part in training.

        Raises:
            InputError: the precision is out of range, or cannot be reached on these series.
        """
        right = metrics.answers(self.probabilities) == self.true
        return fit_refusal(self.probabilities.max(axis=1), right, precision)

    @property
    def data(self) -> dict[str, Any]:
        """The readings in numbers: how many series, how long, the share of missing readings, the checksum."""
        known = np.isfinite(self.readings.values)
        lengths = known.shape[1] - known[:, ::-1].argmax(axis=1)  # NaN at the end only fills the table
        lengths[~known.any(axis=1)] = 0
        missing = lengths - known.sum(axis=1)
        return {
            "name": self.readings.name,
            "checksum": self.readings.checksum,
            "series": len(known),
            "shortest": int(lengths.min()),
            "longest": int(lengths.max()),
            "missing_share": float(missing.sum() / max(lengths.sum(), 1)),
            "series_with_missing": int((missing > 0).sum()),
        }

    def to_markdown(self, context: Mapping[str, Any] | None = None) -> str:
        """The report as a text that takes two minutes to read.

        Args:
            context: what else should stand in it, for instance settings, versions and seed. Its entry
                `protocol` (`"honest"` or `"paper"`) says how the test part was used.
        """
        return render(self, context or {}, pictures={})

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def plot(self, path: str | os.PathLike[str]) -> Path:
        """One picture with the confusion matrix, the F1 of each class and the reliability of the confidences.

        Args:
            path: where to; `.png`, `.pdf` or `.svg`.

        Raises:
            InputError: another ending, or the file cannot be written.
        """
        figure = plots.overview_figure(_headline(self), self.confusion, self.per_class, self.reliability)
        return _save_figure(figure, Path(path))

    def save(
        self,
        folder: str | os.PathLike[str],
        history: Mapping[str, Any] | Any | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Path:
        """Write `report.md`, `metrics.json` and the pictures they speak of; each file whole or not at all.

        Args:
            folder: made if missing; files of the same names are replaced.
            history: what `model.fit` returned, or its `history`: adds `learning_curves.png`.
            context: see `to_markdown`; goes into `metrics.json` too. Its entry `best_epoch` (from 1) is
                marked in the learning curves.

        Returns:
            the folder.

        Raises:
            InputError: a file cannot be written.
        """
        folder, context = Path(folder), dict(context or {})
        figures = {
            "confusion": plots.confusion_figure(self.confusion, self.class_names),
            "reliability": plots.reliability_figure(self.reliability),
            "misread": plots.misread_figure(self.readings, self.misread),
        }
        curves = getattr(history, "history", history)
        if curves:
            figures["learning_curves"] = plots.learning_curves_figure(curves, context.get("best_epoch"))
        make_folder(folder)
        pictures = {name: f"{name}.png" for name in figures}
        for name, figure in figures.items():
            _save_figure(figure, folder / pictures[name])
        write_text(folder / "metrics.json", json.dumps(self._for_json(context), indent=2) + "\n")
        write_text(folder / "report.md", render(self, context, pictures))
        return folder

    def _for_json(self, context: dict[str, Any]) -> dict[str, Any]:
        table = self.per_class.astype(object)
        rows = table.where(table.notna(), None).to_dict(orient="index")
        return {
            **self._metrics,
            "per_class": rows,
            "confusion": self.confusion.tolist(),
            "data": self.data,
            "context": json.loads(json.dumps(context, default=_plain_value)),
        }


def evaluate(model: Any, readings: SensorReadings, *, batch_size: int = 256, **options: Any) -> Report:
    """Let a model answer labelled readings and see what the answers are worth.

    Args:
        model: a Keras model from raw readings to probabilities, with `class_names`.
        readings: with labels; every label one of the model's, in whatever order.
        batch_size: series per prediction step. Default 256.
        **options: further ones of the model's `predict`.

    Raises:
        InputError: the readings have no labels or a label that the model does not know, the model has no
            `class_names`, or what it gives are no probabilities.
    """
    names = class_names_of(model)
    true_indices(readings, names)  # before the work of predicting

    def answer(asked: SensorReadings) -> np.ndarray:
        return model.predict(inputs_for(model, asked).to_dataset(batch_size=batch_size), verbose=0, **options)

    alone = {}
    if getattr(model, "reads_metadata", False) and readings.metadata is not None:
        alone = {"readings": answer(without_metadata(readings)), "metadata": answer(without_readings(readings))}
    return Report(readings, names, answer(readings), alone)


def _headline(report: Report) -> str:
    found = report.metrics
    return (
        f"{report.readings.name}: {found['n']} series, accuracy {found['accuracy']:.1%}, "
        f"macro F1 {found['macro_f1']:.1%}"
    )


def _save_figure(figure: Figure, path: Path) -> Path:
    kind = path.suffix.lower().removeprefix(".")
    if kind not in {"png", "pdf", "svg"}:
        raise InputError(
            f"{path}: cannot draw {kind or 'a file without an ending'}; end the name in .png, .pdf or .svg"
        )
    write_beside(path, partial(figure.savefig, format=kind, dpi=130, bbox_inches="tight", pad_inches=0.12))
    return path


def _plain_value(value: Any) -> Any:
    """A NumPy value, path or other object as JSON can have it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
