"""A linear head solved in closed form on frozen features."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax
from sklearn.linear_model import RidgeCV

from deepfeatiot_tf.training.temperature import fit_temperature

PENALTIES = np.logspace(-3, 3, 13)


def ridge_head(
    features: np.ndarray, one_hot: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kernel and bias of the dense layer whose softmax is a calibrated ridge classifier.

    Ridge regression on the one-hot labels; the penalty has the least squared error by leave-one-out, and the
    predictions left out then set the temperature that gives the least log-loss. No data but these are used.

    Args:
        features: float32 `[series, features]`, standardized.
        one_hot: float32 `[series, classes]`.
        weights: of the series, `[series]`. Default: equal.

    Returns:
        kernel float32 `[features, classes]`, bias float32 `[classes]`, and float32 `[series, classes]`, the
        probabilities that each series gets from the others alone.
    """
    # What counts for nothing is left out of the fit itself.
    counts = np.ones(len(one_hot), bool) if weights is None else weights > 0
    ridge = RidgeCV(PENALTIES, scoring="neg_mean_squared_error", store_cv_results=True)
    ridge.fit(features[counts], one_hot[counts], sample_weight=None if weights is None else weights[counts])
    left_out = ridge.predict(features)
    left_out[counts] = ridge.cv_results_[..., int(np.argmin(np.abs(PENALTIES - ridge.alpha_)))]

    scale = 1 / fit_temperature(one_hot[counts].argmax(axis=1), left_out[counts])
    kernel, bias, probabilities = scale * ridge.coef_.T, scale * ridge.intercept_, softmax(scale * left_out, axis=1)
    return kernel.astype(np.float32), bias.astype(np.float32), probabilities.astype(np.float32)
