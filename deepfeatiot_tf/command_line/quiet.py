"""Importing TensorFlow for a command: in silence, and in float32 proper."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext


def import_tensorflow() -> None:
    """Import it, in silence unless the package's log is set to INFO.

    Products of float32 are then of float32 on every device. Left to itself TensorFlow takes TF32, of ten bits, on GPUs
    since Ampere, and features from the disk would depend on the machine that made them.
    """
    told_all = logging.getLogger("deepfeatiot_tf").isEnabledFor(logging.INFO)
    if not told_all:
        for name in ("tensorflow", "absl"):
            logging.getLogger(name).setLevel(logging.ERROR)
    with nullcontext() if told_all else _muted_stderr():
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
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
