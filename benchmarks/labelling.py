"""The README's way to label a fleet: some sensors of each type by hand, `train`, then `predict` with a precision.

Of each type so many sensors are drawn, all of a type that has fewer; `train` tests itself on 30 % of them, and then
learns from all. The rest of the fleet is labelled with precision 0.95 asked for. Writes one row per data set, number of
labels, draw, way to label and model delivered:

- `together`: whether with `--collective`, the rest beside those labelled by hand, or each sensor by itself;
- `delivered`: `all`, a model that learned from all labels in the end, or `tested`, the very one that was tested;
- `labelled`, `rest`: how many sensors were labelled by hand, and how many were not;
- `accuracy`: of the rest, without a precision asked for;
- `answered`, `precision`: share of the rest that is not `unknown`, and how many of these answers are right; both empty
  where the precision cannot be promised.

A row that is in the table is not run again.

    python benchmarks/labelling.py
    python benchmarks/labelling.py --together
    python benchmarks/labelling.py --deliver tested
    python benchmarks/labelling.py --data sbas --draws 1 -o labelling.csv
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, Cells
from learning_curve import few
from unknown_classes import answered, share

import deepfeatiot_tf as dfi
from deepfeatiot_tf.runs import RunFolder, RunSettings, train_run
from deepfeatiot_tf.runs.held_out import refusal_of

PRECISION = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--labels", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--deliver", choices=["all", "tested"], default="all")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "labelling.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "labels", "draw", "together", "delivered"])
    for data in options.data:
        readings = dfi.load_dataset(data)
        for labels in options.labels:
            for draw in range(options.draws):
                settings = RunSettings(collective=options.together, deliver=options.deliver)
                key = (readings.name, labels, draw, options.together, options.deliver)
                if key not in cells:
                    cells.add(key, **labelling(readings, labels, draw, settings))
    found = cells.table.groupby(["data", "labels", "together", "delivered"], sort=False)
    print(found[["rest", "accuracy", "answered", "precision"]].mean().round(3).to_string())


def labelling(readings: dfi.SensorReadings, labels: int, draw: int, settings: RunSettings) -> dict[str, float]:
    """The row of one draw."""
    by_hand = few(readings, labels, draw)
    rest = readings.take(~np.isin(readings.ids, by_hand.ids))
    with TemporaryDirectory() as folder:
        train_run(by_hand, folder, settings=settings, verbose=0)
        run = RunFolder(folder)
        model = dfi.load_model(run.model)
        if settings.collective:
            found = dfi.CollectiveClassifier.load(model, run.collective).predict(rest, beside=by_hand)
            confidence, guess = found.max(axis=1), np.array(model.class_names, dtype=object)[found.argmax(axis=1)]
        else:
            confidence, guess = answered(model, rest)
        try:
            refusal, _ = refusal_of(run, PRECISION)
        except dfi.InputError:
            refusal = None
    right = guess == rest.labels
    row = {"labelled": len(by_hand), "rest": len(rest), "accuracy": float(right.mean())}
    if refusal is None:
        return {**row, "answered": np.nan, "precision": np.nan}
    given = confidence >= np.float32(refusal.threshold)
    return {**row, "answered": float(given.mean()), "precision": share(right, given)}


if __name__ == "__main__":
    main()
