"""WordPiece as BERT's tokenizer does it, in TensorFlow ops alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.bert_text import CODE_POINTS, word_characters

UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
INSIDE = "##"
# A longer word is unknown as a whole.
LONGEST_WORD = 100
BUCKETS = 2**63 - 1


class WordPieces:
    """The tokens of text, exactly as the tokenizer of a BERT vocabulary cuts it.

    Text is normalized and split into words (see `word_characters`); of each word the longest piece that the vocabulary
    has is cut off until nothing is left; a word that cannot be cut so is unknown. A mark such as `[SEP]`
    written in the text is text.

    `tensorflow-text` has this tokenizer, too, but folds compatibility characters ("µ" to "μ", "½" to "1⁄2"), as BERT
    does not, and its ops have to be linked into the server.

    Args:
        vocabulary: the tokens; a token's id is its place.
        lower_case: whether letters become lower case. Default True.
        strip_accents: whether letters lose their accents. Default True.
        split_ideographs: whether each CJK ideograph is a word. Default True.
        length: tokens per text at most, the first and the last mark included. Default 512.

    Raises:
        InputError: the vocabulary has a token twice or lacks one of BERT's marks, or `length` is below 2.

    Reference: BERT (arXiv 1810.04805); WordPiece, Wu et al. (arXiv 1609.08144).
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        lower_case: bool = True,
        strip_accents: bool = True,
        split_ideographs: bool = True,
        length: int = 512,
    ) -> None:
        place = {token: index for index, token in enumerate(vocabulary)}
        if len(place) < len(vocabulary):
            twice = next(token for index, token in enumerate(vocabulary) if place[token] != index)
            raise InputError(f"the vocabulary has {twice!r} twice; copy it again")
        absent = [mark for mark in (UNKNOWN, FIRST, LAST) if mark not in place]
        if absent:
            raise InputError(f"the vocabulary lacks {', '.join(absent)}; take that of a BERT")
        if length < 2:
            raise InputError(f"length is {length}; a text takes 2 tokens at least")
        self.vocabulary = list(vocabulary)
        self.lower_case = lower_case
        self.strip_accents = strip_accents
        self.split_ideographs = split_ideographs
        self.length = length
        self._unknown, self._first, self._last = (place[mark] for mark in (UNKNOWN, FIRST, LAST))
        self._longest_piece = max(len(token.removeprefix(INSIDE)) for token in vocabulary)
        # A table would be a resource that every file format has to carry along; sorted hashes are plain constants.
        hashes = _hashes(np.array([token.encode() for token in vocabulary], object)).numpy()
        self._order = np.argsort(hashes).astype(np.int32)
        self._hashes = hashes[self._order]
        self._tokens = np.array([vocabulary[index].encode() for index in self._order], object)

    def get_config(self) -> dict[str, Any]:
        """What makes the same tokenizer, as JSON."""
        return {
            "vocabulary": self.vocabulary,
            "lower_case": self.lower_case,
            "strip_accents": self.strip_accents,
            "split_ideographs": self.split_ideographs,
            "length": self.length,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> WordPieces:
        """The tokenizer that `get_config` describes."""
        return cls(**config)

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
        characters, splits = word_characters(self.lower_case, self.strip_accents, self.split_ideographs)
        replacements = tf.RaggedTensor.from_row_splits(characters, splits, validate=False)
        points = tf.strings.unicode_decode(texts, "UTF-8")
        replaced = tf.gather(replacements, tf.minimum(points.values, CODE_POINTS))
        replaced = tf.RaggedTensor.from_row_splits(replaced, tf.cast(points.row_splits, replaced.row_splits.dtype))
        return tf.strings.split(tf.strings.unicode_encode(replaced.merge_dims(1, 2), "UTF-8"))

    def _pieces(self, words: tf.Tensor) -> tf.RaggedTensor:
        """int32 `[words, (pieces)]`."""
        lengths = tf.strings.length(words, unit="UTF8_CHAR")

        def cut(step: tf.Tensor, start: tf.Tensor, known: tf.Tensor, pieces: tf.TensorArray) -> tuple[tf.Tensor, ...]:
            """The longest piece that each word has at `start`."""
            token, width = self._longest(words, start)
            going = known & (start < lengths)
            pieces = pieces.write(step, tf.where(going, token, -1))
            return step + 1, start + tf.where(going, width, 0), known & ((width > 0) | ~going), pieces

        def more(step: tf.Tensor, start: tf.Tensor, known: tf.Tensor, pieces: tf.TensorArray) -> tf.Tensor:
            return tf.reduce_any(known & (start < lengths))

        # The first column is that of unknown words; with it, a batch without any word has a shape.
        start = tf.zeros_like(lengths)
        pieces = tf.TensorArray(tf.int32, 1, dynamic_size=True, element_shape=[None]).write(0, start - 1)
        state = (tf.constant(1), start, lengths <= LONGEST_WORD, pieces)
        _, _, known, pieces = tf.while_loop(more, cut, state, parallel_iterations=1)
        pieces = tf.transpose(pieces.stack())
        unknown = tf.concat([[self._unknown], tf.fill([tf.shape(pieces)[1] - 1], -1)], axis=0)
        pieces = tf.where(known[:, None], pieces, unknown)
        return tf.ragged.boolean_mask(pieces, pieces >= 0)

    def _longest(self, words: tf.Tensor, start: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The longest token that begins at character `start` of each word, and its characters; 0 for none."""
        sizes = tf.range(1, self._longest_piece + 1)
        # Past the end of a word it would be the same piece again, which must not count as longer.
        there = start[:, None] + sizes <= tf.strings.length(words, unit="UTF8_CHAR")[:, None]
        first = tf.where(there, start[:, None], 0)
        every = tf.broadcast_to(words[:, None], tf.shape(first))
        pieces = tf.strings.substr(every, first, tf.broadcast_to(sizes, tf.shape(first)), unit="UTF8_CHAR")
        tokens = self._token(tf.where(start > 0, INSIDE, "")[:, None] + pieces)
        width = tf.reduce_max(tf.where(there & (tokens >= 0), sizes, 0), axis=1)
        return tf.gather(tokens, tf.maximum(width - 1, 0), batch_dims=1), width

    def _token(self, pieces: tf.Tensor) -> tf.Tensor:
        """The id of each string, -1 for what is no token."""
        place = tf.searchsorted(self._hashes, tf.reshape(_hashes(pieces), [-1]))
        place = tf.reshape(tf.minimum(place, len(self._hashes) - 1), tf.shape(pieces))
        return tf.where(tf.gather(self._tokens, place) == pieces, tf.gather(self._order, place), -1)


def _hashes(texts: tf.Tensor | np.ndarray) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(texts, BUCKETS)
