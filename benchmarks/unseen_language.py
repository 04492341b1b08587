"""What metadata is worth in a language that nobody taught: TS-N, whose names are in a dozen languages.

The sensors with names in one language (as lingua tells it, at least 60 % sure; formulas and words that languages share,
such as "PM10" and "Temperatur", are in none) are answered by systems that learned from all the others, `unseen`; and by
systems that learned from one half of them, too, and answer the other half, `half seen`. Both answer the same sensors.
Needs `pip install lingua-language-detector`.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, Cells
from lingua import Language, LanguageDetectorBuilder
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import KFold

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.systems import SYSTEMS
from deepfeatiot_tf.evaluation.system_entry import Training

LANGUAGES = ("ENGLISH", "GERMAN", "POLISH", "CZECH", "ITALIAN", "DUTCH", "SPANISH", "FRENCH")
LEFT_OUT = ("GERMAN", "POLISH", "CZECH")
SURE = 0.6
COMPARED = (
    "deepfeatiot-metadata",
    "deepfeatiot-multilingual",
    "deepfeatiot-ngrams",
    "deepfeatiot",
    "metadata-trees",
    "metadata-regression",
)


def languages_of(texts: np.ndarray) -> np.ndarray:
    """The language of each text, str `[texts]`; "" where that is open."""
    detector = LanguageDetectorBuilder.from_languages(*map(Language.from_str, LANGUAGES)).build()
    first = [detector.compute_language_confidence_values(text)[0] for text in texts]
    return np.array([each.language.name if each.value >= SURE else "" for each in first])


def answers(name: str, readings: dfi.SensorReadings, asked: np.ndarray, seed: int) -> np.ndarray:
    """Class numbers for the sensors `asked`, from all the others."""
    system = SYSTEMS[name].build(Training())
    system.fit(readings.take(np.setdiff1d(np.arange(len(readings)), asked)), None, seed=seed)
    return system.predict(readings.take(asked)).argmax(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="ts-n")
    parser.add_argument("--languages", nargs="+", default=list(LEFT_OUT), choices=LANGUAGES, metavar="LANGUAGE")
    parser.add_argument("--systems", nargs="+", default=list(COMPARED), choices=SYSTEMS, metavar="SYSTEM")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "unseen_language.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "language", "system", "learned", "seed"])
    readings = dfi.load_dataset(options.data)
    spoken = languages_of(readings.metadata)
    for language in options.languages:
        of_language = np.flatnonzero(spoken == language)
        for seed in range(options.seeds):
            halves = KFold(2, shuffle=True, random_state=seed).split(of_language)
            ways = {"unseen": [of_language], "half seen": [of_language[half] for _, half in halves]}
            for name in options.systems:
                for learned, parts in ways.items():
                    if (options.data, language, name, learned, seed) in cells:
                        continue
                    asked = np.concatenate(parts)
                    true = readings.label_indices[asked]
                    found = np.concatenate([answers(name, readings, part, seed) for part in parts])
                    cells.add(
                        (options.data, language, name, learned, seed),
                        n_test=len(asked),
                        accuracy=accuracy_score(true, found),
                        macro_f1=f1_score(true, found, average="macro", zero_division=0),
                    )


if __name__ == "__main__":
    main()
