"""Readings and metadata together, also where the metadata is damaged: systems of `deepfeatiot benchmark`.

Paper split. Honest protocol: whatever is selected is selected on a validation part of the training data; the test
part is used once. Every finished cell is kept in the table, so a broken run goes on with the same command.

With `--changes` the metadata of the test part is damaged before it is answered: blanked for a share of the sensors, or
swapped among a tenth of them or all. The training part stays whole. `senseur-masked` is SensEUR without the entries
`sensors` and `units` of its metadata, which nearly name the class.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.systems import SYSTEMS, chosen
from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.evaluation.system_entry import Training

MASKED = ("sensors", "units")
DEFAULT_SYSTEMS = (
    "deepfeatiot-metadata",
    "deepfeatiot-multilingual",
    "deepfeatiot-ngrams",
    "metadata-regression",
    "statistics-trees",
    "metadata-trees",
    "deepfeatiot",
)
CHANGES = ("none", "25 % blank", "50 % blank", "75 % blank", "all blank", "10 % swapped", "swapped")


class Once:
    """A system that is not fitted again on the readings and with the seed that it was fitted with last."""

    def __init__(self, system: System, change: str = "none") -> None:
        self.system = system
        self.change = change
        self.selects = system.selects
        self.fitted: tuple[str, int] | None = None
        self.facts: Any = None

    def fit(self, train: dfi.SensorReadings, validation: Any, *, seed: int = 0, protocol: Any = "honest") -> Any:
        if self.fitted != (train.checksum, seed):
            self.facts = self.system.fit(train, validation, seed=seed, protocol=protocol)
            self.fitted = (train.checksum, seed)
        return self.facts

    def predict(self, readings: dfi.SensorReadings) -> np.ndarray:
        return self.system.predict(changed(readings, self.change))


def changed(readings: dfi.SensorReadings, change: str) -> dfi.SensorReadings:
    """The sensors with damaged metadata; which of them are hit depends on nothing but their number."""
    order = np.random.default_rng(7).permutation(len(readings))
    texts = readings.metadata.copy()
    if change != "none":
        share = float(change.split()[0]) / 100 if "%" in change else 1.0
        hit = order[: round(share * len(order))]
        texts[hit] = readings.metadata[np.roll(hit, 1)] if change.endswith("swapped") else ""
    return with_texts(readings, texts)


def with_texts(readings: dfi.SensorReadings, texts: np.ndarray, name: str | None = None) -> dfi.SensorReadings:
    return dfi.SensorReadings(
        readings.values,
        ids=readings.ids,
        labels=readings.labels,
        metadata=texts,
        class_names=readings.class_names,
        name=name or readings.name,
    )


def load(name: str) -> dfi.SensorReadings:
    readings = dfi.load_dataset(
        name.removesuffix("-masked").removesuffix("-raw"), repair_text=not name.endswith("-raw")
    )
    if name.endswith("-masked"):
        entries = [[entry for entry in text.split(", ") if not entry.startswith(MASKED)] for text in readings.metadata]
        return with_texts(readings, np.array(list(map(", ".join, entries)), object), f"{readings.name}, masked")
    return (
        with_texts(readings, readings.metadata, f"{readings.name}, text as it is")
        if name.endswith("-raw")
        else readings
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ts-m", "ts-n", "senseur", "senseur-masked", "ts-n-raw"])
    parser.add_argument("--systems", nargs="+", default=DEFAULT_SYSTEMS, choices=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--changes", nargs="+", default=["none"], choices=CHANGES, metavar="CHANGE")
    parser.add_argument("--protocol", default="honest", choices=["honest", "paper"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--patience", type=int, default=20)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "metadata.csv")
    options = parser.parse_args()
    training = Training(options.epochs, options.patience)
    for data in options.data:
        readings = load(data)
        for entry in chosen(options.systems).values():
            system = Once(entry.build(training))
            for seed in range(options.seeds):
                for change in options.changes:
                    system.change = change
                    dfi.run_protocol(
                        system,
                        readings,
                        name=entry.title if change == "none" else f"{entry.title}; test metadata {change}",
                        protocol=options.protocol,
                        seeds=[seed],
                        table=options.output,
                        settings=entry.settings(training),
                        cell_done=lambda cell, done, total: print(
                            f"{cell['data']}, {cell['system']}, seed {cell['seed']}: accuracy {cell['accuracy']:.3f}, "
                            f"macro F1 {cell['macro_f1']:.3f}, {cell['fit_seconds']:.0f} s",
                            flush=True,
                        ),
                    )


if __name__ == "__main__":
    main()
