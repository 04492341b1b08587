"""What the tokenizers of sentence encoders share: normalized text, cut into words, each of which is cut into pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.bert_text import CODE_POINTS


class WordTokenizer:
    """The tokens of text, a word at a time, in TensorFlow ops alone.

    Args:
        characters: what each character becomes, as `word_characters` gives it; words are then what stands between
            spaces.
        first: the mark before the pieces of a text.
        last: the mark behind them.
        length: tokens per text at most, both marks included.

    Raises:
        InputError: `length` is below 2.
    """

    kind: ClassVar[str]  # the name of the class in `get_config`

    def __init__(self, characters: tuple[np.ndarray, np.ndarray], first: int, last: int, length: int) -> None:
        if length < 2:
            raise InputError(f"length is {length}; a text takes 2 tokens at least")
        self.length = length
        self._characters = characters
        self._first, self._last = first, last

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The tokenizer that `get_config` describes."""
        return cls(**{name: value for name, value in config.items() if name != "kind"})

    def __call__(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Tokenize.

        Args:
            texts: string `[batch]`, UTF-8; what is not is dropped.

        Returns:
            ids int32 `[batch, longest]`, the first mark, the pieces and the last mark of each text and then zeros;
            and how many these are, int32 `[batch]`.
        """
        words = self._words(texts)
        distinct, which = tf.unique(words.values)
        pieces = tf.gather(self._pieces(distinct), which)
        ids = tf.RaggedTensor.from_row_splits(pieces, words.row_splits).merge_dims(1, 2)[:, : self.length - 2]
        marks = tf.ones_like(texts, tf.int32)[:, None]
        ids = tf.concat([self._first * marks, ids, self._last * marks], axis=1)
        return ids.to_tensor(), tf.cast(ids.row_lengths(), tf.int32)

    def _words(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """String `[batch, (words)]`."""
        replacements = tf.RaggedTensor.from_row_splits(*self._characters, validate=False)
        points = tf.strings.unicode_decode(texts, "UTF-8")
        replaced = tf.gather(replacements, tf.minimum(points.values, CODE_POINTS))
        replaced = tf.RaggedTensor.from_row_splits(replaced, tf.cast(points.row_splits, replaced.row_splits.dtype))
        return tf.strings.split(tf.strings.unicode_encode(replaced.merge_dims(1, 2), "UTF-8"))

    def _pieces(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The ids of the pieces of each word, int32 `[words, (pieces)]`."""
        raise NotImplementedError
