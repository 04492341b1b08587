"""What every reader of a checkpoint checks, whatever the format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from deepfeatiot_tf.errors import InputError


def need_files(folder: Path, names: Iterable[str], kind: str) -> None:
    """Raise InputError unless the folder has all these files.

    Args:
        folder: to look into.
        names: of the files, relative to it.
        kind: of folder, for the message.
    """
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder}: {', '.join(missing)} missing; {kind} has {', '.join(names)}")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: the file holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is no JSON ({error}); copy it again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no JSON object; copy it again")
    return content


def kept_blocks(block: int | None, total: int, where: Path) -> int:
    """How many blocks to keep: up to `block`, or all.

    Raises:
        InputError: the checkpoint has no such block.
    """
    if block is None:
        return total
    if not 1 <= block <= total:
        raise InputError(f"{where}: has no block {block}; give one from 1 to {total}")
    return block


def as_weight(tensor: np.ndarray, shape: tuple[int, ...], name: str, where: Path) -> np.ndarray:
    """A copy of a tensor in float32, or in float16 if it is that.

    Raises:
        InputError: its shape is not the one that the settings of the checkpoint mean, or it holds NaN or infinity.
    """
    if tensor.shape != shape:
        raise InputError(
            f"{where}: {name} is {list(tensor.shape)} where the settings mean {list(shape)}; "
            "take weights and settings of the same checkpoint"
        )
    weight = np.array(tensor, np.float16 if tensor.dtype == np.float16 else np.float32)
    if not np.isfinite(weight).all():
        raise InputError(f"{where}: {name} holds NaN or infinity, the file is damaged; copy it again")
    return weight


def first_line(error: Exception) -> str:
    """What an error of another library says, in a line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
