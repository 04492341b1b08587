"""The answers to labelled series as a table: of a test part, and of series that were not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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


def probability_table(report: Report) -> pd.DataFrame:
    """The id of each series, and the probability of each type, as written in `probabilities.csv`."""
    table = pd.DataFrame(report.probabilities, columns=list(report.class_names))
    table.insert(0, "id", report.ids, allow_duplicates=True)
    return table


def read_probabilities(path: Path, class_names: Sequence[str]) -> np.ndarray:
    """float32 `[series, types]`, as `probability_table` had them.

    Raises:
        OSError: there is no such file.
        ValueError: it is damaged, or has other types.
    """
    table = pd.read_csv(path, header=None, skiprows=1, dtype={0: str}, keep_default_na=False)
    if table.shape[1] != 1 + len(class_names):
        raise ValueError(f"it has {table.shape[1] - 1} types, not {len(class_names)}")
    return table.iloc[:, 1:].to_numpy(np.float32)
