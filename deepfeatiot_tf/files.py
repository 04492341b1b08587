"""Writing a file so that it is either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from deepfeatiot_tf.errors import InputError


def write_beside(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a new file in the folder of `path`, then give it that name.

    Args:
        path: the file to make or replace.
        write: writes the file whose path it is given.

    Raises:
        InputError: the folder is missing or not writable, or the disk is full. Nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(beside)
        os.replace(beside, path)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}); free space or name another folder"
        ) from error
    finally:
        with suppress(OSError):  # of a folder that is none
            beside.unlink()


def write_text(path: Path, text: str) -> None:
    """`text` as UTF-8 in the file `path`, whole or not at all."""
    write_beside(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def make_folder(path: Path) -> None:
    """The folder `path`, with those above it.

    Raises:
        InputError: it cannot be made, for instance because a file has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: the folder cannot be made ({error.strerror or error}); name another") from error
