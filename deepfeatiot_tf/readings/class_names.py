"""What the output columns of a model are called."""

from __future__ import annotations

from typing import Any

from deepfeatiot_tf.errors import InputError


def class_names_of(model: Any) -> tuple[str, ...]:
    """The `class_names` of a model of this library, or of a Keras model that was given some, in any sequence.

    Raises:
        InputError: it has none.
    """
    given = getattr(model, "class_names", None)
    names = () if given is None else tuple(map(str, given))  # an array has no truth
    if not names:
        raise InputError("the model has no class_names; set model.class_names to the names of its output columns")
    return names
