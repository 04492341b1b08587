"""Byte-pair encoding of number text, in TensorFlow ops alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.number_text import ALPHABET

# GPT-2 writes a space as this letter.
SPACE = "Ġ"
# More than any merge's rank.
NEVER = np.int32(2**31 - 1)


class BytePairEncoding:
    """The tokens of number text, exactly as the tokenizer of a byte-level BPE vocabulary cuts it.

    Of the vocabulary only what number text can reach is kept: some hundred to two thousand tokens. A token is known
    by its place among them; `token_ids` says what they are in the whole vocabulary.

    Text is split where GPT-2's pattern splits it: runs of letters, of digits and of signs, each with the space before
    it. Within a run the pair with the lowest rank, the leftmost of several, is merged until none is left.

    Args:
        vocabulary: token to id, in the byte alphabet of GPT-2.
        merges: pairs of tokens that become one, the first ones first.
        single_digits: whether digits are split from all else first, as for SmolLM2.

    Raises:
        InputError: the vocabulary lacks a character of numbers, or what a merge makes.
    """

    def __init__(
        self, vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]], single_digits: bool = False
    ) -> None:
        characters = [SPACE if character == " " else character for character in ALPHABET]
        place = {character: index for index, character in enumerate(characters)}
        kept, table = [], []
        for left, right in merges:
            if left not in place or right not in place or not _stay_together(left[-1], right[0], single_digits):
                continue
            place.setdefault(left + right, len(place))
            kept.append((left, right))
            table.append((place[left], place[right], place[left + right]))
        absent = [token for token in place if token not in vocabulary]
        if absent:
            raise InputError(
                f"the vocabulary lacks {', '.join(map(repr, absent[:5]))}, which number text needs; "
                "take vocabulary and merges of the same checkpoint"
            )
        self.tokens = tuple(place)
        self.token_ids = [vocabulary[token] for token in place]
        self.merges = kept
        self.single_digits = single_digits
        first_half, second_half, merged = np.array(table, np.int64).reshape(-1, 3).T
        keys = first_half * len(place) + second_half
        order = np.argsort(keys, kind="stable")
        # A pair that stands twice has its first rank.
        self._keys, first = np.unique(keys[order], return_index=True)
        self._ranks, self._merged = order[first].astype(np.int32), merged[order[first]].astype(np.int32)
        self._together = np.array(
            [[_stay_together(a, b, single_digits) for b in characters] for a in characters], dtype=bool
        )

    def get_config(self) -> dict[str, Any]:
        """What makes the same encoding of the kept tokens alone, as JSON."""
        return {
            "vocabulary": {token: index for index, token in enumerate(self.tokens)},
            "merges": [list(pair) for pair in self.merges],
            "single_digits": self.single_digits,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BytePairEncoding:
        """The encoding that `get_config` describes."""
        merges = [(left, right) for left, right in config["merges"]]
        return cls(config["vocabulary"], merges, config["single_digits"])

    def __call__(self, texts: tf.Tensor, present: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Encode.

        Args:
            texts: string `[batch, n]`, pieces that begin where a run begins, as `NumberText` gives them.
            present: bool `[batch, n]`, which of them are meant.

        Returns:
            places of tokens int32 `[batch, length]`, those of a row one after the other and then zeros; and bool
            `[batch, length]`, which are meant.
        """
        batch, pieces = tf.unstack(tf.shape(texts))
        distinct, which = tf.unique(tf.reshape(texts, [-1]))
        tokens, counts = self._encode(distinct)
        width = tf.shape(tokens)[1]
        tokens = tf.reshape(tf.gather(tokens, which), [batch, pieces * width])
        counts = tf.where(present, tf.reshape(tf.gather(counts, which), [batch, pieces]), 0)
        meant = tf.reshape(tf.sequence_mask(counts, width), [batch, pieces * width])
        ragged = tf.ragged.boolean_mask(tokens, meant)
        return ragged.to_tensor(), tf.sequence_mask(ragged.row_lengths())

    def _encode(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Places int32 `[texts, width]` and how many each text has, int32 `[texts]`."""
        points = tf.strings.unicode_decode(texts, "UTF-8")
        counts = tf.cast(points.row_lengths(), tf.int32)
        points = points.to_tensor(ord("0"))
        symbols = tf.gather(_place_of_code_point(), tf.clip_by_value(points, 0, 127))
        # Whether a symbol may be merged with the one to its right; the last may not.
        together = tf.gather_nd(self._together, tf.stack([symbols[:, :-1], symbols[:, 1:]], axis=-1))
        together = tf.pad(together, [[0, 0], [0, 1]])
        if not len(self._keys):
            return symbols, counts

        def ranks(symbols: tf.Tensor, counts: tf.Tensor, together: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            """Rank of each symbol's merge with the one to its right, and what it would make."""
            right = tf.pad(symbols[:, 1:], [[0, 0], [0, 1]])
            keys = tf.cast(symbols, tf.int64) * len(self.tokens) + tf.cast(right, tf.int64)
            found = tf.searchsorted(self._keys, tf.reshape(keys, [-1]))
            found = tf.reshape(tf.minimum(found, len(self._keys) - 1), tf.shape(keys))
            inside = tf.sequence_mask(counts - 1, tf.shape(symbols)[1])
            known = (tf.gather(self._keys, found) == keys) & together & inside
            return tf.where(known, tf.gather(self._ranks, found), NEVER), tf.gather(self._merged, found)

        def merge(
            symbols: tf.Tensor, counts: tf.Tensor, together: tf.Tensor, rank: tf.Tensor, made: tf.Tensor
        ) -> tuple[tf.Tensor, ...]:
            """One merge in every text that has one left."""
            columns = tf.range(tf.shape(symbols)[1])
            best = tf.argmin(rank, axis=1, output_type=tf.int32)[:, None]
            done = tf.reduce_min(rank, axis=1, keepdims=True) == NEVER
            at = tf.where(done, tf.shape(symbols)[1], best)
            source = tf.minimum(columns + tf.cast(columns > at, tf.int32), tf.shape(symbols)[1] - 1)
            moved = tf.where(columns == at, made, tf.gather(symbols, source, batch_dims=1))
            # What is merged is as close to the right as its right half was.
            source = tf.minimum(columns + tf.cast(columns >= at, tf.int32), tf.shape(symbols)[1] - 1)
            together = tf.gather(together, source, batch_dims=1)
            counts = counts - tf.cast(~done[:, 0], tf.int32)
            return moved, counts, together, *ranks(moved, counts, together)

        def left(symbols: tf.Tensor, counts: tf.Tensor, together: tf.Tensor, rank: tf.Tensor, made: tf.Tensor) -> Any:
            return tf.reduce_any(rank < NEVER)

        state = (symbols, counts, together, *ranks(symbols, counts, together))
        symbols, counts, *_ = tf.while_loop(left, merge, state, parallel_iterations=1)
        return symbols, counts


def _stay_together(left: str, right: str, single_digits: bool) -> bool:
    """Whether two neighbouring characters are in one run."""
    kinds = _kind(left), _kind(right)
    if single_digits and "digit" in kinds:
        return False
    if kinds[0] == "space":
        return kinds[1] != "space"
    return kinds[0] == kinds[1]


def _kind(character: str) -> str:
    if character == SPACE:
        return "space"
    if character.isdecimal():
        return "digit"
    return "letter" if character.isalpha() else "sign"


def _place_of_code_point() -> np.ndarray:
    places = np.zeros(128, np.int32)
    for index, character in enumerate(ALPHABET):
        places[ord(character)] = index
    return places
