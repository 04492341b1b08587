"""Which texts say nothing: one answer for Python's and for TensorFlow's."""

from __future__ import annotations

import tensorflow as tf

# What `str.strip` takes for white space, in RE2's words: that of every alphabet, and control characters that space.
WHITE_SPACE = r"[\pZ\x09-\x0d\x1c-\x20\x{85}]+"


def is_blank(text: str | bytes) -> bool:
    """Whether a text, as it is or in UTF-8, has nothing but white space."""
    return not (text.decode(errors="replace") if isinstance(text, bytes) else text).strip()


def are_blank(texts: tf.Tensor) -> tf.Tensor:
    """Bool, of the shape of `texts` string in UTF-8: which of them have nothing but white space."""
    return tf.strings.regex_replace(texts, WHITE_SPACE, "") == ""
