"""Which head should read metadata: closed-form head, full network, or the mean of their answers; on validation parts.

Out of the published split's training part, 70 % to learn from and 30 % to judge on; the test part is not touched. A row
takes minutes: the network is trained for its 40 epochs.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from common import RESULTS, Cells
from sklearn.metrics import accuracy_score, f1_score, log_loss

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation.system_entry import ROBUST_EPOCHS
from deepfeatiot_tf.peers.inputs import sentence_encoder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ts-m", "ts-n", "senseur"])
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "metadata_heads.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "head", "split"])
    for seed in range(options.splits):
        for data in options.data:
            if (data, "mean", seed) in cells:  # the last of the three
                continue
            outside, _, _ = dfi.split(dfi.load_dataset(data), test="paper", validation=0)
            train, _, judged = dfi.split(outside, seed=seed, validation=0)
            answers = {}
            for head in ("closed_form", "mlp"):
                model = dfi.DeepFeatIoT(
                    outside.class_names, head=head, text_encoder=sentence_encoder("minilm"), seed=seed
                )
                model.compile()
                model.fit(train.to_dataset(shuffle=True, seed=seed), epochs=ROBUST_EPOCHS, verbose=0)
                answers[head] = model.predict(judged.to_dataset(), verbose=0)
            answers["mean"] = (answers["closed_form"] + answers["mlp"]) / 2
            truth = judged.label_indices
            for head, probabilities in answers.items():
                if (data, head, seed) in cells:
                    continue
                named = probabilities.argmax(axis=1)
                cells.add(
                    (data, head, seed),
                    n_train=len(train),
                    n_judged=len(judged),
                    accuracy=accuracy_score(truth, named),
                    macro_f1=f1_score(truth, named, average="macro", zero_division=0),
                    log_loss=log_loss(truth, probabilities, labels=range(len(outside.class_names))),
                )


if __name__ == "__main__":
    main()
