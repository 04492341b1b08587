"""What a run's model says of series that it was not trained on, to fit how sure it is and when it refuses."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import Report
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.evaluation.refusal import Refusal, UnreachablePrecisionError, fit_refusal
from deepfeatiot_tf.models.collective_classifier import left_out_answers
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.runs.run_folder import RunFolder
from deepfeatiot_tf.serving.labelling import known_of
from deepfeatiot_tf.training.temperature import fit_temperature, logits_of

VALIDATION = "validation part"
LEFT_OUT = "training part, each series left out in turn"
ALL_LEFT_OUT = "all labelled series, each left out in turn"


def calibrate(model: FrozenFeatureModel, validation: SensorReadings, **options: Any) -> float:
    """Divide the logits of a network trained by gradient by the temperature that the validation part asks for.

    Args:
        model: just trained.
        validation: the part.
        **options: of the model's `predict`.

    Returns:
        the temperature.
    """
    report = Report(validation, model.class_names, _probabilities(model, validation, **options))
    temperature = fit_temperature(report.true, logits_of(report.probabilities))
    model.calibrate(temperature)
    return temperature


def held_out_answers(
    model: FrozenFeatureModel,
    train: SensorReadings,
    validation: SensorReadings,
    answers: np.ndarray | None = None,
    **options: Any,
) -> tuple[Report, str]:
    """A report on series that the model did not learn from, and which these are.

    The validation part where there is one. A closed-form head has none unless asked for: then each series of the
    training part, answered as if it alone had been left out; not that of a class of its own, which nobody can name
    without it, unless all are. Nor series without any reading or metadata, which get no answer in use, either.

    Args:
        model: just trained; a closed-form head knows what it would have said of the series left out.
        train: in the order in which the model was fitted.
        validation: may be empty.
        answers: of a collective run, what each series of the training part would get beside the others. Default: what
            it would get alone.
        **options: of the model's `predict`.
    """
    if len(validation):
        judged = validation.take(_answered(model, validation))
        return Report(judged, model.class_names, _probabilities(model, judged, **options)), VALIDATION
    alone = np.bincount(train.label_indices)[train.label_indices] == 1
    asked = (~alone | alone.all()) & _answered(model, train)
    found = left_out_answers(model, train) if answers is None else answers
    return Report(train.take(asked), model.class_names, found[asked]), LEFT_OUT


def _answered(model: FrozenFeatureModel, readings: SensorReadings) -> np.ndarray:
    """Bool `[series]`: those that get an answer in use; all, where none would."""
    known = known_of(readings, model.reads_metadata)
    return known | ~known.any()


def refusal_of(run: RunFolder, precision: float, alone: bool = False) -> tuple[Refusal, dict[str, Any]]:
    """From which confidence on the model of a run answers, and what that rests on, fit for JSON.

    Args:
        run: whose.
        precision: see `fit_refusal`.
        alone: of a collective run, whether it is to answer for each sensor by itself. Default False.

    Raises:
        InputError: the run is not finished or keeps no held-out answers.
        UnreachablePrecisionError: these do not allow it.
    """
    run.finished_model()
    label, confidence = ("alone_label", "alone_confidence") if alone else ("label", "confidence")
    text = {"label": str, "alone_label": str, "true_label": str}
    if not run.held_out.exists():
        raise InputError(f"{run.path}: has no {run.held_out.name}, which a precision needs; train it again, --restart")
    try:
        table = pd.read_csv(run.held_out, dtype={**text, confidence: np.float64}, keep_default_na=False)
        right = (table[label] == table["true_label"]).to_numpy()
        sure = table[confidence].to_numpy()
        context = json.loads((run.path / "metrics.json").read_text(encoding="utf-8"))["context"]
    except (OSError, ValueError, KeyError) as error:  # ValueError: what pandas and json say of a damaged file
        where = f"{run.path}: {run.held_out.name} or metrics.json, which a precision needs, is damaged"
        raise InputError(f"{where} ({error}); train again, --restart") from error
    try:
        refusal = fit_refusal(sure, right, precision)
    except UnreachablePrecisionError as error:
        each = " (each sensor by itself)" if alone else ""
        raise UnreachablePrecisionError(f"{run.path}: {error}{each}") from error
    return refusal, {
        "precision": refusal.precision,
        "answered_share": round(refusal.answered, 4),
        "held_out_series": refusal.series,
        "held_out": context.get("held_out", ""),
    }


def _probabilities(model: FrozenFeatureModel, readings: SensorReadings, **options: Any) -> np.ndarray:
    return model.predict(inputs_for(model, readings).to_dataset(), verbose=0, **options)
