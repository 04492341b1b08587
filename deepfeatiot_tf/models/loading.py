"""Opening saved models without running code from them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel


def load_model(path: str | Path) -> FrozenFeatureModel:
    """Open a `.keras` file that `model.save` wrote, in Keras's safe mode.

    Args:
        path: of the file.

    Returns:
        the model, compiled as it was, with `class_names`.

    Raises:
        InputError: no such file, a damaged one, or one that holds no model of this library.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such model file; give the .keras file that train or model.save wrote")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not a .keras file, or a damaged one; train or copy it again")
    try:
        model = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:  # Keras raises whatever the damaged part led to
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{path}: cannot be opened as a model ({reason}); train or copy it again") from error
    if not isinstance(model, FrozenFeatureModel):
        raise InputError(f"{path}: holds a {type(model).__name__}, not a model of this library")
    return model
