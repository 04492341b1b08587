"""How many labels a type needs: accuracy on the published test part after training on a few series of each class.

For each number of labels, that many series of each class are drawn from the training part (all of a class that has
fewer), differently for each seed. Nothing is selected on the test part. Every finished cell is kept in the table, so a
broken run goes on with the same command.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from common import RESULTS, Cells
from sklearn.metrics import accuracy_score, f1_score

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.systems import SYSTEMS
from deepfeatiot_tf.evaluation.system_entry import Training

LABELS = (1, 2, 5, 10, 20)
COMPARED = ("deepfeatiot", "statistics-trees", "statistics-boosting", "statistics-multirocket", "minirocket")


def few(train: dfi.SensorReadings, labels: int, seed: int) -> dfi.SensorReadings:
    """At most so many series of each class."""
    order = np.random.default_rng(seed).permutation(len(train))
    rank = pd.Series(train.label_indices[order]).groupby(train.label_indices[order]).cumcount().to_numpy()
    return train.take(np.sort(order[rank < labels]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--systems", nargs="+", default=list(COMPARED), choices=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--labels", nargs="+", type=int, default=list(LABELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "learning_curve.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "system", "labels", "seed"])
    for data in options.data:
        readings = dfi.load_dataset(data)
        train, _, test = dfi.split(readings, test="paper", validation=0)
        for name in options.systems:
            for labels in options.labels:
                for seed in range(options.seeds):
                    if (data, name, labels, seed) in cells:
                        continue
                    system = SYSTEMS[name].make(Training())
                    system.fit(few(train, labels, seed), None, seed=seed)
                    found = system.predict(test).argmax(axis=1)
                    accuracy = accuracy_score(test.label_indices, found)
                    macro_f1 = f1_score(test.label_indices, found, average="macro")
                    cells.add((data, name, labels, seed), n_test=len(test), accuracy=accuracy, macro_f1=macro_f1)


if __name__ == "__main__":
    main()
