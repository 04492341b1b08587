"""Whether a precision that is asked for is reached: thresholds fitted in training, applied to the test part.

For each data set and split: the closed-form head is trained on the training part, a threshold is fitted for each
precision on the series that it left out in turn, and the test part is answered. Every class is known; for types that
were never seen there is `unknown_classes.py`. Writes one row per data set, split and precision:

- `held_out_answered`, `test_answered`: share of the series that get a type;
- `test_precision`: share of right labels among them; `test_accuracy`: the same without refusing.

Random 70/30 splits. A split whose rows are in the table is not run again.

    python benchmarks/precision.py
    python benchmarks/precision.py --data sbas --seeds 1 -o precision.csv
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from common import RESULTS, circumstances
from unknown_classes import PRECISIONS, answered, share, write

import deepfeatiot_tf as dfi
from deepfeatiot_tf.runs.held_out import held_out_answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "precision.csv")
    options = parser.parse_args()
    rows = pd.read_csv(options.output).to_dict(orient="records") if options.output.exists() else []
    for data in options.data:
        readings = dfi.load_dataset(data)
        for seed in range(options.seeds):
            if not any((row["data"], row["split_seed"]) == (readings.name, seed) for row in rows):
                rows += [{**row, **circumstances()} for row in reached(readings, seed)]
                write(rows, options.output)
    summary = pd.DataFrame(rows).groupby(["data", "precision"], sort=False)
    print(summary[["test_accuracy", "test_answered", "test_precision"]].mean().round(3).to_string())


def reached(readings: dfi.SensorReadings, seed: int) -> list[dict]:
    """The rows of one split."""
    train, nothing, test = dfi.split(readings, seed=seed, validation=0)
    model = dfi.DeepFeatIoT(readings.class_names, head="closed_form")
    model.compile()
    model.fit(train.to_dataset(batch_size=256), verbose=0)
    held_out, _ = held_out_answers(model, train, nothing)
    confidence, guess = answered(model, test)
    right = guess == test.labels
    found = []
    for precision in PRECISIONS:
        row = {"data": readings.name, "split_seed": seed, "precision": precision, "n_held_out": len(train)}
        try:
            refusal = held_out.refusal(precision)
        except dfi.InputError:
            found.append({**row, "reachable": False})
            continue
        given = confidence >= np.float32(refusal.threshold)
        found.append(
            {
                **row,
                "reachable": True,
                "threshold": refusal.threshold,
                "held_out_answered": refusal.answered,
                "n_test": len(test),
                "test_answered": float(given.mean()),
                "test_precision": share(right, given),
                "test_accuracy": float(right.mean()),
            }
        )
    print({"data": readings.name, "split": seed, "accuracy": float(right.mean())}, flush=True)
    return found


if __name__ == "__main__":
    main()
