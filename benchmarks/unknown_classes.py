"""What becomes of sensors of a type that the model has never seen: one class left out of the training after another.

For each data set and class: the closed-form head is trained on the training part without that class, a threshold is
fitted for each precision on the series that it left out in turn (nothing of the test part, and nothing of the class,
takes part in that), and the test part is answered. Writes one row per data set, class and precision:

- `unseen_refused`: share of all series of the left-out class, training and test part, that get the label `unknown`;
- `known_answered`: share of the test part's other series that get a type;
- `precision_known`: share of right labels among those answers;
- `precision_all`: the same with the left-out class among the test part, where each answer to it is wrong.

Paper split, seed 0. A class whose rows are in the table is not trained again, so a broken run goes on with the same
command.

    python benchmarks/unknown_classes.py
    python benchmarks/unknown_classes.py --data sbas --precisions 0.9 0.95 -o unknown_classes.csv
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from common import RESULTS, circumstances

import deepfeatiot_tf as dfi
from deepfeatiot_tf.files import write_beside
from deepfeatiot_tf.runs.held_out import held_out_answers

PRECISIONS = (0.9, 0.95, 0.98, 0.99)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--precisions", nargs="+", type=float, default=list(PRECISIONS))
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "unknown_classes.csv")
    options = parser.parse_args()
    rows = pd.read_csv(options.output).to_dict(orient="records") if options.output.exists() else []
    for data in options.data:
        readings = dfi.load_dataset(data)
        for unseen in readings.class_names:
            done = {row["precision"] for row in rows if (row["data"], row["unseen"]) == (readings.name, unseen)}
            missing = [precision for precision in options.precisions if precision not in done]
            if missing:
                rows += [{**row, **circumstances()} for row in without(readings, unseen, missing)]
                write(rows, options.output)
    summary = pd.DataFrame(rows).groupby(["data", "precision"], sort=False)
    print(summary[["unseen_refused", "known_answered", "precision_known", "precision_all"]].mean().round(3).to_string())


def without(readings: dfi.SensorReadings, unseen: str, precisions: list[float]) -> list[dict]:
    """The rows of one left-out class."""
    train, _, test = dfi.split(readings, seed=0, test="paper", validation=0)
    classes = tuple(name for name in readings.class_names if name != unseen)
    known = renamed(train.take(train.labels != unseen), classes)
    model = dfi.DeepFeatIoT(classes, head="closed_form")
    model.compile()
    model.fit(known.to_dataset(batch_size=256), verbose=0)
    held_out, _ = held_out_answers(model, known, known.take(np.arange(0)))
    confidence, guess = answered(model, test)
    of_training, _ = answered(model, train.take(train.labels == unseen))
    is_known = test.labels != unseen
    right = guess == test.labels
    found = []
    for precision in precisions:
        row = {"data": readings.name, "unseen": unseen, "precision": precision, "n_held_out": len(known)}
        try:
            threshold = np.float32(held_out.refusal(precision).threshold)
        except dfi.InputError:
            threshold = np.float32(np.inf)  # cannot be promised: nothing is answered
        given = confidence >= threshold
        all_unseen = np.concatenate([confidence[~is_known], of_training])
        found.append(
            {
                **row,
                "reachable": bool(np.isfinite(threshold)),
                "threshold": float(threshold),
                "n_unseen": len(all_unseen),
                "unseen_refused": float((all_unseen < threshold).mean()),
                "n_known_test": int(is_known.sum()),
                "known_answered": float(given[is_known].mean()),
                "precision_known": share(right, given & is_known),
                "precision_all": share(right, given),
            }
        )
        print({name: found[-1][name] for name in ("data", "unseen", "precision", "unseen_refused")}, flush=True)
    return found


def renamed(part: dfi.SensorReadings, classes: tuple[str, ...]) -> dfi.SensorReadings:
    """The same series, with these classes alone."""
    return dfi.SensorReadings(part.values, ids=part.ids, labels=part.labels, class_names=classes, name=part.name)


def answered(model: dfi.DeepFeatIoT, part: dfi.SensorReadings) -> tuple[np.ndarray, np.ndarray]:
    frame = dfi.predict(model, part)
    return frame["confidence"].to_numpy(np.float32), frame["label"].to_numpy(object)


def share(right: np.ndarray, given: np.ndarray) -> float:
    return float(right[given].mean()) if given.any() else float("nan")


def write(rows: list[dict], path: Path) -> None:
    write_beside(path, lambda beside: pd.DataFrame(rows).to_csv(beside, index=False))


if __name__ == "__main__":
    main()
