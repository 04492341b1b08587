"""Whether the closed-form head should also learn from altered copies of each series: on validation parts alone.

Out of the published split's training part, 70 % to learn from and 30 % to judge on, several times; the test part is not
touched. Each model is judged on the series as they are, and once more on each of the altered kinds: a head that learned
from noise should do better where there is noise. With `--text-encoder minilm` it reads the metadata, too.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, Cells, validation_parts

import deepfeatiot_tf as dfi
from deepfeatiot_tf.models.lessons import Lessons
from deepfeatiot_tf.models.training_data import READINGS, Batch, Batches
from deepfeatiot_tf.peers.inputs import sentence_encoder
from deepfeatiot_tf.training.augmentation import at_half_rate, with_noise
from deepfeatiot_tf.training.further_series import further_series

Alteration = Callable[[np.ndarray], np.ndarray]


def with_gap(record: np.ndarray) -> np.ndarray:
    """A third of the record, in its middle, is missing: the sensor was offline."""
    third = len(record) // 3
    return np.concatenate([record[:third], np.full(third, np.nan, np.float32), record[2 * third :]])


NOISE = {most: partial(with_noise, most=most) for most in range(1, 4)}
JUDGED: dict[str, Alteration] = {"gaps": with_gap, "half_rate": at_half_rate, "noise": NOISE[1]}
LEARNED_FROM: dict[str, list[Alteration]] = {
    "nothing": [],
    "gaps": [with_gap],
    "half rate": [at_half_rate],
    "1 noisy copy": [NOISE[1]],
    "3 noisy copies": list(NOISE.values()),
    "3 noisy copies, half rate": [*NOISE.values(), at_half_rate],  # `augmented_copies=4`
}


def altered(readings: np.ndarray, alter: Alteration) -> np.ndarray:
    """float32 `[series, time]`: each series altered; one of too few readings for that as it is."""
    copies, rows = further_series(readings, lambda record: [alter(record)])
    out = readings.copy()
    out[rows] = copies
    return out


class Altered(dfi.DeepFeatIoT):
    """The default, whose closed-form head also learns from copies of these kinds."""

    alterations: list[Alteration]

    def _lessons(self, batches: Batches) -> Lessons:
        def copies() -> Iterator[Batch]:
            for inputs, one_hot, series in batches():
                for alter in self.alterations:
                    yield {**inputs, READINGS: altered(inputs[READINGS], alter)}, one_hot, series

        return super()._lessons(batches)._replace(copies=copies if self.alterations else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--learned-from", nargs="+", default=list(LEARNED_FROM), choices=LEARNED_FROM, metavar="KIND")
    parser.add_argument("--text-encoder", default="none", help="Default: none.")
    parser.add_argument("--splits", type=int, default=6)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "augmentation.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "text_encoder", "learned_from", "split"])
    reader = None if options.text_encoder == "none" else sentence_encoder(options.text_encoder)
    for data in options.data:
        for seed, train, judged in validation_parts(data, options.splits):
            for name in options.learned_from:
                key = (data, options.text_encoder, name, seed)
                if key in cells:
                    continue
                model = Altered(train.class_names, text_encoder=reader)
                model.alterations = LEARNED_FROM[name]
                model.compile()
                model.fit(train.to_dataset(), verbose=0)
                found = dfi.evaluate(model, judged).metrics
                scores = {score: found[score] for score in ("accuracy", "macro_f1", "log_loss")}
                for kind, alter in JUDGED.items():
                    seen = replace(judged, values=altered(judged.values, alter))
                    scores[f"{kind}_accuracy"] = dfi.evaluate(model, seen).metrics["accuracy"]
                cells.add(key, n_train=len(train), n_judged=len(judged), **scores)


if __name__ == "__main__":
    main()
