"""A linear head solved in closed form on frozen features."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.training.temperature import fit_temperature

PENALTIES = np.logspace(-3, 3, 13)
# Where nothing can be left out; chosen after one series of each class of the training parts of Swiss, Iowa and SBAS, by
# the rest of these parts.
PENALTY, SCALE = 0.1, 8.0


def ridge_head(
    features: np.ndarray,
    one_hot: np.ndarray,
    weights: np.ndarray | None = None,
    series: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kernel and bias of the dense layer whose softmax is a calibrated ridge classifier.

    Ridge regression on the one-hot labels; the penalty has the least squared error by leave-one-out, and the
    predictions left out then set the temperature that gives the least log-loss. No data but these are used. Rows of
    one series are left out together, and only the first of them, the series as a whole, is asked about; not that of a
    class of its own, which nobody can name without it. Where every class has one series, `PENALTY` and `SCALE` hold.

    Args:
        features: float32 `[rows, features]`, standardized.
        one_hot: float32 `[rows, classes]`.
        weights: of the rows, `[rows]`. Default: equal.
        series: int `[rows]`, the series that each row is, or is a window of. Default: each row its own.

    Returns:
        kernel float32 `[features, classes]`, bias float32 `[classes]`, and float32 `[series, classes]`, in order of the
        series' first rows, the probabilities that each series gets from the others alone.

    Raises:
        InputError: all that counts is one series.
    """
    series = np.arange(len(one_hot)) if series is None else series
    whole = np.sort(np.unique(series, return_index=True)[1])
    # What counts for nothing is left out of the fit itself.
    counts = np.ones(len(one_hot), bool) if weights is None else weights > 0
    if len(np.unique(series[counts])) < 2:
        raise InputError(
            "fit: one series is too few to solve a head from; give at least two, or leave the text encoder out"
        )
    ridge = _Ridge(features[counts], one_hot[counts], np.ones(counts.sum()) if weights is None else weights[counts])
    true = one_hot[counts].argmax(axis=1)
    judged = np.isin(np.flatnonzero(counts), whole)
    judged &= np.bincount(true[judged], minlength=one_hot.shape[1])[true] > 1
    together = _together(series[counts])
    penalty, scale = PENALTY, SCALE
    if judged.any():
        errors = [np.mean((ridge.left_out(each, together) - one_hot[counts])[judged] ** 2) for each in PENALTIES]
        penalty = PENALTIES[int(np.argmin(errors))]
    answers = ridge.left_out(penalty, together)
    if judged.any():
        scale = 1 / fit_temperature(true[judged], answers[judged])
    coefficients, intercept = ridge.solution(penalty)
    left_out = features @ coefficients + intercept
    left_out[counts] = answers
    kernel, bias, probabilities = scale * coefficients, scale * intercept, softmax(scale * left_out[whole], axis=1)
    return kernel.astype(np.float32), bias.astype(np.float32), probabilities.astype(np.float32)


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
        for rows in together:
            left, root = self.left[rows], self.root[rows]
            # The block of the hat matrix, with what the intercept takes.
            hat = np.einsum("gir,r,gjr->gij", left, kept[:, 0], left, optimize=True)
            hat += root @ root.swapaxes(1, 2) / (self.root**2).sum()
            missed[rows] = np.linalg.solve(np.eye(rows.shape[1]) - hat, residual[rows])
        return (self.outputs - missed) / self.root + self.mean

    def _kept(self, penalty: float) -> np.ndarray:
        return (self.values / (self.values + penalty))[:, None]


def _together(series: np.ndarray) -> list[np.ndarray]:
    """The rows of each series, as int `[groups, size]` per size."""
    order = np.argsort(series, kind="stable")
    _, starts, sizes = np.unique(series[order], return_index=True, return_counts=True)
    return [order[starts[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes)]
