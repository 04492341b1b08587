"""How many sensors no system names as their labels do: what is left to gain, and what only other labels could give.

Ten-fold cross-validation over all of a data set, once: every sensor is answered by systems of different kinds that did
not learn from it. A row per sensor that at least one of them misses: its label and every answer. Nothing is chosen by
this. Repeated series may lie on both sides of a fold. QUANT needs the extra `peers-torch`.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from common import RESULTS, write_table
from sklearn.model_selection import StratifiedKFold

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.systems import SYSTEMS
from deepfeatiot_tf.evaluation.system_entry import Training

COMPARED = ("deepfeatiot", "statistics-trees", "statistics-boosting", "statistics-multirocket", "quant")


def answers(name: str, readings: dfi.SensorReadings, folds: int) -> np.ndarray:
    """The class that each sensor is given by a system that did not learn from it, str `[sensors]`."""
    found = np.empty(len(readings), object)
    splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(readings.labels, readings.labels)
    for seed, (learned, asked) in enumerate(splits):
        system = SYSTEMS[name].build(Training())
        system.fit(readings.take(learned), None, seed=seed)
        found[asked] = np.array(readings.class_names)[system.predict(readings.take(asked)).argmax(axis=1)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--systems", nargs="+", default=list(COMPARED), choices=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "ceiling.csv")
    options = parser.parse_args()
    rows = []
    for data in options.data:
        readings = dfi.load_dataset(data)
        found = pd.DataFrame({name: answers(name, readings, options.folds) for name in options.systems})
        missed = found.ne(readings.labels, axis=0)
        by_system = {**missed.sum(), "all": missed.all(axis=1).sum()}
        print(f"{data}, {len(readings)} sensors; missed: {by_system}", flush=True)
        for row in np.flatnonzero(missed.any(axis=1)):
            known = {"data": data, "n": len(readings), "row": row, "label": readings.labels[row]}
            rows.append({**known, "missed_by": missed.loc[row].sum(), **found.loc[row]})
    write_table(rows, options.output)


if __name__ == "__main__":
    main()
