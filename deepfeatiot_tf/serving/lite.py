"""From a live model to a file for TFLite, now called LiteRT: what gateways at the edge run."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.files import write_beside
from deepfeatiot_tf.models.any_size import at_least
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.rebuilding import in_float32
from deepfeatiot_tf.serving.about import about_text
from deepfeatiot_tf.serving.class_names import served_names
from deepfeatiot_tf.serving.classifier import READINGS
from deepfeatiot_tf.serving.plain_ops import plain_ops
from deepfeatiot_tf.serving.unknown import check_threshold

ENDING = ".tflite"
# An interpreter reduces empty tensors to rubbish; differences of a single reading are one.
LEAST_LENGTH = 8


def export_tflite(
    model: keras.Model,
    path: str | Path,
    *,
    threshold: float | None = None,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write `model` as a `.tflite` file that runs on the ops built into TFLite (LiteRT), without Flex.

    Signature `serving_default`: float32 `readings` `[1, time]`, one series in the sensor's own units, NaN for missing;
    the length is that of the series, which the interpreter is told before (`resize_tensor_input`; a signature runner
    does it by itself), or a fixed one to which shorter series are padded with NaN. It gives float32 `probabilities`
    `[1, classes]`.

    The file ends in a ZIP archive, which interpreters pass over and `unzip` and `zipfile` read: `labels.txt`, the class
    names in the order of the probabilities, one a line, and `about.json` with the version and the threshold below which
    a reader of the probabilities is to say `unknown`.

    Args:
        model: from `{"readings": …}` to probabilities, with `class_names`, that reads no text: neither metadata nor
            readings in words. Text takes ops that TFLite does not have. One of this library that computes in half
            precision is written in float32, as TFLite's own ops do.
        path: of the file; ends in `.tflite`. An existing file is replaced.
        threshold: see `export_saved_model`. Default None.
        about: what else `about.json` should say, fit for JSON. Default: nothing.

    Returns:
        the path.

    Raises:
        InputError: another ending, the file cannot be written, or the model reads text or has layers that TFLite has
            no ops for.

    Example:
        >>> export_tflite(model, "sensor_type.tflite")  # doctest: +SKIP
    """
    path = Path(path)
    if path.suffix.lower() != ENDING:
        raise InputError(f"{path}: a model for TFLite ends in {ENDING}; name such a file")
    names = served_names(model)
    least = check_threshold(threshold, names)
    reads = [what for what, found in _text(model).items() if found]
    if reads:
        raise InputError(
            f"{path}: the model reads {' and '.join(reads)}, and TFLite has no ops for text; train one without"
        )
    content = _converted(in_float32(model) if isinstance(model, FrozenFeatureModel) else model, path)

    def write(beside: Path) -> None:
        beside.write_bytes(content)
        with zipfile.ZipFile(beside, "a") as archive:
            archive.writestr("labels.txt", "".join(f"{name}\n" for name in names))
            archive.writestr("about.json", about_text(least, about or {}))

    write_beside(path, write)
    return path


def _text(model: keras.Model) -> dict[str, bool]:
    return {
        "metadata": getattr(model, "reads_metadata", False),
        "readings as text (its language branch)": getattr(model, "language", None) is not None,
    }


def _converted(model: keras.Model, path: Path) -> bytes:
    specs = [tf.TensorSpec([1, None], tf.float32, READINGS)]

    def probabilities(readings: tf.Tensor) -> tf.Tensor:
        if getattr(model, "variant", None) == "robust":  # the paper variant would take the padding for readings
            readings = at_least(readings, LEAST_LENGTH)
        return model({READINGS: readings}, training=False)

    try:
        with plain_ops(model):
            graph = tf.function(probabilities, input_signature=specs).get_concrete_function()
        # Weights as constants: an interpreter loses variables that loops read.
        frozen = convert_variables_to_constants_v2(graph, lower_control_flow=False)
        module = tf.Module()
        module.serve = tf.function(lambda readings: {"probabilities": frozen(readings)[0]}, input_signature=specs)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        return converter.convert()
    except Exception as error:  # the converter raises whatever a layer led to
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(f"{path}: a layer of the model has no counterpart in TFLite ({reason})") from error
