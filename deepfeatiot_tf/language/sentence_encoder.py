"""A pretrained sentence encoder, read and ready to be part of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)  # two arrays have no single truth
class SentenceEncoder:
    """A BERT, its WordPiece vocabulary, and how the states of a text's tokens become one vector.

    Attributes:
        name: `"minilm"`, or the name of the preset or folder it was read from.
        weights_from: for people, where the weights were read; names no path of the machine.
        checksum: SHA-256 of the weights file, in hex.
        config: what `build_bert` needs, as JSON.
        weights: in the order of `build_bert(config).weights`; float32, or float16 where the file has that.
        tokenizer: arguments of `WordPieces`, as JSON.
        pooling: `"mean"` over a text's tokens, or `"cls"`, the state of the first mark.
        normalize: whether the vector is brought to length 1.
    """

    name: str
    weights_from: str
    checksum: str
    config: dict[str, Any]
    weights: list[np.ndarray]
    tokenizer: dict[str, Any]
    pooling: str
    normalize: bool
