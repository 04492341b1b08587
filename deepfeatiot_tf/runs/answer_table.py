"""The answers to labelled series as a table: of a test part, and of series that were not learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from deepfeatiot_tf.evaluation import Report


def answer_table(report: Report, alone: Report | None = None) -> pd.DataFrame:
    """What was answered: id, label, confidence, runner_up, runner_up_confidence, and true_label.

    Args:
        report: on the series.
        alone: of a collective run, what each of them gets by itself, which becomes `alone_label` and
            `alone_confidence`. Default: nothing.
    """
    best = np.argsort(-report.probabilities, axis=1, kind="stable")[:, :2]
    names = np.array(report.class_names, dtype=object)
    confidence = np.take_along_axis(report.probabilities, best, axis=1)
    table = {
        "id": report.ids,
        "label": names[best[:, 0]],
        "confidence": confidence[:, 0],
        "runner_up": names[best[:, 1]],
        "runner_up_confidence": confidence[:, 1],
        "true_label": names[report.true],
    }
    if alone is not None:
        table["alone_label"] = names[alone.probabilities.argmax(axis=1)]
        table["alone_confidence"] = alone.probabilities.max(axis=1)
    return pd.DataFrame(table)
