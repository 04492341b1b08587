"""From the text of a token to its id, in TensorFlow ops."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError

BUCKETS = 2**63 - 1


class TokenTable:
    """The ids of tokens, as plain constants: a table of TensorFlow's is a resource that every file has to carry along.

    Args:
        vocabulary: the tokens, each once; a token's id is its place.
        without: ids of tokens that are never found. Default: none.

    Raises:
        InputError: the vocabulary has a token twice, or none that can be found.
    """

    def __init__(self, vocabulary: Sequence[str], without: Collection[int] = ()) -> None:
        place = {token: index for index, token in enumerate(vocabulary)}
        if len(place) < len(vocabulary):
            twice = next(token for index, token in enumerate(vocabulary) if place[token] != index)
            raise InputError(f"the vocabulary has {twice!r} twice; copy it again")
        kept = np.setdiff1d(np.arange(len(vocabulary), dtype=np.int32), list(without))
        if not len(kept):
            raise InputError(f"the vocabulary has {len(vocabulary)} marks and nothing else; copy it again")
        tokens = np.array([token.encode() for token in vocabulary], object)[kept]
        hashes = _hashes(tokens).numpy()
        order = np.argsort(hashes)
        self._hashes, self._tokens, self._ids = hashes[order], tokens[order], kept[order].astype(np.int32)

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """The id of each string, int32 in the shape of `texts`; -1 for what is no token."""
        place = tf.searchsorted(self._hashes, tf.reshape(_hashes(texts), [-1]))
        place = tf.reshape(tf.minimum(place, len(self._hashes) - 1), tf.shape(texts))
        return tf.where(tf.gather(self._tokens, place) == texts, tf.gather(self._ids, place), -1)


def _hashes(texts: tf.Tensor | np.ndarray) -> tf.Tensor:
    return tf.strings.to_hash_bucket_fast(texts, BUCKETS)
