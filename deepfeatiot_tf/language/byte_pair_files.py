"""The two files of a byte-level BPE vocabulary, as GPT-2 has them."""

from __future__ import annotations

from pathlib import Path

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.checkpoint import read_json


def read_vocabulary(path: Path, rows: int) -> dict[str, int]:
    """Token to id, from a JSON file.

    Args:
        path: of the file.
        rows: of the token embedding, which every id must be in.

    Raises:
        InputError: it is no such file, or an id has no row.
    """
    vocabulary = read_json(path)
    for token, token_id in vocabulary.items():
        if not isinstance(token_id, int) or not 0 <= token_id < rows:
            raise InputError(
                f"{path}: token {token!r} has id {token_id!r}, the embedding has rows 0 to {rows - 1}; "
                "take the vocabulary of the same checkpoint"
            )
    return vocabulary


def read_merges(path: Path) -> list[tuple[str, str]]:
    """Pairs of tokens, one a line, the first ones first.

    Raises:
        InputError: a line is not two tokens.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    return [
        parse_merge(line, f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line and not (number == 1 and line.startswith("#version"))
    ]


def parse_merge(line: str, where: str) -> tuple[str, str]:
    """The two tokens of a merge, a space between.

    Raises:
        InputError: they are not two.
    """
    left, _, right = line.partition(" ")
    if not left or not right or " " in right:
        raise InputError(f"{where}: {line!r} is not two tokens with a space between; copy the file again")
    return left, right
