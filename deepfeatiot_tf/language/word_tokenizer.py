"""What the tokenizers of sentence encoders share: normalized text, cut into words, each of which is cut into pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.composition import composed

# Beyond them Unicode has only tags, variation selectors and private characters.
CODE_POINTS = 0x323B0
SPACE = " "


class WordTokenizer(ABC):
    """The tokens of text, a word at a time, in TensorFlow ops alone.

    Args:
        table: what each character becomes, as `character_table` gives it; words are then what stands between spaces.
        first: the mark before the pieces of a text.
        last: the mark behind them.
        length: tokens per text at most, both marks included.
        compose: whether a letter and the accent behind it become one character, and the parts of a Hangul syllable
            that syllable (Unicode's canonical composition). Default False.

    Raises:
        InputError: `length` is below 2.
    """

    kind: ClassVar[str]  # the name of the class in `get_config`

    def __init__(
        self, table: tuple[np.ndarray, np.ndarray], first: int, last: int, length: int, compose: bool = False
    ) -> None:
        if length < 2:
            raise InputError(f"length is {length}; a text takes 2 tokens at least")
        self.length = length
        self.compose = compose
        self._characters = table
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
            and how many these are, int32 `[batch]`: 2 for a text without any piece.
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
        points = tf.strings.unicode_decode(texts, "UTF-8", errors="ignore")
        replaced = tf.gather(replacements, tf.minimum(points.values, CODE_POINTS))
        replaced = tf.RaggedTensor.from_row_splits(replaced, tf.cast(points.row_splits, replaced.row_splits.dtype))
        points = replaced.merge_dims(1, 2)
        text = tf.strings.unicode_encode(composed(points) if self.compose else points, "UTF-8")
        # Without a separator it would split at control characters, too.
        words = tf.strings.split(text, SPACE)
        return tf.ragged.boolean_mask(words, words != "")

    @abstractmethod
    def _pieces(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The ids of the pieces of each word, int32 `[words, (pieces)]`."""


def character_table(changed: Mapping[str, str], beyond: str) -> tuple[np.ndarray, np.ndarray]:
    """What each character becomes.

    Args:
        changed: replacements by character; all other characters up to `CODE_POINTS` stay.
        beyond: what those behind become.

    Returns:
        code points int32 `[n]` of all replacements, one after the other, and int32 `[CODE_POINTS + 2]`: the replacement
        of code point `c` lies between the entries `c` and `c + 1`. The last replacement is `beyond`.
    """
    changes = {**{ord(character): replacement for character, replacement in changed.items()}, CODE_POINTS: beyond}
    lengths = np.ones(CODE_POINTS + 1, np.int32)
    for point, replacement in changes.items():
        lengths[point] = len(replacement)
    points = np.repeat(np.arange(CODE_POINTS + 1, dtype=np.int32), lengths)
    splits = np.append(0, np.cumsum(lengths)).astype(np.int32)
    for point, replacement in changes.items():
        points[splits[point] : splits[point + 1]] = [ord(character) for character in replacement]
    return points, splits
