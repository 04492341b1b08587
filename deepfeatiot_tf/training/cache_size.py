"""The feature cache does not grow for ever: what has not been used for longest goes first."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path

from deepfeatiot_tf.errors import InputError

logger = logging.getLogger(__name__)

DEFAULT_GIB = 10.0
# What was used so lately may be in use by another process, and is left.
LATELY_SECONDS = 24 * 3600.0


def limit_cache(folder: Path, gib: float | None = None) -> list[Path]:
    """Delete features of the branches that have not been used for longest until the others take `gib` at most.

    Args:
        folder: of the cache: a folder per branch, and in it one per version of the branch.
        gib: GiB to keep. Default: `DEEPFEATIOT_CACHE_GIB`, else 10.

    Returns:
        the folders whose features were deleted.

    Raises:
        InputError: `DEEPFEATIOT_CACHE_GIB` is no number of at least 0.
    """
    keep = (_asked_for() if gib is None else gib) * 2**30
    sizes: dict[Path, int] = {}
    used: list[tuple[float, Path]] = []
    for version in folder.glob("*/*"):
        with contextlib.suppress(OSError):  # another process was quicker
            sizes[version] = sum(file.stat().st_size for file in _shards(version))
            used.append((version.stat().st_mtime, version))
    total, deleted = sum(sizes.values()), []
    for when, version in sorted(used):
        if total <= keep or time.time() - when < LATELY_SECONDS:
            break
        with contextlib.suppress(OSError):  # not ours to delete, or it holds something else
            for file in _shards(version):
                file.unlink(missing_ok=True)
            total -= sizes[version]
            deleted.append(version)
            version.rmdir()
    if deleted:
        logger.info("%s: %d unused sets of features deleted, %.1f GiB are kept", folder, len(deleted), total / 2**30)
    return deleted


def _shards(version: Path) -> list[Path]:
    """The files that a `FeatureStore` writes, and what it leaves when it is killed."""
    return [file for ending in ("rows.npy", "keys.npy", "npy.*.tmp") for file in version.glob(f"*.{ending}")]


def _asked_for() -> float:
    asked = os.environ.get("DEEPFEATIOT_CACHE_GIB", DEFAULT_GIB)
    try:
        gib = float(asked)
    except ValueError:
        gib = -1.0
    if not gib >= 0:
        raise InputError(f"DEEPFEATIOT_CACHE_GIB is {asked!r}; give a number of GiB, such as {DEFAULT_GIB:g}")
    return gib
