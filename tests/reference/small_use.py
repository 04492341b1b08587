"""A Universal Sentence Encoder of a few numbers, drawn from a seed."""

from pathlib import Path

import numpy as np

from deepfeatiot_tf.language.unigram_file import read_unigram_pieces
from deepfeatiot_tf.language.use_blocks import build_use
from deepfeatiot_tf.layers import TextFeatures
from tests.reference.small_unigram import PIECES, write_tokenizer

WIDTH, LENGTH = 24, 12
CONFIG = {
    "vocabulary_size": len(PIECES) + 1,
    "parts": 3,
    "hidden_dim": WIDTH,
    "filters": 4,
    "intermediate_dim": 6,
    "norm_epsilon": 1e-12,
}


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    """By path, in the order of `build_use(CONFIG).weights`."""
    rng = np.random.default_rng(seed)
    return {
        each.path: rng.integers(0, 256, each.shape).astype("uint8")
        if each.path.endswith("table")
        else rng.normal(0.1, 0.4, each.shape).astype("float32")
        for each in build_use(CONFIG, "float32").weights
    }


def small_use(folder: Path) -> TextFeatures:
    """The layer; `folder` is where the file of its tokenizer goes."""
    write_tokenizer(folder / "tokenizer.json")
    encoder = {
        "name": "small",
        "weights_from": "a seed",
        "checksum": "",
        "architecture": "use",
        "config": CONFIG,
        "tokenizer": read_unigram_pieces(folder / "tokenizer.json", LENGTH).get_config(),
        "pooling": "none",
        "normalize": False,
    }
    layer = TextFeatures(encoder)
    for variable, weight in zip(layer.weights, weights().values(), strict=True):
        variable.assign(weight)
    return layer
