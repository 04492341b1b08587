"""What rows with the metadata of another series are worth in training, on validation parts alone.

`DeepFeatIoT(text_encoder="minilm")` with its closed-form heads, on parts of the training part of the published split;
the test part is not looked at. All such rows together count for a share of the right ones; share 0 is without them.
Of the series that are answered the metadata is as it is, swapped among a tenth, a quarter or all of them, or blank.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from common import RESULTS, Cells, validation_parts
from metadata import changed

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation.answers import inputs_for

CHANGES = ("none", "10 % swapped", "25 % swapped", "swapped", "all blank")
SCORES = ("accuracy", "macro_f1", "log_loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ts-n", "senseur", "ts-m"])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.0, 0.01, 0.03, 0.1])
    parser.add_argument("--parts", type=int, default=2, help="validation parts, 30 %% of the training part each")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "wrong_metadata.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "part", "share", "change"])
    for data in options.data:
        for part, train, judges in validation_parts(data, options.parts):
            for share in options.shares:
                if (data, part, share, CHANGES[-1]) in cells:
                    continue
                keras.utils.clear_session()
                model = dfi.DeepFeatIoT(train.class_names, text_encoder="minilm", wrong_metadata=share, seed=part)
                model.compile()
                model.fit(inputs_for(model, train).to_dataset(), verbose=0)
                for change in CHANGES:
                    scores = dfi.evaluate(model, changed(judges, change)).metrics
                    cells.add(
                        (data, part, share, change), n_train=len(train), **{each: scores[each] for each in SCORES}
                    )


if __name__ == "__main__":
    main()
