"""The file of a WordPiece vocabulary."""

from __future__ import annotations

from pathlib import Path

from deepfeatiot_tf.errors import InputError


def read_word_pieces(path: Path, rows: int) -> list[str]:
    """The tokens, one a line; a token's id is the number of its line, from 0.

    Args:
        path: of the file.
        rows: of the token embedding; more tokens than these are none of this model.

    Raises:
        InputError: the file is no text, or has more tokens than the embedding has rows.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text ({error.reason}); copy it again") from error
    tokens = [line.removesuffix("\r") for line in lines]
    if tokens and not tokens[-1]:
        tokens.pop()
    if len(tokens) > rows:
        raise InputError(
            f"{path}: has {len(tokens)} tokens, the embedding has {rows} rows; "
            "take the vocabulary of the same checkpoint"
        )
    return tokens
