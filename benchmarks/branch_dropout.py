"""Dropout and widths by branch in the network's dense feature transforms, on validation parts alone.

The frozen branches of `DeepFeatIoT(head="mlp")`, trained for 50 epochs by the robust recipe on parts of the training
part of the published split; the test part is not looked at. "now" is the transform as the model has it; the others
replace it for the run.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from common import RESULTS, Cells

import deepfeatiot_tf as dfi
from deepfeatiot_tf.layers import DenseFeatureTransform
from deepfeatiot_tf.models import deepfeatiot as model_file

BRANCHES = ("randomized", "statistics")
WIDE = dict.fromkeys(BRANCHES, (256, 64))
# Dropout of each branch, and its widths where they are others than now.
TRANSFORMS: dict[str, tuple[dict[str, float], dict[str, tuple[int, ...]]] | None] = {
    "now": None,
    "dropout 0.5 and 0.1": ({"randomized": 0.5, "statistics": 0.1}, {}),
    "dropout 0.8 and 0.1": ({"randomized": 0.8, "statistics": 0.1}, {}),
    "dropout 0.8 and 0.1, two layers each": ({"randomized": 0.8, "statistics": 0.1}, WIDE),
}
EPOCHS = 50
SCORES = ("accuracy", "macro_f1", "log_loss")


def transform_by_branch(dropout: dict, wide: dict, parts: dict, widths: dict, _: float, __: Any, seed: int) -> dict:
    """In place of the model's own."""
    return {
        branch: DenseFeatureTransform(
            wide.get(branch, widths[branch]), dropout[branch], seed=seed + 200 + 10 * i, name=f"{branch}_dft"
        )(part)
        for i, (branch, part) in enumerate(parts.items())
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa"])
    parser.add_argument("--transforms", nargs="+", default=list(TRANSFORMS), choices=TRANSFORMS, metavar="TRANSFORM")
    parser.add_argument("--parts", type=int, default=4, help="validation parts, 30 %% of the training part each")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "branch_dropout.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "transform", "part"])
    original = model_file._transform
    for data in options.data:
        readings = dfi.load_dataset(data)
        whole, _, _ = dfi.split(readings, test="paper", validation=0)
        for name in options.transforms:
            by_branch = TRANSFORMS[name]
            model_file._transform = original if by_branch is None else partial(transform_by_branch, *by_branch)
            for part in range(options.parts):
                if (data, name, part) in cells:
                    continue
                train, _, judges = dfi.split(whole, seed=part, test=0.3, validation=0)
                keras.utils.clear_session()
                model = dfi.DeepFeatIoT(readings.class_names, branches=BRANCHES, head="mlp", seed=part)
                model.compile(recipe="robust")
                model.fit(train.to_dataset(shuffle=True, seed=part), epochs=EPOCHS, verbose=0)
                scores = dfi.evaluate(model, judges).metrics
                cells.add((data, name, part), n_train=len(train), **{score: scores[score] for score in SCORES})


if __name__ == "__main__":
    main()
