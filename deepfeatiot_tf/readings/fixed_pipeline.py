"""`tf.data` pipelines that keep the settings they were written with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf


def fixed(data: tf.data.Dataset) -> tf.data.Dataset:
    """The same dataset, without TensorFlow's tuning of buffers and threads.

    The tuner's thread sleeps between looks at the pipeline, ever longer, up to a minute, and the end of a pass waits
    until it wakes up (`benchmarks/training_time.py`, TensorFlow 2.21). Ours have nothing to tune: a batch takes
    0.3 ms, a training step hundreds.
    """
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return data.with_options(options)
