"""How long the default takes to its score, beside the 200 epochs of the published network on the same cores.

Published split; the default (with metadata where the data set has some) learns from the whole training part, with no
features on disk, and its test part is answered once. Of the published network, DeepFeatIoT's or, where there is
metadata, DeepMetaIoT's, a few epochs are run and the rest of the 200 reckoned from them: `network_seconds` is the first
epoch, which also traces the graph and computes what is frozen, and 199 times the mean of the others. The default runs
before and after them, so that both meet the same other load; `seconds` is the mean.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from common import RESULTS, Cells

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.systems import SYSTEMS
from deepfeatiot_tf.evaluation import KerasSystem
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.evaluation.system_entry import Training

PUBLISHED_EPOCHS = 200


def system_of(name: str) -> KerasSystem:
    """One of `deepfeatiot benchmark`, with nothing left of the one before."""
    keras.utils.clear_session()
    return SYSTEMS[name].build(Training(PUBLISHED_EPOCHS))


def time_default(name: str, train: dfi.SensorReadings) -> tuple[float, KerasSystem]:
    """Seconds that the system takes to learn, from the raw readings on, and the system."""
    system = system_of(name)
    start = time.perf_counter()
    system.fit(train, None)
    return time.perf_counter() - start, system


def time_epochs(name: str, train: dfi.SensorReadings, epochs: int) -> list[float]:
    """Seconds of each epoch; the first one's are those until it is done."""
    model = system_of(name).build(train.class_names, 0)
    seconds = []
    with tempfile.TemporaryDirectory() as cache:
        for epoch in range(epochs):
            data = inputs_for(model, train).to_dataset(shuffle=True, seed=epoch)
            start = time.perf_counter()
            model.fit(data, epochs=1, verbose=0, feature_cache=cache)
            seconds.append(time.perf_counter() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas", "ts-m", "ts-n", "senseur"])
    parser.add_argument("--epochs", type=int, default=4, help="of the published network, at least 2; default 4")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "time_to_score.csv")
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("--epochs: the first epoch is not like the others; give at least 2")
    cells = Cells(options.output, ["data", "default", "network"])
    for data in options.data:
        readings = dfi.load_dataset(data)
        described = readings.metadata is not None
        default = "deepfeatiot-metadata" if described else "deepfeatiot"
        network = "deepmetaiot-paper" if described else "deepfeatiot-paper"
        if (data, default, network) in cells:
            continue
        train, _, test = dfi.split(readings, test="paper", validation=0)
        before, system = time_default(default, train)
        scores = dfi.evaluate(system.model, test).metrics
        first, *others = time_epochs(network, train, options.epochs)
        after, _ = time_default(default, train)
        seconds, reckoned = (before + after) / 2, first + (PUBLISHED_EPOCHS - 1) * np.mean(others)
        cells.add(
            (data, default, network),
            n_train=len(train),
            accuracy=scores["accuracy"],
            macro_f1=scores["macro_f1"],
            seconds=round(seconds, 1),
            first_epoch_seconds=round(first, 1),
            seconds_per_epoch=round(float(np.mean(others)), 2),
            network_seconds=round(reckoned),
            share=round(seconds / reckoned, 4),
        )


if __name__ == "__main__":
    main()
