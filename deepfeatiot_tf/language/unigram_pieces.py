"""SentencePiece's unigram model in TensorFlow ops alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.token_table import TokenTable
from deepfeatiot_tf.language.word_tokenizer import WordTokenizer, character_table

WORD = "▁"  # U+2581, before each word
# Score of a character that is no piece, below that of the worst piece.
UNKNOWN_BELOW = 10.0
# Stands for characters beyond the table; no vocabulary has it.
NONCHARACTER = "\U0010ffff"
# Characters of a word that are read: a step each, of all words of a batch, and so that nobody can make it slow.
LONGEST_WORD = 1000


class UnigramPieces(WordTokenizer):
    """The tokens of text, as SentencePiece's unigram model cuts it.

    Of all ways to cut a word into pieces of the vocabulary the one with the highest sum of scores is taken (Viterbi). A
    character that is no piece is unknown; neighbours that are unknown are one token. A mark such as `</s>` written in
    the text is text. Of a word of more than 1,000 characters the first 1,000 are read.

    `tensorflow-text` has this tokenizer, too, but its ops have to be linked into the server.

    Args:
        vocabulary: the pieces; a piece's id is its place. A word begins with "▁".
        scores: of each piece, the logarithm of its probability.
        characters: what a character becomes before it is cut, for those that become something else; " " for white
            space.
        unknown: id of the token for what is unknown.
        first: id of the mark before the pieces of a text.
        last: id of the mark behind them.
        marks: ids of further marks, which no text has. Default: none.
        compose: see `WordTokenizer`. Default True.
        length: tokens per text at most, the first and the last mark included. Default 512.

    Raises:
        InputError: the vocabulary has a piece twice or none but marks, has not as many scores, or no such marks, or
            `length` is below 2.

    Reference: Kudo, Subword Regularization (arXiv 1804.10959), section 3.2; SentencePiece (arXiv 1808.06226).
    """

    kind = "unigram_pieces"

    def __init__(
        self,
        vocabulary: Sequence[str],
        scores: Sequence[float],
        characters: Mapping[str, str],
        unknown: int,
        first: int,
        last: int,
        marks: Sequence[int] = (),
        compose: bool = True,
        length: int = 512,
    ) -> None:
        if len(scores) != len(vocabulary) or not np.isfinite(scores).all():
            raise InputError(f"the vocabulary has {len(vocabulary)} pieces and other scores than one each")
        if not all(0 <= mark < len(vocabulary) for mark in (unknown, first, last)):
            raise InputError(
                f"the vocabulary has {len(vocabulary)} pieces, and none of them are the marks for what is unknown, "
                f"the beginning and the end ({unknown}, {first}, {last})"
            )
        super().__init__(character_table(characters, NONCHARACTER), first, last, length, compose)
        self.vocabulary = list(vocabulary)
        self.scores = list(scores)
        self.characters = dict(characters)
        self.marks = list(marks)
        self._unknown = unknown
        self._table = TokenTable(vocabulary, without=[unknown, first, last, *marks])
        self._score = np.array(scores, np.float32)
        self._unknown_score = np.float32(min(scores) - UNKNOWN_BELOW)
        self._longest_piece = max(map(len, vocabulary))

    def get_config(self) -> dict[str, Any]:
        """What makes the same tokenizer, as JSON."""
        return {
            "kind": self.kind,
            "vocabulary": self.vocabulary,
            "scores": self.scores,
            "characters": self.characters,
            "unknown": self._unknown,
            "first": self._first,
            "last": self._last,
            "marks": self.marks,
            "compose": self.compose,
            "length": self.length,
        }

    def _pieces(self, words: tf.Tensor) -> tf.RaggedTensor:
        """int32 `[words, (pieces)]`."""
        characters = tf.strings.unicode_split(WORD + words, "UTF-8")[:, :LONGEST_WORD]
        starts, lengths = (tf.cast(each, tf.int32) for each in (characters.row_starts(), characters.row_lengths()))
        tokens, scores = self._candidates(characters.values)
        best = self._best(scores, starts, lengths)

        def cut(step: tf.Tensor, end: tf.Tensor, pieces: tf.TensorArray) -> tuple[tf.Tensor, ...]:
            """The last piece of what each word is up to `end`."""
            going = end > 0
            place = tf.where(going, starts + end - 1, 0)
            choice = tf.gather(best, place)
            token = tf.gather_nd(tokens, tf.stack([place - choice, choice], axis=1))
            return step + 1, tf.where(going, end - 1 - choice, 0), pieces.write(step, tf.where(going, token, -1))

        # With the first row, of no pieces, a batch without any word has a shape.
        pieces = tf.TensorArray(tf.int32, 1, dynamic_size=True, element_shape=[None]).write(
            0, tf.zeros_like(starts) - 1
        )
        state = (tf.constant(1), lengths, pieces)
        _, _, pieces = tf.while_loop(
            lambda step, end, pieces: tf.reduce_any(end > 0), cut, state, parallel_iterations=1
        )
        pieces = tf.transpose(tf.reverse(pieces.stack(), axis=[0]))
        unknown = pieces == self._unknown
        repeated = unknown & tf.roll(unknown, 1, axis=1)
        return tf.ragged.boolean_mask(pieces, (pieces >= 0) & ~repeated)

    def _candidates(self, characters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The pieces of 1, 2, … characters that begin at each.

        Args:
            characters: of all words, one behind the other, string `[characters]`.

        Returns:
            tokens int32 and scores float32, `[characters, longest piece]`; the score of what is no piece is -inf.
        """
        grown = [characters]
        for size in range(1, self._longest_piece):
            after = tf.concat([characters[size:], tf.fill([tf.minimum(size, tf.size(characters))], "")], axis=0)
            grown.append(tf.strings.join([grown[-1], after]))
        found = self._table(tf.stack(grown, axis=1))
        scores = tf.where(found >= 0, tf.gather(self._score, tf.maximum(found, 0)), -np.inf)
        unknown = (tf.range(self._longest_piece) == 0) & (found < 0)
        return tf.where(unknown, self._unknown, found), tf.where(unknown, self._unknown_score, scores)

    def _best(self, scores: tf.Tensor, starts: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """The characters, less one, of the last piece of the best cut up to each character, int32 `[characters]`."""
        sizes = tf.range(1, self._longest_piece + 1)
        # The best sums up to 1, 2, … characters before: nothing is before a word.
        before = tf.where(sizes == 1, 0.0, -np.inf) + tf.zeros_like(lengths, tf.float32)[:, None]

        def forth(end: tf.Tensor, before: tf.Tensor, best: tf.Tensor) -> tuple[tf.Tensor, ...]:
            inside = end <= lengths
            first = tf.maximum(tf.where(inside, starts + end, 0)[:, None] - sizes, 0)
            sums = before + tf.gather_nd(scores, tf.stack([first, tf.broadcast_to(sizes - 1, tf.shape(first))], axis=2))
            # Of equal sums that with the longest last piece, as SentencePiece has it.
            choice = self._longest_piece - 1 - tf.argmax(sums[:, ::-1], axis=1, output_type=tf.int32)
            rows = tf.boolean_mask(starts + end - 1, inside)
            best = tf.tensor_scatter_nd_update(best, rows[:, None], choice[inside])
            return end + 1, tf.concat([tf.reduce_max(sums, axis=1, keepdims=True), before[:, :-1]], axis=1), best

        state = (tf.constant(1), before, tf.zeros_like(scores[:, 0], tf.int32))
        longest = tf.reduce_max(tf.concat([lengths, [0]], axis=0))
        return tf.while_loop(lambda end, *_: end <= longest, forth, state, parallel_iterations=1)[-1]
