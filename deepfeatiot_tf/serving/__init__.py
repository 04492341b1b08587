"""Models at work: SavedModels for TF Serving, files for TFLite, and labels for tables of any length."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfeatiot_tf.serving.export import export_saved_model
    from deepfeatiot_tf.serving.labelling import predict
    from deepfeatiot_tf.serving.lite import export_tflite
    from deepfeatiot_tf.serving.table import predict_table

_HOME = {
    "export_saved_model": "export",  # imports Keras, which takes seconds
    "export_tflite": "lite",
    "predict": "labelling",
    "predict_table": "table",
}

__all__ = ["export_saved_model", "export_tflite", "predict", "predict_table"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
