"""Unicode's canonical composition in TensorFlow ops: "e" and the accent behind it become "é"."""

from __future__ import annotations

import functools
import sys
import unicodedata

import numpy as np
import tensorflow as tf

# "ế" is made of three characters, as is a Hangul syllable with a final consonant.
PASSES = 2
POINT_BITS = 21


def composed(points: tf.RaggedTensor) -> tf.RaggedTensor:
    """Put characters together that stand behind each other, as NFC does where they are in canonical order.

    Args:
        points: code points int32 `[texts, (characters)]`.

    Returns:
        code points int32 `[texts, (characters)]`, fewer where there was something to put together.
    """
    keys, whole = _pairs()
    for _ in range(PASSES):
        values, rows = points.values, points.value_rowids()
        first, second = values[:-1], values[1:]
        pair = tf.bitwise.left_shift(tf.cast(first, tf.int64), POINT_BITS) + tf.cast(second, tf.int64)
        place = tf.minimum(tf.searchsorted(keys, pair), len(keys) - 1)
        found = (tf.gather(keys, place) == pair) & (rows[:-1] == rows[1:])
        values = tf.concat([tf.where(found, tf.gather(whole, place), first), values[-1:]], axis=0)
        # With one in front that is cut off again, as there may be no character at all.
        kept = tf.concat([[True], ~found], axis=0)[: tf.size(values)]
        points = tf.RaggedTensor.from_value_rowids(
            tf.boolean_mask(values, kept), tf.boolean_mask(rows, kept), nrows=points.nrows(), validate=False
        )
    return points


@functools.cache
def _pairs() -> tuple[np.ndarray, np.ndarray]:
    """Pairs of characters as int64 `[pairs]`, sorted, and the character that each becomes, int32 `[pairs]`."""
    pairs = {}
    for point in range(sys.maxunicode + 1):
        parts = unicodedata.normalize("NFD", chr(point))
        # The last part and what is before it, put together: of "ế" "ê" and the acute.
        before = unicodedata.normalize("NFC", parts[:-1])
        if len(before) == 1 and unicodedata.normalize("NFC", parts) == chr(point):
            pairs[(ord(before) << POINT_BITS) + ord(parts[-1])] = point
    keys = np.array(sorted(pairs), np.int64)
    return keys, np.array([pairs[key] for key in keys.tolist()], np.int32)
