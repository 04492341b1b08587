"""Whether the closed-form head should also learn from altered copies of each series: on validation parts alone.

Out of the published split's training part, 70 % to learn from and 30 % to judge on, several times; the test part is not
touched. Each model is judged on the series as they are, and once more on each of the altered kinds: a head that learned
from gaps should do better where there are gaps.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, Cells, validation_parts
from sklearn.metrics import accuracy_score

import deepfeatiot_tf as dfi
from deepfeatiot_tf.models.training_data import READINGS, Batches


def with_gap(series: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A third of the record is missing: the sensor was offline."""
    gap = len(series) // 3
    start = generator.integers(len(series) - gap + 1)
    return np.where(np.isin(np.arange(len(series)), np.arange(start, start + gap)), np.nan, series)


def at_half_rate(series: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Every other reading: the sensor reports half as often."""
    return np.pad(series[generator.integers(2) :: 2], (0, len(series)), constant_values=np.nan)[: len(series)]


def with_noise(series: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One step of the sensor's resolution up, down or neither."""
    steps = np.diff(np.unique(series[np.isfinite(series)]))
    resolution = steps[steps > 1e-6 * np.nanmax(np.abs(series))].min(initial=np.inf)
    return series + generator.integers(-1, 2, len(series)) * (resolution if np.isfinite(resolution) else 0.0)


Alteration = Callable[[np.ndarray, np.random.Generator], np.ndarray]
ALTERATIONS: dict[str, Alteration] = {"gaps": with_gap, "half rate": at_half_rate, "noise": with_noise}
LEARNED_FROM: dict[str, tuple[str, ...]] = {
    "nothing": (),
    **{name: (name,) for name in ALTERATIONS},
    "all three": tuple(ALTERATIONS),
}


def altered(readings: np.ndarray, name: str) -> np.ndarray:
    """float32 `[series, time]`: each record, from its first reading to its last, altered, and always alike."""
    out = np.full_like(readings, np.nan)
    for row, series in enumerate(readings):
        present = np.flatnonzero(np.isfinite(series))
        if len(present):
            record = series[present[0] : present[-1] + 1]
            generator = np.random.default_rng(int(np.abs(record[np.isfinite(record)]).sum()) % 2**32)
            out[row, : len(record)] = ALTERATIONS[name](record, generator)
    return out


class Augmented(dfi.DeepFeatIoT):
    """The default, whose closed-form head also learns from altered copies of what it learns from."""

    alterations: tuple[str, ...] = ()

    def _lessons(self, batches: Batches) -> Batches:
        plain = super()._lessons(batches)

        def walk() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]:
            for inputs, one_hot, series in plain():
                times = 1 + len(self.alterations)
                more = [altered(inputs[READINGS], name) for name in self.alterations]
                yield (
                    {READINGS: np.concatenate([inputs[READINGS], *more])},
                    np.concatenate([one_hot] * times),
                    np.concatenate([series] * times),
                )

        return walk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--learned-from", nargs="+", default=list(LEARNED_FROM), choices=LEARNED_FROM, metavar="KIND")
    parser.add_argument("--splits", type=int, default=6)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "augmentation.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "learned_from", "split"])
    for data in options.data:
        for seed, train, judged in validation_parts(data, options.splits):
            for name in options.learned_from:
                if (data, name, seed) in cells:
                    continue
                model = Augmented(train.class_names)
                model.alterations = LEARNED_FROM[name]
                model.compile()
                model.fit(train.to_dataset(), verbose=0)
                found = dfi.evaluate(model, judged).metrics
                scores = {score: found[score] for score in ("accuracy", "macro_f1", "log_loss")}
                for kind in ALTERATIONS:
                    answers = model.predict(altered(judged.values, kind), verbose=0).argmax(axis=1)
                    scores[f"{kind.replace(' ', '_')}_accuracy"] = accuracy_score(judged.label_indices, answers)
                cells.add((data, name, seed), n_train=len(train), n_judged=len(judged), **scores)


if __name__ == "__main__":
    main()
