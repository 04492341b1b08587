"""Running a transformer over texts of different length."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def pooled_by_length(
    tokens: tf.Tensor, counts: tf.Tensor, at_once: int, width: int, pool: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """`pool` over a few texts of like length at a time: bounds memory, and pads little.

    Args:
        tokens: int32 `[texts, longest]`, those of a text first.
        counts: int32 `[texts]`, how many a text has.
        at_once: texts at a time.
        width: of what `pool` gives.
        pool: of tokens `[some, longest of them]` and their mask, bool of that shape, to float32 `[some, width]`.

    Returns:
        float32 `[texts, width]`, in the order of `tokens`.
    """
    order = tf.argsort(counts)
    tokens, counts = tf.gather(tokens, order), tf.gather(counts, order)
    steps = -(-tf.shape(tokens)[0] // at_once)

    def step(index: tf.Tensor, pooled: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        rows = slice(index * at_once, (index + 1) * at_once)
        mask = tf.sequence_mask(counts[rows])
        return index + 1, pooled.write(index, pool(tokens[rows, : tf.shape(mask)[1]], mask))

    pooled = tf.TensorArray(tf.float32, steps, element_shape=[None, width], infer_shape=False)
    _, pooled = tf.while_loop(lambda index, _: index < steps, step, (0, pooled), parallel_iterations=1)
    return tf.gather(pooled.concat(), tf.argsort(order))


def masked_mean(states: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean of float32 `[batch, length, width]` over the tokens that bool `[batch, length]` keeps."""
    kept = tf.where(mask[:, :, None], states, 0.0)
    return tf.reduce_sum(kept, axis=1) / tf.reduce_sum(tf.cast(mask, tf.float32), axis=1, keepdims=True)
