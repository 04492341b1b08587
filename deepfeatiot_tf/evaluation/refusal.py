"""When to answer and when to say `unknown`: a least confidence for a precision that is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepfeatiot_tf.errors import InputError


class UnreachablePrecisionError(InputError):
    """The held-out series do not allow the precision that was asked for."""


@dataclass(frozen=True)
class Refusal:
    """From which confidence on a model answers.

    Args:
        threshold: a label with a lower confidence is withheld.
        precision: share of right labels among those given, that was asked for.
        answered: share of the held-out series that got a label.
        series: how many were held out.
    """

    threshold: float
    precision: float
    answered: float
    series: int


def fit_refusal(confidence: np.ndarray, right: np.ndarray, precision: float) -> Refusal:
    """The lowest threshold with which held-out series are answered as precisely as asked.

    One more error than was seen is reckoned with, so that few series do not promise much: a precision of 0.95 takes 19
    right answers in a row, one of 0.99 takes 99. New sensors of types that the held-out series have no example of are
    not covered.

    Args:
        confidence: float `[n]`, of series that the model was not trained on.
        right: bool `[n]`, whether the label was right.
        precision: share of right labels among those given, above 0 and below 1.

    Raises:
        InputError: `precision` is out of range.
        UnreachablePrecisionError: it cannot be reached.
    """
    if not 0 < precision < 1:
        raise InputError(f"precision is {precision}; give a share above 0 and below 1, such as 0.95")
    # In float32, as they are when they are compared with the threshold.
    levels, place = np.unique(confidence.astype(np.float32), return_inverse=True)
    answered = np.bincount(place, minlength=len(levels))[::-1].cumsum()[::-1]
    errors = np.bincount(place, weights=~right, minlength=len(levels))[::-1].cumsum()[::-1]
    expected = 1 - (errors + 1) / (answered + 1)
    enough = np.flatnonzero(expected >= precision)
    if not len(enough):
        most = f"at most {np.floor(1000 * expected.max()) / 1000:g}" if len(levels) else "none"
        raise UnreachablePrecisionError(
            f"a precision of {precision:g} cannot be promised: {len(confidence)} held-out series allow {most}; ask for "
            "less, or train on more series"
        )
    lowest = enough[0]
    return Refusal(float(levels[lowest]), precision, float(answered[lowest] / len(confidence)), len(confidence))
