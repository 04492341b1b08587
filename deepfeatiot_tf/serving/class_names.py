"""The names of a model's classes, in a live model and in an exported one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.class_names import class_names_of

LABELS_FILE = Path("assets", "labels.txt")


def served_names(model: Any) -> tuple[str, ...]:
    """The `class_names` of a live model, each of them one line of text.

    Raises:
        InputError: it has none, or one that is empty or broken into lines.
    """
    if not hasattr(model, "class_names") and not isinstance(model, keras.Model):
        raise InputError(f"a {type(model).__name__} is no Keras model; give one (`.model` of a CollectiveClassifier)")
    names = class_names_of(model)
    for name in names:
        if name.splitlines() != [name]:
            raise InputError(f"class name {name!r} is not one line of text; rename the class")
    return names


def write_class_names(path: Path, names: tuple[str, ...]) -> None:
    """One name per line, in the order of the probabilities."""
    path.write_bytes("".join(f"{name}\n" for name in names).encode())


def read_class_names(path: Path) -> tuple[str, ...]:
    """What `write_class_names` wrote."""
    return tuple(path.read_bytes().decode().splitlines())
