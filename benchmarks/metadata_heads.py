"""Which head should read metadata: closed-form head, full network, or the mean of their answers; on validation parts.

Both read its embedding alone; what n-grams add to the closed form is in `ngrams.py`.
Out of the published split's training part, 70 % to learn from and 30 % to judge on; the test part is not touched. A row
takes minutes: the network is trained for its 40 epochs.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from common import RESULTS, Cells, validation_parts

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation import Report
from deepfeatiot_tf.evaluation.system_entry import ROBUST_EPOCHS
from deepfeatiot_tf.peers.inputs import sentence_encoder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ts-m", "ts-n", "senseur"])
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "metadata_heads.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "head", "split"])
    for data in options.data:
        for seed, train, judged in validation_parts(data, options.splits):
            if (data, "mean", seed) in cells:  # the last of the three
                continue
            answers = {}
            for head in ("closed_form", "mlp"):
                model = dfi.DeepFeatIoT(
                    train.class_names, head=head, text_encoder=sentence_encoder("minilm"), ngrams=False, seed=seed
                )
                model.compile()
                model.fit(train.to_dataset(shuffle=True, seed=seed), epochs=ROBUST_EPOCHS, verbose=0)
                answers[head] = model.predict(judged.to_dataset(), verbose=0)
            answers["mean"] = (answers["closed_form"] + answers["mlp"]) / 2
            for head, probabilities in answers.items():
                if (data, head, seed) not in cells:
                    found = Report(judged, train.class_names, probabilities).metrics
                    scores = {score: found[score] for score in ("accuracy", "macro_f1", "log_loss")}
                    cells.add((data, head, seed), n_train=len(train), n_judged=len(judged), **scores)


if __name__ == "__main__":
    main()
