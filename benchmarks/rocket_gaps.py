"""Why ROCKET and MultiROCKET score otherwise here than in the paper: readings normalised per series, or as they are.

Published split; nothing is selected. Every finished cell is kept in the table, so a broken run goes on with the same
command.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from aeon.transformations.collection.convolution_based import MultiRocket, Rocket
from common import RESULTS
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import deepfeatiot_tf as dfi
from deepfeatiot_tf.peers.inputs import panel
from deepfeatiot_tf.peers.rocket import PENALTIES

TRANSFORMS = {"ROCKET": Rocket, "MultiROCKET": MultiRocket}


def classifier(name: str, normalised: bool, seed: int) -> Pipeline:
    kernels = TRANSFORMS[name](normalise=normalised, random_state=seed)
    return make_pipeline(kernels, StandardScaler(with_mean=False), RidgeClassifierCV(PENALTIES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "rocket_gaps.csv")
    options = parser.parse_args()
    for data in options.data:
        readings = dfi.load_dataset(data)
        for name in TRANSFORMS:
            for normalised in (True, False):
                system = dfi.EstimatorSystem(
                    lambda seed, name=name, normalised=normalised: classifier(name, normalised, seed),
                    inputs=lambda each: panel(each.values),
                )
                result = dfi.run_protocol(
                    system,
                    readings,
                    name=f"{name}, {'normalised' if normalised else 'readings as they are'}",
                    seeds=range(options.seeds),
                    table=options.output,
                )
                print(result, flush=True)


if __name__ == "__main__":
    main()
