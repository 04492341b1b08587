"""Temperature scaling: probabilities as sure as they are right."""

from __future__ import annotations

import keras
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

LOG_BOUNDS = (-6.0, 3.0)


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    """float64 `[n, classes]`, their logarithms; of 0, that of 1e-30."""
    return np.log(np.maximum(probabilities.astype(np.float64), 1e-30))


def fit_temperature(true: np.ndarray, logits: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The temperature by which logits are to be divided for the least log-loss.

    The true class counts as `(n + 1) / (n + 2)`, the others share the rest, as Platt has it: n series without an error
    are no proof that there will never be one.

    Args:
        true: int `[n]`, index of each series' class; of data that the model was not trained on.
        logits: float `[n, classes]`, such as the logarithms of probabilities.
        weights: float `[n]`, what each series counts for. Default: all the same.

    Returns:
        above 1 for a model that promised too much, below 1 for one that promised too little; from 0.002 to 20.

    Reference: Guo et al. 2017, On Calibration of Modern Neural Networks; Platt 1999, section 2.2.
    """
    series, classes = logits.shape
    target = np.full(logits.shape, 1 / ((series + 2) * (classes - 1)))
    target[np.arange(series), true] = (series + 1) / (series + 2)
    if weights is not None:
        target *= weights[:, None]

    def log_loss(log_temperature: float) -> float:
        return -float(np.sum(target * log_softmax(logits / np.exp(log_temperature), axis=1)))

    return float(np.exp(minimize_scalar(log_loss, bounds=LOG_BOUNDS, method="bounded").x))


def apply_temperature(logits: keras.layers.Dense, temperature: float) -> None:
    """Divide what a dense layer gives by `temperature`, in its weights, which are saved and exported."""
    logits.kernel.assign(logits.kernel / temperature)
    logits.bias.assign(logits.bias / temperature)
