"""The label of a sensor that the model is not sure enough about."""

from __future__ import annotations

from collections.abc import Sequence

from deepfeatiot_tf.errors import InputError

UNKNOWN = "unknown"
OUT_OF_REACH = 1 + 2**-23  # the float32 after 1: a threshold that no confidence reaches


def check_threshold(threshold: float | None, class_names: Sequence[str]) -> float:
    """The confidence below which a label is withheld, 0 for None.

    Raises:
        InputError: it is no probability, or a class is called as sensors without a label are.
    """
    if not threshold:
        return 0.0
    if not 0 <= threshold <= OUT_OF_REACH:
        raise InputError(f"threshold is {threshold}; give a confidence from 0 to 1")
    if UNKNOWN in class_names:
        raise InputError(
            f"a class is called {UNKNOWN!r}, as are sensors that the model is not sure about; rename the class, or "
            "let the model answer always, without threshold or precision"
        )
    return float(threshold)
