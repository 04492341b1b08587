"""Sensors of one table named together: what labelled ones beside them are worth, and what their readings alone are.

On the published split and five others, the model without metadata is fitted once on the training part; then the test
part is named in three ways. Nothing is learned or chosen on it. Writes one row per data set, split and way:

- `alone`: each series by itself;
- `among themselves`: all of the test part together, none of it labelled;
- `beside the labelled`: together, beside the training part with its labels.

`share` is what the siblings count for. A row that is in the table is not run again.

    python benchmarks/siblings.py
    python benchmarks/siblings.py --data sbas --splits paper -o siblings.csv
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, Cells

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation.answers import inputs_for
from deepfeatiot_tf.evaluation.metrics import scores

SCORES = ("accuracy", "macro_f1", "log_loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas", "senseur", "ts-n", "ts-m"])
    parser.add_argument("--splits", nargs="+", default=["paper", "0", "1", "2", "3", "4"])
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "siblings.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "split", "way"])
    for data in options.data:
        readings = dfi.load_dataset(data)
        for split in options.splits:
            if (readings.name, split, "alone") in cells:
                continue
            for way, found in named(readings, split).items():
                cells.add((readings.name, split, way), **found)
    means = cells.table.groupby(["data", "way"], sort=False)[[*SCORES, "share"]].mean()
    print(means.round(4).to_string())


def named(readings: dfi.SensorReadings, split: str) -> dict[str, dict[str, float]]:
    """The scores of each way on one split."""
    seed = 0 if split == "paper" else int(split)
    rule: float | Literal["paper"] = "paper" if split == "paper" else 0.3
    parts = dfi.split(readings, seed=seed, test=rule, validation=0)
    model = dfi.DeepFeatIoT(readings.class_names, seed=seed)
    model.compile()
    train, _, test = (inputs_for(model, part) for part in parts)
    model.fit(train.to_dataset(), verbose=0)
    fleet = dfi.CollectiveClassifier(model)
    fleet.fit(train)
    ways: dict[str, np.ndarray] = {
        "alone": model.predict(test.to_dataset(), verbose=0),
        "among themselves": fleet.predict(test),
        "beside the labelled": fleet.predict(test, beside=train),
    }
    return {
        way: {
            **{name: scores(test.label_indices, found, test.class_names)[name] for name in SCORES},
            "share": fleet.second.share,
        }
        for way, found in ways.items()
    }


if __name__ == "__main__":
    main()
