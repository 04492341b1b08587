"""What networks among the peers read: the level of each series, its shape, or both.

On validation parts: each system is trained on 70 % of the training part of the published split and judged on the rest
of it; the test part is not looked at. With `--protocol paper`, whose epoch is the best on the test part, it shows what
the gaps to the published figures are due to. InceptionTime is one network in place of five.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from unittest.mock import patch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf
from common import RESULTS, Cells

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation import run_protocol
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.layers import InputChannels
from deepfeatiot_tf.peers import PEERS, inception_time, inputs, patches

SYSTEMS = ("patchtst", "patchtsmixer", "inceptiontime")
SCORES = ("accuracy", "macro_f1", "log_loss", "epochs", "fit_seconds")


class Level(InputChannels):
    """The second channel is 0."""

    kept = (1.0, 0.0, 0.0, 0.0)

    def call(self, readings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        channels, length = super().call(readings)
        return channels * self.kept, length


class Shape(Level):
    """The first channel is 0."""

    kept = (0.0, 1.0, 0.0, 0.0)


READ = {"level": Level, "shape": Shape, "both": InputChannels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["sbas", "swiss", "iowa"])
    parser.add_argument("--systems", nargs="+", default=["patchtst", "patchtsmixer"], choices=SYSTEMS)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--reads", nargs="+", default=list(READ), choices=READ)
    parser.add_argument("--protocol", default="honest", choices=("honest", "paper"))
    parser.add_argument("--parts", type=int, default=1, help="validation parts, or seeds of the paper protocol")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "peer_inputs.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["protocol", "data", "system", "reads", "part"])
    for data in options.data:
        readings = dfi.load_dataset(data)
        honest = options.protocol == "honest"
        if honest:
            readings, _, _ = dfi.split(readings, test="paper", validation=0)
        for name in options.systems:
            for read in options.reads:
                for part in range(options.parts):
                    cell = (options.protocol, data, name, read, part)
                    if cell in cells:
                        continue
                    with (
                        patch.object(inputs, "InputChannels", READ[read]),
                        patch.object(patches, "InputChannels", READ[read]),
                        patch.object(inception_time, "NETWORKS", 1),
                    ):
                        system = PEERS[name].build(Training(options.epochs))
                        splits = "resample" if honest else "paper"
                        found = run_protocol(system, readings, protocol=options.protocol, splits=splits, seeds=[part])
                    cells.add(cell, **{score: found.cells.iloc[0][score] for score in SCORES})


if __name__ == "__main__":
    main()
