"""A pretrained sentence encoder, read and ready to be part of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)  # two arrays have no single truth
class SentenceEncoder:
    """The network, the tokenizer, and how the states of a text's tokens become one vector.

    Attributes:
        name: `"minilm"`, `"use-multilingual"`, or the name of the preset or folder it was read from.
        weights_from: for people, where the weights were read; names no path of the machine.
        checksum: SHA-256 of the weights file, in hex.
        architecture: `"bert"` or `"use"`, the Universal Sentence Encoder.
        config: what `build_bert` or `build_use` needs, as JSON.
        weights: in the order of that model's weights; float32, or float16 where the file has that, or bytes.
        tokenizer: `"kind"`, `"word_pieces"` or `"unigram_pieces"`, and the arguments of `WordPieces` or
            `UnigramPieces`, as JSON.
        pooling: `"mean"` over a text's tokens, `"cls"`, the state of the first mark, or `"none"` where the network
            itself gives one vector.
        normalize: whether the vector is brought to length 1.
    """

    name: str
    weights_from: str
    checksum: str
    architecture: str
    config: dict[str, Any]
    weights: list[np.ndarray]
    tokenizer: dict[str, Any]
    pooling: str
    normalize: bool
