"""What the command line does, in Python: runs in folders that say how they came about."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfeatiot_tf.runs.compare import compare_run
    from deepfeatiot_tf.runs.first_steps import quickstart
    from deepfeatiot_tf.runs.run_folder import RunFolder
    from deepfeatiot_tf.runs.settings import RunSettings
    from deepfeatiot_tf.runs.train import train_run
    from deepfeatiot_tf.runs.use import evaluate_run, export_run, predict_run

# Loaded on first use: most of them import TensorFlow, which takes seconds.
_HOME = {
    "RunFolder": "run_folder",
    "RunSettings": "settings",
    "compare_run": "compare",
    "evaluate_run": "use",
    "export_run": "use",
    "predict_run": "use",
    "quickstart": "first_steps",
    "train_run": "train",
}

__all__ = [
    "RunFolder",
    "RunSettings",
    "compare_run",
    "evaluate_run",
    "export_run",
    "predict_run",
    "quickstart",
    "train_run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
