"""What the network reads of its frozen branches, and through which transforms, on validation parts alone.

The frozen branches of `DeepFeatIoT(head="mlp")`, trained for 50 epochs by the robust recipe on parts of the training
part of the published split; the test part is not looked at. "as it is" is the network as the model has it, which reads
the kernel of the statistics. The others read the statistics themselves, standardized, through the transforms named.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from common import RESULTS, Cells

import deepfeatiot_tf as dfi
from deepfeatiot_tf.models import deepfeatiot_network
from deepfeatiot_tf.models.deepfeatiot_network import FROZEN_DFT, KERNEL_SCALE

BRANCHES = ("randomized", "statistics")
AS_IT_IS = "as it is"
# Dropout of each branch, and its widths before the common one.
TRANSFORMS: dict[str, dict[str, tuple[float, tuple[int, ...]]]] = {
    "one dropout": {"randomized": (0.5, (256,)), "statistics": (0.5, ())},
    "dropout 0.5 and 0.1": {"randomized": (0.5, (256,)), "statistics": (0.1, ())},
    "dropout 0.8 and 0.1": {"randomized": (0.8, (256,)), "statistics": (0.1, ())},
    "statistics standardized": FROZEN_DFT["robust"],
    AS_IT_IS: FROZEN_DFT["robust"],
}
EPOCHS = 50
SCORES = ("accuracy", "macro_f1", "log_loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa"])
    parser.add_argument("--transforms", nargs="+", default=list(TRANSFORMS), choices=TRANSFORMS, metavar="TRANSFORM")
    parser.add_argument("--parts", type=int, default=4, help="validation parts, 30 %% of the training part each")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "network_inputs.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "transform", "part"])
    for data in options.data:
        readings = dfi.load_dataset(data)
        whole, _, _ = dfi.split(readings, test="paper", validation=0)
        for name in options.transforms:
            for part in range(options.parts):
                if (data, name, part) in cells:
                    continue
                train, _, judges = dfi.split(whole, seed=part, test=0.3, validation=0)
                keras.utils.clear_session()
                read = deepfeatiot_network.statistics_kernel if name == AS_IT_IS else standardized
                with (
                    patch.dict(FROZEN_DFT, robust=TRANSFORMS[name]),
                    patch.object(deepfeatiot_network, "statistics_kernel", read),
                ):
                    model = dfi.DeepFeatIoT(readings.class_names, branches=BRANCHES, head="mlp", seed=part)
                model.compile()
                model.fit(train.to_dataset(shuffle=True, seed=part), epochs=EPOCHS, verbose=0)
                scores = dfi.evaluate(model, judges).metrics
                cells.add((data, name, part), n_train=len(train), **{score: scores[score] for score in SCORES})


def standardized(statistics: Any, seed: int) -> Any:
    """In place of the kernel, which the network multiplies by a constant."""
    return keras.layers.Rescaling(1 / KERNEL_SCALE)(statistics)


if __name__ == "__main__":
    main()
