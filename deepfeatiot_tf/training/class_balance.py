"""Weights under which rare classes count as much as frequent ones."""

from __future__ import annotations

import numpy as np
from sklearn.utils.class_weight import compute_class_weight


def balanced_class_weight(labels: np.ndarray) -> dict[int, float]:
    """For `fit(class_weight=...)`: inversely proportional to the frequency of each class, 1 on average over the series.

    Args:
        labels: int `[series]`, the training part's.
    """
    present = np.unique(labels)
    weights = compute_class_weight("balanced", classes=present, y=labels)
    return dict(zip(present.tolist(), weights.tolist(), strict=True))
