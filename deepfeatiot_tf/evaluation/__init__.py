"""What a model is worth: metrics, reports, and protocols that train and score it several times."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfeatiot_tf.evaluation.collective_system import CollectiveSystem
    from deepfeatiot_tf.evaluation.estimator_system import EstimatorSystem
    from deepfeatiot_tf.evaluation.keras_system import KerasSystem
    from deepfeatiot_tf.evaluation.protocols import ProtocolResult, System, run_protocol
    from deepfeatiot_tf.evaluation.report import Report, evaluate

_HOME = {
    "CollectiveSystem": "collective_system",  # imports Keras, which takes seconds
    "EstimatorSystem": "estimator_system",
    "KerasSystem": "keras_system",  # so does this
    "ProtocolResult": "protocols",
    "Report": "report",
    "System": "protocols",
    "evaluate": "report",
    "run_protocol": "protocols",
}

__all__ = [
    "CollectiveSystem",
    "EstimatorSystem",
    "KerasSystem",
    "ProtocolResult",
    "Report",
    "System",
    "evaluate",
    "run_protocol",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
