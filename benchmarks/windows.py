"""Whether the closed-form head should also learn from windows of each series: on validation parts alone.

Out of the published split's training part, 70 % to learn from and 30 % to judge on, several times; the test part is not
touched. `quarter_accuracy` is the accuracy on the first quarter of each judged series.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, Cells, validation_parts
from sklearn.metrics import accuracy_score

import deepfeatiot_tf as dfi

WINDOWS: dict[str, tuple[int, ...]] = {"none": (), "halves": (2,), "quarters": (4,), "halves, quarters": (2, 4)}


def quarter(readings: dfi.SensorReadings) -> np.ndarray:
    """float32 `[series, time / 4]`: how each series begins."""
    return readings.values[:, : readings.values.shape[1] // 4]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "senseur"])
    parser.add_argument("--windows", nargs="+", default=list(WINDOWS), choices=WINDOWS, metavar="WINDOWS")
    parser.add_argument("--splits", type=int, default=12)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "windows.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "windows", "split"])
    for data in options.data:
        for seed, train, judged in validation_parts(data, options.splits):
            for name in options.windows:
                if (data, name, seed) in cells:
                    continue
                model = dfi.DeepFeatIoT(train.class_names, windows=WINDOWS[name])
                model.compile()
                model.fit(train.to_dataset(), verbose=0)
                found = dfi.evaluate(model, judged).metrics
                early = model.predict(quarter(judged), verbose=0).argmax(axis=1)
                scores = {score: found[score] for score in ("accuracy", "macro_f1", "log_loss")}
                scores["quarter_accuracy"] = accuracy_score(judged.label_indices, early)
                cells.add((data, name, seed), n_train=len(train), n_judged=len(judged), **scores)


if __name__ == "__main__":
    main()
