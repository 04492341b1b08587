"""Frozen features on disk: computed once per series, found again by content."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import keras
import numpy as np
import pooch

from deepfeatiot_tf.files import make_folder, write_beside
from deepfeatiot_tf.training.layer_code import layer_code, layer_files

Extract = Callable[[np.ndarray], np.ndarray]

# A shard is written when it has so many rows, or after so long: slow features survive an interruption.
SHARD_ROWS = 4096
SHARD_SECONDS = 30.0


class FeatureStore:
    """The features of one frozen branch, one row per distinct series, or per distinct text.

    `add` computes, `flush` writes, `look_up` reads. Rows live in shards, a pair of `.npy` files written beside and
    renamed, so that an interrupted computation keeps every finished shard and several processes can share a folder. A
    shard is memory-mapped: looking a batch up reads that batch only.

    Args:
        folder: of this branch's shards; made when the first shard is written.
        extract: what the branch reads, readings float32 `[batch, time]` or texts `[batch]`, to features float32
            `[batch, width]`. Texts are NumPy arrays of str or of UTF-8 bytes.
        width: number of features.
    """

    def __init__(self, folder: Path, extract: Extract, width: int) -> None:
        self.folder = folder
        self.width = width
        self._extract = extract
        self._where: dict[bytes, tuple[np.ndarray, int]] = {}
        self._unwritten: list[tuple[list[bytes], np.ndarray]] = []
        self._written = time.monotonic()
        for keys in sorted(folder.glob("*.keys.npy")):
            self._open(keys)
        with contextlib.suppress(OSError):  # not there yet, or not ours
            os.utime(folder)  # used now; see `limit_cache`

    def _open(self, keys: Path) -> None:
        try:
            rows = np.load(keys.with_name(keys.name.replace(".keys.", ".rows.")), mmap_mode="r")
            names = np.load(keys)
        except (OSError, ValueError, EOFError):
            return  # a damaged shard is computed again
        if rows.shape != (len(names), self.width):
            return
        self._where.update((name.tobytes(), (rows, i)) for i, name in enumerate(names))

    def absent(self, rows: np.ndarray) -> set[bytes]:
        """Those of these readings `[batch, time]`, or texts `[batch]`, that have no features yet, by their keys."""
        return {key for key in row_keys(rows) if key not in self._where}

    def add(self, rows: np.ndarray) -> int:
        """Compute the features of those readings, or texts, that have none yet; how many these were."""
        keys = list(row_keys(rows))
        fresh = {key: i for i, key in enumerate(keys) if key not in self._where}
        if not fresh:
            return 0
        features = self._extract(rows[list(fresh.values())])
        self._where.update((key, (features, i)) for i, key in enumerate(fresh))
        self._unwritten.append((list(fresh), features))
        full = sum(len(rows) for _, rows in self._unwritten) >= SHARD_ROWS
        if full or time.monotonic() - self._written >= SHARD_SECONDS:
            self.flush()
        return len(fresh)

    def flush(self) -> None:
        """Write what is not on disk yet as one shard; from then on it is read from there."""
        self._written = time.monotonic()
        if not self._unwritten:
            return
        keys = [key for names, _ in self._unwritten for key in names]
        rows = np.concatenate([features for _, features in self._unwritten])
        self._unwritten.clear()
        make_folder(self.folder)
        name = f"{time.time_ns()}-{uuid4().hex[:8]}"
        _write(self.folder / f"{name}.rows.npy", rows)
        _write(self.folder / f"{name}.keys.npy", np.array([np.frombuffer(key, np.uint8) for key in keys]))
        self._open(self.folder / f"{name}.keys.npy")

    def look_up(self, rows: np.ndarray) -> np.ndarray:
        """float32 `[batch, width]`; series that are not there (augmented ones, say) are computed, not kept."""
        out = np.empty((len(rows), self.width), np.float32)
        absent = []
        for i, key in enumerate(row_keys(rows)):
            if key in self._where:
                shard, row = self._where[key]
                out[i] = shard[row]
            else:
                absent.append(i)
        if absent:
            out[absent] = self._extract(rows[absent])
        return out


def row_keys(rows: np.ndarray) -> Iterator[bytes]:
    """16 bytes for the content of each row of float32 `[batch, time]`, or of each text of `[batch]`."""
    if rows.ndim == 1:
        contents = (text if isinstance(text, bytes) else str(text).encode() for text in rows)
    else:
        contents = (row.tobytes() for row in np.ascontiguousarray(rows, dtype=np.float32))
    for content in contents:
        yield hashlib.blake2b(content, digest_size=16).digest()


def frozen_key(model: keras.Model) -> str:
    """Names a frozen computation by its graph, its weights, the code of its layers, and the files they save beside."""
    graph = json.dumps(model.get_config(), default=str, sort_keys=True)
    for place, part in enumerate([model, *model.operations]):  # Keras counts up names within a process
        graph = graph.replace(f'"{part.name}"', f'"part {place}"')
    digest = hashlib.sha256(graph.encode() + _code())
    for weight in model.weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    for layer in model._flatten_layers(include_self=False):
        digest.update(layer_code(layer) + layer_files(layer))
    return digest.hexdigest()[:32]


@functools.cache
def _code() -> bytes:
    """All that our frozen layers are computed by: what changed code finds on disk, it did not make."""
    package = Path(__file__).parent.parent
    return b"".join(
        file.read_bytes() for room in ("layers", "language") for file in sorted((package / room).glob("*.py"))
    )


def default_folder() -> Path:
    """`DEEPFEATIOT_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("DEEPFEATIOT_CACHE") or pooch.os_cache("deepfeatiot_tf")) / "features"


def _write(path: Path, array: np.ndarray) -> None:
    def save(beside: Path) -> None:
        with beside.open("wb") as file:  # of a name that does not end in .npy, NumPy would make one that does
            np.save(file, array)

    write_beside(path, save)
