"""A live model and an exported one, seen alike: readings in, probabilities out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.serving.about import read_threshold
from deepfeatiot_tf.serving.class_names import LABELS_FILE, read_class_names, served_names

if TYPE_CHECKING:
    import keras

READINGS, METADATA, EMBEDDING = "readings", "metadata", "metadata_embedding"


@dataclass(frozen=True)
class Classifier:
    """What gives class probabilities for readings.

    Args:
        class_names: the classes, in the order of the probabilities.
        probabilities: float32 `[batch, time]` readings and texts `[batch]` about the sensors to float32
            `[batch, classes]`.
        compiles: whether each new shape of the readings costs a compilation.
        ignores_padding: whether missing readings at the end of a series change nothing.
        reads_metadata: whether it reads the text about a sensor. Default False.
        threshold: confidence below which it says `unknown` of its own accord. Default 0: never.
    """

    class_names: tuple[str, ...]
    probabilities: Callable[[np.ndarray, np.ndarray], np.ndarray]
    compiles: bool
    ignores_padding: bool
    reads_metadata: bool = False
    threshold: float = 0.0


def classifier_of(model: keras.Model | str | Path) -> Classifier:
    """The classifier in a live model, or in the folder that `export_saved_model` wrote.

    Raises:
        InputError: the model has no `class_names`; the folder holds no exported model.
    """
    return _exported(Path(model)) if isinstance(model, (str, Path)) else _live(model)


def _live(model: keras.Model) -> Classifier:
    reads_metadata = getattr(model, "reads_metadata", False)

    def probabilities(readings: np.ndarray, metadata: np.ndarray) -> np.ndarray:
        inputs = {READINGS: readings, **({METADATA: metadata} if reads_metadata else {})}
        return np.asarray(model.predict_on_batch(inputs), np.float32)

    return Classifier(
        class_names=served_names(model),
        probabilities=probabilities,
        compiles=True,
        # The paper variant fills missing readings with a constant, also behind the end.
        ignores_padding=getattr(model, "variant", None) == "robust",
        reads_metadata=reads_metadata,
    )


def _exported(folder: Path) -> Classifier:
    import tensorflow as tf

    labels = folder / LABELS_FILE
    if not labels.is_file():
        raise InputError(f"{folder}: no exported model; give the folder of a version that export wrote")
    try:
        loaded: Any = tf.saved_model.load(str(folder))
        serve = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{folder}: cannot be opened as a SavedModel ({reason}); export it again") from error

    inputs = serve.structured_input_signature[1]
    if EMBEDDING in inputs:
        raise InputError(f"{folder}: takes embeddings of metadata; export the model without --embeddings")
    reads_metadata = METADATA in inputs

    def probabilities(readings: np.ndarray, metadata: np.ndarray, _owner: Any = loaded) -> np.ndarray:
        # A signature holds its variables weakly; `_owner` keeps them alive.
        text = {METADATA: tf.constant(metadata, tf.string)} if reads_metadata else {}
        return serve(readings=tf.constant(readings), **text)["probabilities"].numpy()

    return Classifier(
        read_class_names(labels),
        probabilities,
        compiles=False,
        ignores_padding=False,
        reads_metadata=reads_metadata,
        threshold=read_threshold(folder),
    )
