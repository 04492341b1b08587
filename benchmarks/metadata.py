"""Readings and metadata together: this library's models and what a user would pick instead.

Paper split. Honest protocol: whatever is selected is selected on a validation part of the training data; the test
part is used once. Every finished cell is kept in the table, so a broken run goes on with the same command.

With `--changes` the metadata of the test part is damaged before it is answered: blanked for a share of the sensors, or
swapped with that of another sensor. The training part stays whole. `senseur-masked` is SensEUR without the entries
`sensors` and `units` of its metadata, which nearly name the class.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from common import RESULTS
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.layers import SummaryStatistics

MASKED = ("sensors", "units")
CHANGES = ("none", "25 % blank", "50 % blank", "75 % blank", "all blank", "swapped")


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
    if change == "swapped":
        texts[order] = readings.metadata[np.roll(order, 1)]
    elif change != "none":
        share = 1.0 if change == "all blank" else float(change.split()[0]) / 100
        texts[order[: round(share * len(order))]] = ""
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


def network(epochs: int, patience: int, build: Callable[..., keras.Model], **options: object) -> System:
    def compiled(class_names: tuple[str, ...], seed: int) -> keras.Model:
        model = build(class_names, seed=seed, **options)
        model.compile()
        return model

    system = dfi.KerasSystem(compiled, epochs=epochs, patience=patience)
    # A head in closed form selects nothing, so it learns from the whole training part.
    system.selects = options.get("head") != "closed_form"
    return system


@cache
def encoder() -> dfi.TextFeatures:
    return dfi.TextFeatures.from_pretrained("minilm")


EMBEDDINGS: dict[str, np.ndarray] = {}


def embeddings(readings: dfi.SensorReadings) -> np.ndarray:
    fresh = sorted(set(readings.metadata) - set(EMBEDDINGS))
    if fresh:
        EMBEDDINGS.update(zip(fresh, encoder()(tf.constant(fresh)).numpy(), strict=True))
    return np.stack([EMBEDDINGS[text] for text in readings.metadata])


def statistics(readings: dfi.SensorReadings) -> np.ndarray:
    return np.array(SummaryStatistics()(readings.values))


def regression() -> System:
    return dfi.EstimatorSystem(lambda seed: LogisticRegression(C=10, max_iter=2000), inputs=embeddings)


def trees() -> System:
    return dfi.EstimatorSystem(lambda seed: ExtraTreesClassifier(500, random_state=seed, n_jobs=2), inputs=statistics)


class Product:
    """The product of two systems' probabilities."""

    selects = False

    def __init__(self) -> None:
        self.parts = (regression(), trees())

    def fit(
        self, train: dfi.SensorReadings, validation: Any = None, *, seed: int = 0, protocol: Any = "honest"
    ) -> None:
        for part in self.parts:
            part.fit(train, None, seed=seed)

    def predict(self, readings: dfi.SensorReadings) -> np.ndarray:
        found = np.prod([part.predict(readings) for part in self.parts], axis=0)
        total = found.sum(axis=1, keepdims=True)
        return np.where(total > 0, found / np.where(total > 0, total, 1), 1 / found.shape[1])


SYSTEMS: dict[str, Callable[[int, int], System]] = {
    "DeepFeatIoT with metadata, closed-form head": lambda e, p: network(
        1, 1, dfi.DeepFeatIoT, head="closed_form", text_encoder=encoder()
    ),
    "MiniLM + logistic regression": lambda e, p: regression(),
    "statistics + extra trees": lambda e, p: trees(),
    "product of the two": lambda e, p: Product(),
    "DeepFeatIoT, closed-form head": lambda e, p: network(1, 1, dfi.DeepFeatIoT, head="closed_form"),
    "DeepFeatIoT with metadata, frozen branches, network": lambda e, p: network(
        e, p, dfi.DeepFeatIoT, branches=("randomized", "statistics"), head="mlp", text_encoder=encoder()
    ),
    "DeepMetaIoT": lambda e, p: network(e, p, dfi.DeepMetaIoT, text_encoder=encoder()),
    "DeepHeteroIoT": lambda e, p: network(e, p, dfi.DeepHeteroIoT),
    'DeepMetaIoT, "paper" channels': lambda e, p: network(
        e, p, dfi.DeepMetaIoT, text_encoder=encoder(), channels="paper"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["ts-m", "ts-n", "senseur", "senseur-masked", "ts-n-raw"])
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--changes", nargs="+", default=["none"], choices=CHANGES, metavar="CHANGE")
    parser.add_argument("--protocol", default="honest", choices=["honest", "paper"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--patience", type=int, default=20)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "metadata.csv")
    options = parser.parse_args()
    for data in options.data:
        readings = load(data)
        for name in options.systems:
            system = Once(SYSTEMS[name](options.epochs, options.patience))
            for seed in range(options.seeds):
                for change in options.changes:
                    system.change = change
                    dfi.run_protocol(
                        system,
                        readings,
                        name=name if change == "none" else f"{name}; test metadata {change}",
                        protocol=options.protocol,
                        seeds=[seed],
                        table=options.output,
                        cell_done=lambda cell, done, total: print(
                            f"{cell['data']}, {cell['system']}, seed {cell['seed']}: accuracy {cell['accuracy']:.3f}, "
                            f"macro F1 {cell['macro_f1']:.3f}, {cell['fit_seconds']:.0f} s",
                            flush=True,
                        ),
                    )


if __name__ == "__main__":
    main()
