"""How good the answers are: pure functions of the true classes and the probabilities.

Everywhere `true` is int `[n]`, the index of each series' class, and `probabilities` float `[n, classes]`,
rows summing to 1. The answer to a series is its most probable class, and that probability is the confidence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn import metrics as sk

BINS = 15  # of the reliability diagram; Guo et al. 2017, "On Calibration of Modern Neural Networks"


def scores(true: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]) -> dict[str, float]:
    """All the single-number scores of one set of answers.

    Args:
        true: int `[n]`, n at least 1.
        probabilities: `[n, classes]`.
        class_names: names of the columns.

    Returns:
        by name:
        `accuracy`;
        `balanced_accuracy`, the mean recall of the classes present in `true`;
        `macro_f1` and `weighted_f1`, as scikit-learn has them by default: over the classes that occur in
        `true` or among the answers, so a class absent from the test part counts (as 0) only if something was
        taken for it;
        `log_loss` in nats, a probability of 0 for the true class being clipped to 2.2e-16;
        `brier`, the squared error of the probabilities summed over the classes, from 0 to 2;
        `ece`, see `expected_calibration_error`;
        `mean_confidence`.
    """
    table = per_class(true, probabilities, class_names)
    return {
        "accuracy": float(sk.accuracy_score(true, answers(probabilities))),
        "balanced_accuracy": float(table.loc[table["support"] > 0, "recall"].mean()),
        "macro_f1": float(table["f1"].mean()),  # NaN, of a class that never occurs, is left out
        "weighted_f1": float((table["f1"].fillna(0) * table["support"]).sum() / len(true)),
        "log_loss": _log_loss(true, probabilities),
        "brier": float(np.mean(np.sum((probabilities - np.eye(probabilities.shape[1])[true]) ** 2, axis=1))),
        "ece": expected_calibration_error(true, probabilities),
        "mean_confidence": float(np.mean(probabilities.max(axis=1), dtype=np.float64)),
    }


def answers(probabilities: np.ndarray) -> np.ndarray:
    """Int `[n]`: the most probable class of each series; the first one of equals."""
    return probabilities.argmax(axis=1)


def per_class(true: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 and support (number of true series) of every class, one row each, in class order.

    What has no meaning is NaN: the precision of a class never answered, the recall of a class absent from
    `true`, the F1 of one that is both.
    """
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        true, answers(probabilities), labels=np.arange(len(class_names)), zero_division=np.nan
    )
    return pd.DataFrame(
        {"precision": precision, "recall": recall, "f1": f1, "support": support.astype(int)},
        index=pd.Index(class_names, name="label"),
    )


def confusion(true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Int `[classes, classes]`: how many series of the row's class were taken for the column's."""
    return sk.confusion_matrix(true, answers(probabilities), labels=np.arange(probabilities.shape[1]))


def absent_classes(true: np.ndarray, class_names: Sequence[str]) -> list[str]:
    """The classes that no series belongs to: nothing can be said about how well they are told."""
    present = set(np.unique(true).tolist())
    return [name for i, name in enumerate(class_names) if i not in present]


def reliability(true: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """Whether a confidence of 80 % is right 80 % of the time.

    Args:
        true: int `[n]`.
        probabilities: `[n, classes]`.
        bins: of equal width over 0 to 1, open below and closed above. Default 15.

    Returns:
        one row per bin: `low`, `high`, `count`, and the means `confidence` and `accuracy` (NaN in an empty
        bin).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = answers(probabilities) == true
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    divisor = np.where(count == 0, np.nan, count)
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "confidence": np.bincount(place, weights=confidence, minlength=bins) / divisor,
            "accuracy": np.bincount(place, weights=right, minlength=bins) / divisor,
        }
    )


def expected_calibration_error(true: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """How far confidence is from accuracy in a series' bin, on average: 0 is perfect, 1 the worst.

    Ours because scikit-learn has none (its `calibration_curve` drops the bins' counts). With few series the
    value is above 0 by chance alone.

    Reference: Guo et al. 2017, equation 3.
    """
    table = reliability(true, probabilities, bins)
    return float(((table["confidence"] - table["accuracy"]).abs() * table["count"]).sum() / len(true))


def intervals(
    true: np.ndarray,
    probabilities: np.ndarray,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, tuple[float, float] | None]:
    """Intervals of accuracy (Wilson 1927) and of macro F1 (bootstrap): how far another test part might have differed.

    For macro F1 series are resampled without regard to their class, so that its interval also covers the mix of
    classes. It depends on a resample only through the confusion matrix, and resampling series is a multinomial draw
    over the cells of that matrix: the cost does not grow with n.

    Args:
        true: int `[n]`.
        probabilities: `[n, classes]`.
        level: probability mass between the bounds. Default 0.95.
        resamples: Default 1000.
        seed: of the resampling. Default 0.

    Returns:
        `{"accuracy": (low, high), "macro_f1": (low, high)}`; for macro F1 None where every series is right, of which a
        bootstrap would make an interval of no width.
    """
    cells = confusion(true, probabilities)
    row, column = np.nonzero(cells)
    counts = cells[row, column]
    draws = np.random.default_rng(seed).multinomial(len(true), counts / len(true), size=resamples)
    classes = np.eye(len(cells))
    right = row == column
    accuracy = binomtest(int(counts[right].sum()), len(true)).proportion_ci(level, method="wilson")
    hits = draws @ (classes[row] * right[:, np.newaxis])
    occurrences = draws @ (classes[row] + classes[column])
    f1 = np.divide(2 * hits, occurrences, out=np.full(hits.shape, np.nan), where=occurrences > 0)
    low, high = np.quantile(np.nanmean(f1, axis=1), [(1 - level) / 2, (1 + level) / 2])
    return {
        "accuracy": (float(accuracy.low), float(accuracy.high)),
        "macro_f1": None if right.all() else (float(low), float(high)),
    }


def _log_loss(true: np.ndarray, probabilities: np.ndarray) -> float:
    # In float64 and summing to 1 exactly: scikit-learn warns about the rounding of float16 and float32 rows.
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    return float(sk.log_loss(true, exact, labels=np.arange(exact.shape[1])))
