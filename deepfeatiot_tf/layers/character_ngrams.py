"""Which character n-grams the text about a sensor is spelled with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from deepfeatiot_tf.language.blank_text import WHITE_SPACE


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class CharacterNGrams(keras.layers.Layer):
    """The character n-grams within the words of each text, hashed, as a vector of length 1.

    A sentence encoder knows what "relative humidity" means; "Umid.", "T_ext" or "BMP180" are no words, but they are
    spelled as other sensors' names are. Words are in lower case, with a space on either side. An n-gram counts once,
    however often it occurs. Nothing is learned, and no vocabulary kept.

    The defaults were chosen by leave-one-out on the training parts of TS-M, TS-N and SensEUR.

    Args:
        width: number of features that n-grams are hashed to. Default 4,096.
        lengths: of the n-grams, in characters. Default (1, 2, 3, 4).

    Input: texts string `[batch]`, UTF-8.

    Output: float32 `[batch, width]`; zeros for blank text.

    Raises:
        ValueError: `width` or one of `lengths` is less than 1, or there are none.

    Reference: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML 2009; character n-grams of
    the names of sensors: Hong et al., Clustering-based Active Learning on Sensor Type Classification in Buildings, CIKM
    2015.
    """

    def __init__(self, width: int = 4096, lengths: Sequence[int] = (1, 2, 3, 4), **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "trainable": False, "dtype": "float32"})
        if width < 1 or not lengths or min(lengths) < 1:
            raise ValueError(f"width is {width} and lengths {tuple(lengths)}; give numbers of at least 1")
        self.width = width
        self.lengths = tuple(lengths)
        self.supports_jit = False  # XLA knows no strings
        self.stored = False  # 16 KB a text, nearly all zeros, that take microseconds

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        # Spaces of every alphabet part words.
        plain = tf.strings.regex_replace(tf.strings.lower(texts, encoding="utf-8"), WHITE_SPACE, " ")
        words = tf.strings.split(plain)
        spaced = words.with_values(tf.strings.join([" ", words.values, " "]))
        ngrams = tf.strings.ngrams(tf.strings.unicode_split(spaced, "UTF-8"), self.lengths, separator="")
        ngrams = ngrams.merge_dims(1, 2)
        buckets = tf.strings.to_hash_bucket_fast(ngrams.values, self.width)
        places = tf.stack([ngrams.value_rowids(), buckets], axis=1)
        shape = tf.stack([tf.shape(texts, tf.int64)[0], self.width])
        counts = tf.scatter_nd(places, tf.ones_like(buckets, tf.float32), shape)
        return tf.math.l2_normalize(tf.cast(counts > 0, tf.float32), axis=1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.width)

    def get_config(self) -> dict:
        return {**super().get_config(), "width": self.width, "lengths": self.lengths}
