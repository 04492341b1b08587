"""A linear head solved in closed form on frozen features."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import softmax
from sklearn.model_selection import StratifiedKFold

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.training.temperature import fit_temperature

PENALTIES = np.logspace(-3, 3, 13)
# Where nothing can be left out; chosen after one series of each class of the training parts of Swiss, Iowa and SBAS, by
# the rest of these parts.
PENALTY, SCALE = 0.1, 8.0
FOLDS = 5


class SolvedHead(NamedTuple):
    """A head and what it would have said of the series that it was solved on, in order of their first rows.

    Attributes:
        kernel: float32 `[features, classes]`.
        bias: float32 `[classes]`.
        left_out: float32 `[series, classes]`, the probabilities that each series gets from all others.
        cross_validated: float32 `[series, classes]`, those that it gets from the other folds of at most `FOLDS`,
            stratified by class. They are of a somewhat poorer head, but do not give the label away: without one series,
            its class is one short, so that a head that has found nothing leans, ever so little, to any class but the
            right one.
    """

    kernel: np.ndarray
    bias: np.ndarray
    left_out: np.ndarray
    cross_validated: np.ndarray


def ridge_head(
    features: np.ndarray,
    one_hot: np.ndarray,
    weights: np.ndarray | None = None,
    series: np.ndarray | None = None,
    class_weight: Mapping[int, float] | None = None,
) -> SolvedHead:
    """The dense layer whose softmax is a calibrated ridge classifier.

    Ridge regression on the one-hot labels; the penalty has the least squared error by leave-one-out, and the
    predictions left out then set the temperature that gives the least log-loss. No data but these are used. Rows of
    one series are left out together, and only the first of them, the series as a whole, is asked about; not that of a
    class of its own, which nobody can name without it. Where every class has one series, `PENALTY` and `SCALE` hold.
    Weights count in all of this; those of classes in the regression alone, as classes are as frequent as they are.

    Args:
        features: float32 `[rows, features]`, standardized.
        one_hot: float32 `[rows, classes]`.
        weights: of the rows, `[rows]`, from 0 up. Default: equal.
        series: int `[rows]`, the series that each row is, or is a window of. Default: each row its own.
        class_weight: what the rows of a class count for beside that, by its index, from 0 up; 1 where it is not there.
            Default: all the same.

    Raises:
        InputError: all that counts is one series.
    """
    series = np.arange(len(one_hot)) if series is None else series
    whole = np.sort(np.unique(series, return_index=True)[1])
    weights = np.ones(len(one_hot)) if weights is None else weights
    fitted_by = weights * [(class_weight or {}).get(i, 1.0) for i in one_hot.argmax(axis=1)]
    counts = fitted_by > 0  # what counts for nothing is left out of the fit itself
    if len(np.unique(series[counts])) < 2:
        raise InputError(
            "fit: one series is too few to solve a head from; give at least two, or leave the text encoder out"
        )
    ridge = _Ridge(features[counts], one_hot[counts], fitted_by[counts])
    true = one_hot[counts].argmax(axis=1)
    judged = np.isin(np.flatnonzero(counts), whole)
    judged &= np.bincount(true[judged], minlength=one_hot.shape[1])[true] > 1
    together = _together(series[counts])
    penalty, scale = PENALTY, SCALE
    if judged.any():
        asked = weights[counts][judged]
        errors = [
            np.average(np.mean((ridge.left_out(each, together) - one_hot[counts])[judged] ** 2, axis=1), weights=asked)
            for each in PENALTIES
        ]
        penalty = PENALTIES[int(np.argmin(errors))]
    answers = ridge.left_out(penalty, together)
    if judged.any():
        scale = 1 / fit_temperature(true[judged], answers[judged], asked)
    coefficients, intercept = ridge.solution(penalty)
    fitted = features @ coefficients + intercept

    def probabilities(without: np.ndarray) -> np.ndarray:
        found = fitted.copy()
        found[counts] = without
        return softmax(scale * found[whole], axis=1).astype(np.float32)

    return SolvedHead(
        (scale * coefficients).astype(np.float32),
        (scale * intercept).astype(np.float32),
        probabilities(answers),
        probabilities(ridge.left_out(penalty, _folds(series[counts], true))),
    )


class _Ridge:
    """Ridge regression with an intercept, for any penalty out of one decomposition.

    scikit-learn's RidgeCV is the same, but for leaving out one row at a time, and no groups of rows.

    Args:
        features: `[rows, features]`.
        targets: `[rows, outputs]`.
        weights: `[rows]`, above 0.
    """

    def __init__(self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> None:
        self.root = np.sqrt(weights.astype(np.float64))[:, None]
        share = weights / weights.sum()
        self.centre, self.mean = share @ features.astype(np.float64), share @ targets.astype(np.float64)
        self.inputs = (features - self.centre) * self.root
        self.outputs = (targets - self.mean) * self.root
        rows, width = self.inputs.shape
        if rows <= width:
            values, self.left = np.linalg.eigh(self.inputs @ self.inputs.T)
            self.values = np.maximum(values, 0)
        else:
            self.left, singular, _ = np.linalg.svd(self.inputs, full_matrices=False)
            self.values = singular**2
        self.turned = self.left.T @ self.outputs

    def solution(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients `[features, outputs]` and intercept `[outputs]`."""
        dual = (self.outputs - self.left @ (self._kept(penalty) * self.turned)) / penalty
        coefficients = self.inputs.T @ dual
        return coefficients, self.mean - self.centre @ coefficients

    def left_out(self, penalty: float, together: list[np.ndarray]) -> np.ndarray:
        """What each row would get from the rows outside its group `[rows, outputs]`.

        Args:
            penalty: of the squared coefficients.
            together: the rows of each group; groups of one size as int `[groups, size]`.
        """
        kept = self._kept(penalty)
        residual = self.outputs - self.left @ (kept * self.turned)
        missed = np.empty_like(residual)
        total = np.linalg.norm(self.root)
        for rows in together:
            # The hat matrix, with what the intercept takes, is the product of this and its transpose.
            part = np.concatenate([self.left[rows] * np.sqrt(kept[:, 0]), self.root[rows] / total], axis=2)
            missed[rows] = _solve_less(part, residual[rows])
        return (self.outputs - missed) / self.root + self.mean

    def _kept(self, penalty: float) -> np.ndarray:
        return (self.values / (self.values + penalty))[:, None]


