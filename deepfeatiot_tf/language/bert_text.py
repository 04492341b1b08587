"""BERT's normalization of text and its split into words, character by character."""

from __future__ import annotations

import functools
import unicodedata

import numpy as np

from deepfeatiot_tf.language.word_tokenizer import CODE_POINTS, SPACE, character_table

WHITESPACE = "\t\n\r"
# Blocks of CJK ideographs, first and last; each ideograph is a word.
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


@functools.cache
def word_characters(lower_case: bool, strip_accents: bool, split_ideographs: bool) -> tuple[np.ndarray, np.ndarray]:
    """What each character becomes, so that words are what stands between spaces.

    Control characters become nothing, every kind of white space a space; a punctuation mark, and an ideograph if
    asked for, gets spaces around it. That is all that BERT does before WordPiece, and none of it looks at neighbours.

    Args:
        lower_case: whether letters become lower case.
        strip_accents: whether letters lose their accents (NFD without combining marks).
        split_ideographs: whether each CJK ideograph is a word.

    Returns:
        see `character_table`.
    """
    every = map(chr, range(CODE_POINTS))
    changed = {each: _replacement(each, lower_case, strip_accents, split_ideographs) for each in every}
    return character_table(changed, beyond="")


def _replacement(character: str, lower_case: bool, strip_accents: bool, split_ideographs: bool) -> str:
    category = unicodedata.category(character)
    if character in WHITESPACE or category in ("Zs", "Zl", "Zp"):
        return SPACE
    if category in ("Cc", "Cf", "Co", "Cs") or character == "\ufffd":
        return ""
    kept = character
    if strip_accents:
        kept = "".join(c for c in unicodedata.normalize("NFD", kept) if unicodedata.category(c) != "Mn")
    if lower_case:
        kept = "".join(map(str.lower, kept))
    kept = "".join(f" {c} " if _is_punctuation(c) else c for c in kept)
    if split_ideographs and any(first <= ord(character) <= last for first, last in IDEOGRAPHS):
        kept = f" {kept} "
    return kept


def _is_punctuation(character: str) -> bool:
    ascii_sign = "!" <= character <= "~" and not character.isalnum()
    return ascii_sign or unicodedata.category(character)[0] == "P"
