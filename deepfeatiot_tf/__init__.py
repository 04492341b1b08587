"""Tell what a sensor measures from its raw readings: DeepFeatIoT in Keras 3 / TensorFlow.

Names are loaded on first use, so that `import deepfeatiot_tf` and the command line's help take no time.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_ROOMS = {
    "errors": ("InputError",),
    "readings": (
        "SensorReadings",
        "iter_tables",
        "list_datasets",
        "load_dataset",
        "read_table",
        "simulate_fleet",
        "split",
        "standard_names",
    ),
    "layers": ("LanguageFeatures", "TextFeatures"),
    "models": ("CollectiveClassifier", "DeepFeatIoT", "DeepHeteroIoT", "DeepMetaIoT", "load_model"),
    "training": ("RunCheckpoint",),
    "evaluation": (
        "CollectiveSystem",
        "EstimatorSystem",
        "KerasSystem",
        "ProtocolResult",
        "Report",
        "evaluate",
        "run_protocol",
    ),
    "serving": ("export_saved_model", "export_tflite", "predict", "predict_table"),
    "runs": ("RunSettings", "quickstart", "train_run"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
