"""A pretrained language encoder, read and ready to be part of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)  # two arrays have no single truth
class LanguageEncoder:
    """The first blocks of a pretrained transformer, with its byte-level BPE vocabulary.

    Attributes:
        name: `"gpt2"`, `"smollm2"`, or the name of the folder or file it was read from.
        weights_from: for people, where the weights were read; names no path of the machine.
        checksum: SHA-256 of the weights file, in hex.
        architecture: `"gpt2"` or `"llama"`.
        config: what `build_blocks` needs, as JSON; `num_layers` is the number of blocks kept.
        weights: in the order of `build_blocks(architecture, config).weights`, the token embedding `[tokens, width]`
            first; float32, or float16 where the file has that.
        vocabulary: token to id; tokens are written in the byte alphabet of GPT-2.
        merges: pairs of tokens that become one, the first ones first.
        single_digits: whether numbers are split into digits before the merges, as SmolLM2 wants; GPT-2 does not.
    """

    name: str
    weights_from: str
    checksum: str
    architecture: str
    config: dict[str, Any]
    weights: list[np.ndarray]
    vocabulary: dict[str, int]
    merges: list[tuple[str, str]]
    single_digits: bool

    def with_vocabulary(self, token_ids: Sequence[int]) -> LanguageEncoder:
        """The same encoder for a text that reaches few tokens: it is as deep, its embedding is small.

        Args:
            token_ids: the tokens kept; the token at place `i` gets the id `i`.

        Returns:
            the encoder with its embedding and vocabulary cut. The merges stay whole, since they pass through
            tokens that no text ends in.

        Raises:
            ValueError: an id is not in the embedding, or there twice.
        """
        ids = [int(i) for i in token_ids]
        embedding, *rest = self.weights
        if len(set(ids)) != len(ids) or not all(0 <= i < len(embedding) for i in ids):
            raise ValueError(f"token_ids: give each id once, from 0 to {len(embedding) - 1}")
        place = {old: new for new, old in enumerate(ids)}
        return replace(
            self,
            config={**self.config, "vocabulary_size": len(ids)},
            weights=[embedding[ids], *rest],
            vocabulary={token: place[i] for token, i in self.vocabulary.items() if i in place},
        )
