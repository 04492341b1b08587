"""What the language branch brings, and what of it matters: block, text, how many readings and digits.

Honest protocol, SmolLM2-135M. A variant differs from the default (block 16 of 30; plain text of up to 60
evenly spaced readings with four digits) in what its name says. Every finished cell is kept in the table, so a broken
run goes on with the same command. The features of a variant are computed in its first cell: that cell's `fit_seconds`
has the training part's, its `predict_seconds` the test part's.
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
from deepfeatiot_tf.models.branch_features import branches_of, compute_features, with_features
from deepfeatiot_tf.models.training_data import batches_of

FROZEN = ("randomized", "statistics")
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "block 4": {"block": 4},
    "block 8": {"block": 8},
    "block 24": {"block": 24},
    "block 30": {"block": 30},
    "30 readings": {"readings": 30},
    "120 readings": {"readings": 120},
    "3 digits": {"digits": 3},
    "6 digits": {"digits": 6},
    "means of stretches": {"sampling": "mean"},
    "the first 60 readings": {"sampling": "cut"},
    "published text": {"text": "published"},
}
# By head: which branches stand beside the language branch.
HEADS: dict[str, dict[str, Any]] = {
    "closed form": {"head": "closed_form", "windows": ()},
    "closed form, statistics alone": {"head": "closed_form", "branches": ("statistics",), "windows": ()},
    "closed form, nothing beside": {"head": "closed_form", "branches": ()},
    "trained head on frozen features": {"branches": FROZEN, "head": "mlp"},
    "full network": {"head": "mlp"},
    "closed form and network": {"head": "blend"},
    "closed form on halves, too": {"head": "closed_form", "windows": (2,)},
}


class Variant(dfi.KerasSystem):
    """DeepFeatIoT with a variant of the language branch; its features are computed once for all seeds and heads."""

    def __init__(self, head: str, variant: str | None, epochs: int, patience: int) -> None:
        self.options = HEADS[head]
        super().__init__(self._make, epochs=epochs, patience=patience, selects=self.options["head"] == "blend")
        self.variant = variant
        self.language: dfi.LanguageFeatures | None = None

    def _make(self, class_names: tuple[str, ...], seed: int) -> dfi.DeepFeatIoT:
        if self.variant is not None and self.language is None:
            self.language = dfi.LanguageFeatures.from_pretrained("smollm2", **VARIANTS[self.variant])
        model = dfi.DeepFeatIoT(class_names, language=self.language, seed=seed, **self.options)
        model.compile()
        return model

    def predict(self, readings: dfi.SensorReadings) -> np.ndarray:
        """As the whole model would, but for the features that are on disk."""
        branches = branches_of(self.model.frozen, None)
        compute_features(branches, batches_of(readings.values, None, None))
        return np.array(self.model(with_features(readings.values, branches), training=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["swiss", "iowa", "sbas"])
    parser.add_argument("--heads", nargs="+", default=["closed form"], choices=HEADS, metavar="HEAD")
    parser.add_argument("--variants", nargs="+", default=["none", *VARIANTS], metavar="VARIANT")
    parser.add_argument("--splits", default="paper", choices=["paper", "resample"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--patience", type=int, default=15)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "language.csv")
    options = parser.parse_args()
    for data in options.data:
        readings = dfi.load_dataset(data)
        for head in options.heads:
            for variant in options.variants:
                if variant == "none" and HEADS[head].get("branches") == ():
                    continue  # there would be nothing to read
                system = Variant(head, None if variant == "none" else variant, options.epochs, options.patience)
                result = dfi.run_protocol(
                    system,
                    readings,
                    name=f"{head}; language: {variant}",
                    splits=options.splits,
                    seeds=range(options.seeds),
                    table=options.output,
                )
                seconds = result.cells["fit_seconds"].iloc[0]
                print(f"{data}; {head}; language: {variant}: {result}; first fit {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
