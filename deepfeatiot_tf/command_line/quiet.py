"""Importing TensorFlow without what its libraries have to say about the machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Import it, in silence unless the package's log is set to INFO."""
    if logging.getLogger("deepfeatiot_tf").isEnabledFor(logging.INFO):
        return  # whoever imports it next hears everything
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with _muted_stderr():
        import tensorflow as tf

        tf.config.list_logical_devices()  # looks for GPUs, and complains where there are none


@contextmanager
def _muted_stderr() -> Iterator[None]:
    """Drop what is written there by C++ code whose log levels cannot be set beforehand."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
