"""The files of a unigram vocabulary: SentencePiece's own, and Hugging Face's `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.checkpoint import first_line, read_json
from deepfeatiot_tf.language.unigram_pieces import WORD, UnigramPieces
from deepfeatiot_tf.language.word_tokenizer import CODE_POINTS, SPACE

SURROGATES = range(0xD800, 0xE000)  # halves of characters, no text
# Puts nothing together with what stands beside it.
BESIDE = "0"
# Composed and in its parts.
WHOLE, PARTS = "é", "e\u0301"
# Texts to try a tokenizer with before it is believed.
PROBES = (
    "Température extérieure (°C)",
    "Te\u0301mpe\u0301rature u\u0307u\u0308",
    "PM2.5  µg/m³",
    "湿度 室内 온도",
    "A\tb-C_d \x0b \x1c",
    "Ａ½☃☃ 😀x",
)


def read_sentence_piece_model(path: Path, length: int) -> UnigramPieces:
    """The tokenizer of a SentencePiece file (`sp.model`, `sentencepiece.bpe.model`, …).

    Args:
        path: of a unigram model.
        length: tokens per text at most.

    Raises:
        InputError: the file cannot be read as one, or cuts text in a way that cannot be computed; or the package
            `sentencepiece` is missing.
    """
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError as error:
        raise InputError(f"{path}: reading it needs the package sentencepiece; pip install sentencepiece") from error
    try:
        model = SentencePieceProcessor(model_file=str(path))
    except Exception as error:  # of its own kinds, whatever the damaged part led to
        raise InputError(f"{path}: is no SentencePiece model ({first_line(error)}); copy it again") from error
    every = list(range(model.get_piece_size()))
    first, last = model.bos_id(), model.eos_id()
    found = {
        "vocabulary": model.id_to_piece(every),
        "scores": model.get_score(every),
        "unknown": model.unk_id(),
        "first": first,
        "last": last,
        "marks": [piece for piece in every if model.is_control(piece) or model.is_unused(piece)],
    }
    return _tokenizer(found, model.normalize, lambda text: [first, *model.encode(text), last], length, path)


def read_unigram_pieces(path: Path, length: int) -> UnigramPieces:
    """The tokenizer of a `tokenizer.json` of Hugging Face; but a mark written in the text is text here.

    Args:
        path: of the file; its model is `Unigram`.
        length: tokens per text at most.

    Raises:
        InputError: the file is damaged, of another model, or cuts text in a way that cannot be computed; or the package
            `tokenizers` is missing.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise InputError(f"{path}: reading it needs the package tokenizers; pip install tokenizers") from error
    model = read_json(path).get("model")
    if not isinstance(model, dict) or model.get("type") != "Unigram":
        raise InputError(f"{path}: holds no Unigram model, and without vocab.txt no other can be read")
    try:
        read = Tokenizer.from_file(str(path))
    except Exception as error:  # all that `tokenizers` raises
        raise InputError(f"{path}: is no tokenizer ({first_line(error)}); copy it again") from error
    read.no_truncation()
    read.no_padding()
    marks = read.encode("").ids
    if len(marks) != 2 or model.get("unk_id") is None or model.get("byte_fallback"):
        raise InputError(
            f"{path}: has another kind of marks than one before a text, one behind it and one for what is unknown, "
            "or falls back to bytes, which cannot be computed here; name another encoder"
        )
    found = {
        "vocabulary": [piece for piece, _ in model["vocab"]],
        "scores": [score for _, score in model["vocab"]],
        "unknown": model["unk_id"],
        "first": marks[0],
        "last": marks[1],
        "marks": [place for place, token in read.get_added_tokens_decoder().items() if token.special],
    }

    def normalize(text: str) -> str:
        """White space is what the tokenizer splits at, and takes away."""
        text = read.normalizer.normalize_str(text) if read.normalizer else text
        return "".join(word for word, _ in read.pre_tokenizer.pre_tokenize_str(text)) if read.pre_tokenizer else text

    return _tokenizer(found, normalize, lambda text: read.encode(text).ids, length, path)


def _tokenizer(
    found: dict[str, Any],
    normalize: Callable[[str], str],
    expected: Callable[[str], list[int]],
    length: int,
    path: Path,
) -> UnigramPieces:
    """The tokenizer of what was found in a file, after a look at what it makes of a few texts."""
    characters = _changed_characters(normalize)
    compose = normalize(PARTS) == normalize(WHOLE)
    try:
        tokenizer = UnigramPieces(**found, characters=characters, compose=compose, length=length)
    except InputError as error:
        raise InputError(f"{path}: {error}; take another file") from error
    for text, ids, count in zip(PROBES, *(each.numpy() for each in tokenizer(tf.constant(PROBES))), strict=True):
        whole = expected(text)
        if ids[:count].tolist() != [*whole[:-1][: length - 1], whole[-1]]:
            raise InputError(f"{path}: cuts {text!r} in a way that cannot be computed here; name another encoder")
    return tokenizer


def _changed_characters(normalize: Callable[[str], str]) -> dict[str, str]:
    """What each character becomes, for those that become something else, each looked at by itself.

    Args:
        normalize: of a text; it may put a mark of words before it.
    """
    found = {}
    for character in (chr(point) for point in range(1, CODE_POINTS) if point not in SURROGATES):
        replacement = normalize(f"{BESIDE}{character}{BESIDE}").removeprefix(WORD).replace(WORD, SPACE)
        replacement = replacement.removeprefix(BESIDE).removesuffix(BESIDE)
        if replacement != character:
            found[character] = replacement
    return found
