"""Accuracy on the public data sets: this library's models and what a user would pick instead.

Paper split. Honest protocol: whatever is selected is selected on a validation part of the training data; the test
part is used once. Every finished cell is kept in the table, so a broken run goes on with the same command.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from aeon.transformations.collection.convolution_based import MultiRocket
from common import RESULTS
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.layers import SummaryStatistics


def network(epochs: int, patience: int, balance: bool = False, **options: object) -> System:
    """DeepFeatIoT with the published recipe."""

    def build(class_names: tuple[str, ...], seed: int) -> dfi.DeepFeatIoT:
        model = dfi.DeepFeatIoT(class_names, seed=seed, **options)
        model.compile()
        return model

    system = dfi.KerasSystem(build, epochs=epochs, patience=patience, balance=balance)
    # A head in closed form selects nothing, so it learns from the whole training part.
    system.selects = options.get("head") != "closed_form"
    return system


def as_panel(readings: dfi.SensorReadings) -> np.ndarray:
    """Float64 `[n, 1, time]` with gaps interpolated, as aeon wants it."""
    import pandas as pd

    filled = pd.DataFrame(readings.values.T).interpolate(limit_direction="both").T
    return filled.to_numpy(np.float64)[:, None, :]


def statistics(readings: dfi.SensorReadings) -> np.ndarray:
    return np.array(SummaryStatistics()(readings.values))


SYSTEMS: dict[str, Callable[[int, int], System]] = {
    "DeepFeatIoT, frozen features, closed-form head": lambda e, p: network(1, 1, head="closed_form"),
    "DeepFeatIoT, frozen features, closed-form head, balanced": lambda e, p: network(
        1, 1, balance=True, head="closed_form"
    ),
    "DeepFeatIoT, full network": lambda e, p: network(e, p, head="mlp"),
    "DeepFeatIoT, full network, balanced": lambda e, p: network(e, p, balance=True, head="mlp"),
    "DeepFeatIoT, published network": lambda e, p: network(e, p, variant="paper"),
    "MultiROCKET + ridge": lambda e, p: dfi.EstimatorSystem(
        lambda seed: make_pipeline(
            MultiRocket(random_state=seed, n_jobs=2),
            StandardScaler(),
            RidgeClassifierCV(np.logspace(-3, 3, 10)),
        ),
        inputs=as_panel,
    ),
    "statistics + extra trees": lambda e, p: dfi.EstimatorSystem(
        lambda seed: ExtraTreesClassifier(500, random_state=seed, n_jobs=2), inputs=statistics
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--protocol", default="honest", choices=["honest", "paper"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--patience", type=int, default=20)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "accuracy.csv")
    options = parser.parse_args()
    for data in options.data:
        readings = dfi.load_dataset(data)
        for name in options.systems:
            result = dfi.run_protocol(
                SYSTEMS[name](options.epochs, options.patience),
                readings,
                name=name,
                protocol=options.protocol,
                seeds=range(options.seeds),
                table=options.output,
                cell_done=lambda cell, done, total: print(
                    f"{cell['data']}, {cell['system']}, seed {cell['seed']}: accuracy {cell['accuracy']:.3f}, "
                    f"{cell['fit_seconds']:.0f} s ({done} of {total})",
                    flush=True,
                ),
            )
            print(result, flush=True)


if __name__ == "__main__":
    main()
