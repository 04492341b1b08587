"""One cell of a comparison: a system trained once and scored once."""

from __future__ import annotations

import json
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfeatiot_tf.evaluation import metrics
from deepfeatiot_tf.evaluation.answers import checked_probabilities
from deepfeatiot_tf.evaluation.peak_memory import watch_peak
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

if TYPE_CHECKING:
    from deepfeatiot_tf.evaluation.protocols import ProtocolName, System

SCORES = ("accuracy", "macro_f1", "log_loss", "ece")
FACTS = ("epochs", "best_epoch", "parameters")
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "aeon", "torch")


def fit_and_score(
    system: System,
    train: SensorReadings,
    judges: SensorReadings | None,
    test: SensorReadings,
    *,
    seed: int,
    protocol: ProtocolName,
) -> dict[str, Any]:
    """Train on `train`, score on `test`, and measure what it takes.

    Args:
        system: to train.
        train: labelled.
        judges: what a selecting system chooses on; None for one that selects nothing.
        test: labelled, of the same classes.
        seed: of everything random.
        protocol: as `System.fit` takes it.

    Returns:
        the columns that `ProtocolResult` explains, from `n_test` on.

    Raises:
        InputError: the system gives no probabilities.
    """
    peak = watch_peak()
    start = time.perf_counter()
    facts = system.fit(train, judges, seed=seed, protocol=protocol) or {}
    fitted = time.perf_counter()
    probabilities = system.predict(test)
    done = time.perf_counter()
    memory = peak()

    probabilities = checked_probabilities(probabilities, test, train.class_names)
    true = test.label_indices
    found = metrics.scores(true, probabilities, train.class_names)
    f1 = metrics.per_class(true, probabilities, train.class_names)["f1"].dropna()
    return {
        "n_test": len(test),
        **{score: found[score] for score in SCORES},
        "fit_seconds": fitted - start + facts.get("earlier_seconds", 0.0),
        "predict_seconds": done - fitted,
        **{fact: facts.get(fact, np.nan) for fact in FACTS},
        "peak_memory_mb": memory,
        "f1_by_class": json.dumps(f1.round(4).to_dict(), ensure_ascii=False),
        "device": _device(),
        "versions": json.dumps(_versions()),
    }


def _device() -> str:
    """What TensorFlow computes on, by name; `"CPU"` where nothing has imported it."""
    tf: Any = sys.modules.get("tensorflow")
    gpus = tf.config.list_physical_devices("GPU") if tf else []
    return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "CPU"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # a peer's, and not installed
            continue
    return found
