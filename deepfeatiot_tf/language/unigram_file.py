"""The files of a unigram vocabulary: SentencePiece's own, and Hugging Face's `tokenizer.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.bert_text import CODE_POINTS, SPACE
from deepfeatiot_tf.language.checkpoint import first_line, read_json
from deepfeatiot_tf.language.unigram_pieces import WORD, UnigramPieces

SURROGATES = range(0xD800, 0xE000)  # halves of characters, no text
# Tried out: in them is what tokenizers do differently.
PROBES = ("Température extérieure (°C)", "PM2.5  µg/m³", "湿度 室内", "A\tb-C_d", "Ａ½☃☃")


def read_sentence_piece_model(path: Path, length: int) -> UnigramPieces:
    """The tokenizer of a SentencePiece file (`sp.model`, `sentencepiece.bpe.model`, …).

    Args:
        path: of a unigram model.
        length: tokens per text at most.

    Raises:
        InputError: the file cannot be read as one, or the package `sentencepiece` is missing.
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
    unknown, first, last = model.unk_id(), model.bos_id(), model.eos_id()
    characters = _changed_characters(lambda text: model.normalize(text).replace(WORD, SPACE))
    tokenizer = UnigramPieces(
        model.id_to_piece(every), model.get_score(every), characters, unknown, first, last, length
    )
    return _tried(tokenizer, lambda text: [first, *model.encode(text), last], path)


def read_unigram_pieces(path: Path, length: int) -> UnigramPieces:
    """The tokenizer of a `tokenizer.json` of Hugging Face.

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
    model = read_json(path).get("model", {})
    if model.get("type") != "Unigram":
        raise InputError(f"{path}: holds a {model.get('type')} model; without vocab.txt only Unigram can be read")
    try:
        read = Tokenizer.from_file(str(path))
    except Exception as error:  # all that `tokenizers` raises
        raise InputError(f"{path}: is no tokenizer ({first_line(error)}); copy it again") from error
    read.no_truncation()
    read.no_padding()
    marks = read.encode("").ids
    if len(marks) != 2 or model.get("unk_id") is None:
        raise InputError(f"{path}: puts {len(marks)} marks around a text, or knows none for unknown text; only 2 and 1")
    first, last = marks
    pieces, scores = zip(*model["vocab"], strict=True)
    normalize = read.normalizer.normalize_str if read.normalizer else str
    characters = _changed_characters(lambda text: normalize(text).replace(WORD, SPACE))
    tokenizer = UnigramPieces(pieces, scores, characters, model["unk_id"], first, last, length)
    return _tried(tokenizer, lambda text: read.encode(text).ids, path)


def _changed_characters(normalize: Callable[[str], str]) -> dict[str, str]:
    """What each character becomes, for those that become something else, each looked at by itself.

    Args:
        normalize: of a text; it may put a space before.
    """
    found = {}
    for character in (chr(point) for point in range(1, CODE_POINTS) if point not in SURROGATES):
        # Between two letters, so that white space is none at an end.
        replacement = normalize(f"x{character}x").strip()[1:-1]
        replacement = "".join(SPACE if each.isspace() else each for each in replacement)
        if replacement != character:
            found[character] = replacement
    return found


def _tried(tokenizer: UnigramPieces, expected: Callable[[str], list[int]], path: Path) -> UnigramPieces:
    """The tokenizer, after a look at what it makes of a few texts."""
    for text, ids, count in zip(PROBES, *(each.numpy() for each in tokenizer(tf.constant(PROBES))), strict=True):
        whole = expected(text)
        if ids[:count].tolist() != [*whole[:-1][: tokenizer.length - 1], whole[-1]]:
            raise InputError(f"{path}: cuts {text!r} in a way that cannot be computed here; name another encoder")
    return tokenizer