def _solve_less(part: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`(I − part partᵀ)⁻¹ known`, by the smaller of the two products of `part`, float `[groups, size, width]`."""
    turned = part.swapaxes(1, 2)
    if part.shape[1] <= part.shape[2]:
        return np.linalg.solve(np.eye(part.shape[1]) - part @ turned, known)
    return known + part @ np.linalg.solve(np.eye(part.shape[2]) - turned @ part, turned @ known)


def _together(series: np.ndarray) -> list[np.ndarray]:
    """The rows of each series, as int `[groups, size]` per size."""
    order = np.argsort(series, kind="stable")
    _, starts, sizes = np.unique(series[order], return_index=True, return_counts=True)
    return [order[starts[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes)]


def _folds(series: np.ndarray, classes: np.ndarray) -> list[np.ndarray]:
    """The rows of each fold, as int `[1, size]`; a class of fewer series than folds is in some of them only."""
    _, first, place = np.unique(series, return_index=True, return_inverse=True)
    largest = np.bincount(classes[first]).max()
    if largest == 1:
        return _together(series)
    folds = StratifiedKFold(min(FOLDS, largest), shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        chosen = [left_out for _, left_out in folds.split(first, classes[first])]
    return [np.flatnonzero(np.isin(place, each))[None] for each in chosen]
