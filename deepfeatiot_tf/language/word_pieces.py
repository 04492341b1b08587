"""WordPiece as BERT's tokenizer does it, in TensorFlow ops alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.bert_text import word_characters
from deepfeatiot_tf.language.token_table import TokenTable
from deepfeatiot_tf.language.word_tokenizer import WordTokenizer

UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
INSIDE = "##"
# A longer word is unknown as a whole.
LONGEST_WORD = 100


class WordPieces(WordTokenizer):
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

    kind = "word_pieces"

    def __init__(
        self,
        vocabulary: Sequence[str],
        lower_case: bool = True,
        strip_accents: bool = True,
        split_ideographs: bool = True,
        length: int = 512,
    ) -> None:
        place = {token: index for index, token in enumerate(vocabulary)}
        absent = [mark for mark in (UNKNOWN, FIRST, LAST) if mark not in place]
        if absent:
            raise InputError(f"the vocabulary lacks {', '.join(absent)}; take that of a BERT")
        table = word_characters(lower_case, strip_accents, split_ideographs)
        super().__init__(table, place[FIRST], place[LAST], length)
        self.vocabulary = list(vocabulary)
        self.lower_case = lower_case
        self.strip_accents = strip_accents
        self.split_ideographs = split_ideographs
        self._unknown = place[UNKNOWN]
        self._longest_piece = max(len(token.removeprefix(INSIDE)) for token in vocabulary)
        self._token = TokenTable(vocabulary)

    def get_config(self) -> dict[str, Any]:
        """What makes the same tokenizer, as JSON."""
        return {
            "kind": self.kind,
            "vocabulary": self.vocabulary,
            "lower_case": self.lower_case,
            "strip_accents": self.strip_accents,
            "split_ideographs": self.split_ideographs,
            "length": self.length,
        }

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
