"""Weights kept in half precision, computed with in single precision."""

from __future__ import annotations

import keras

STORAGES = ("float32", "float16", "bfloat16")


class StoragePolicy(keras.DTypePolicy):
    """Variables of one floating type, all computation in float32.

    The reverse of Keras's mixed precision: frozen weights need no precision to learn with, and a transformer's
    states can leave the range of float16.

    Args:
        name: of the type of the variables: `"float32"`, `"float16"` or `"bfloat16"`.

    Raises:
        ValueError: another type.
    """

    def _parse_name(self, name: str) -> tuple[str, str]:
        if name not in STORAGES:
            raise ValueError(f"storage is {name!r}; give one of {', '.join(STORAGES)}")
        return "float32", name
