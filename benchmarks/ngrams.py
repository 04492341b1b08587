"""What an embedding of the metadata, its character n-grams, and both are worth, on validation parts alone.

`DeepFeatIoT(text_encoder=…)` with its closed-form heads, on parts of the training part of the published split; the
test part is not looked at. Of the series that are answered the metadata is as it is, swapped among a tenth or all of
them, or blank; or it stands alone, without the readings.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from common import RESULTS, Cells, validation_parts
from metadata import changed

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation.answers import inputs_for, without_readings
from deepfeatiot_tf.peers.inputs import sentence_encoder

CHANGES = ("none", "10 % swapped", "swapped", "all blank", "no readings")
SCORES = ("accuracy", "macro_f1", "log_loss")


def ways() -> dict[str, dict[str, Any]]:
    """What the model reads of the metadata, by the name in the table."""
    return {
        "embedding": {"text_encoder": sentence_encoder(), "ngrams": False},
        "embedding and n-grams": {"text_encoder": sentence_encoder()},
        "n-grams": {"text_encoder": "ngrams"},
        "multilingual embedding": {"text_encoder": sentence_encoder("use-multilingual"), "ngrams": False},
        "multilingual embedding and n-grams": {"text_encoder": sentence_encoder("use-multilingual")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ts-n", "senseur", "ts-m"])
    parser.add_argument("--parts", type=int, default=4, help="validation parts, 30 %% of the training part each")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "ngrams.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "part", "reads", "change"])
    for data in options.data:
        for part, train, judges in validation_parts(data, options.parts):
            for reads, options_of in ways().items():
                if (data, part, reads, CHANGES[-1]) in cells:
                    continue
                keras.utils.clear_session()
                model = dfi.DeepFeatIoT(train.class_names, seed=part, **options_of)
                model.compile()
                model.fit(inputs_for(model, train).to_dataset(), verbose=0)
                for change in CHANGES:
                    asked = without_readings(judges) if change == "no readings" else changed(judges, change)
                    scores = dfi.evaluate(model, asked).metrics
                    cells.add(
                        (data, part, reads, change), n_train=len(train), **{each: scores[each] for each in SCORES}
                    )


if __name__ == "__main__":
    main()
