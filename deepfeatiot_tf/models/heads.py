"""From features to the logits of the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from deepfeatiot_tf.layers import (
    JointKernelFeatures,
    LaplacianFeatures,
    ModalityChoice,
    SampleSizeScale,
)

# Weight of a block in the closed-form head, beside the statistics, chosen on validation parts of the training parts of
# the public data sets: Swiss, Iowa, TS-N and SensEUR; language on Swiss, Iowa and SBAS; joint on TS-M, TS-N, SensEUR;
# n-grams on these by leave-one-out.
BLOCK_WEIGHT = {"randomized": 0.7, "language": 0.5, "joint": 1.4, "ngrams": 1.4}


def concatenated(parts: Mapping[str, Any], name: str = "fusion") -> Any:
    """All parts side by side."""
    values = list(parts.values())
    return keras.layers.Concatenate(name=name)(values) if len(values) > 1 else values[0]


def perceptron_head(x: Any, classes: int, seed: int, dropout: float = 0.5) -> Any:
    """DeepFeatIoT's: dense 128 and 64, ReLU, each with dropout (0.5 as published) and layer normalization."""
    for i, width in enumerate((128, 64)):
        initializer = keras.initializers.GlorotUniform(seed + 300 + i)
        x = keras.layers.Dense(width, activation="relu", kernel_initializer=initializer, name=f"head_{width}")(x)
        x = keras.layers.Dropout(dropout, seed=seed + 310 + i)(x)
        x = keras.layers.LayerNormalization()(x)
    return logits_layer(classes, seed)(x)


def stack_head(x: Any, widths: Sequence[int], classes: int, seed: int) -> Any:
    """DeepHeteroIoT's: dense layers with ReLU, each with layer normalization."""
    for i, width in enumerate(widths):
        initializer = keras.initializers.GlorotUniform(seed + 300 + i)
        x = keras.layers.Dense(width, activation="relu", kernel_initializer=initializer, name=f"head_{width}")(x)
        x = keras.layers.LayerNormalization()(x)
    return logits_layer(classes, seed)(x)


def logits_layer(classes: int, seed: int) -> keras.layers.Dense:
    """The last dense layer, in float32."""
    initializer = keras.initializers.GlorotUniform(seed + 320)
    return keras.layers.Dense(classes, kernel_initializer=initializer, dtype="float32", name="logits")


def probabilities_layer(name: str) -> keras.layers.Softmax:
    """From logits to probabilities, in float32."""
    return keras.layers.Softmax(dtype="float32", name=name)


def statistics_kernel(statistics: Any, seed: int) -> Any:
    """What heads read of the standardized statistics: a dense layer knows no "between"; on their kernel it does."""
    return LaplacianFeatures(seed=seed + 400, name="statistics_kernel")(statistics)


def closed_form_heads(
    parts: Mapping[str, Any],
    kernel: Any,
    texts: Mapping[str, Any],
    embedding: Any,
    presence: Any,
    classes: int,
    seed: int,
) -> Any:
    """Linear heads on standardized frozen features, which `fit` solves: one, or three where there is metadata.

    The three read readings and metadata, readings, and metadata alone; a row is answered by the one that reads all that
    the row has. One head for all would have to weigh its blocks for rows that have both and for rows that have one.

    Args:
        parts: standardized features of the readings by branch.
        kernel: `statistics_kernel` of the statistics, where they are among the parts.
        texts: features of the metadata by branch: `"metadata"`, standardized, and `"ngrams"`, as they are; none for a
            model that reads none.
        embedding: text features as they are, for the joint kernel; None for a model that reads no metadata.
        presence: as `Presence` gives it; None for a model that reads no metadata.
        classes: number of them.
        seed: of what is drawn.

    Returns:
        logits.
    """
    of_readings = _blocks({**parts, "statistics": kernel} if "statistics" in parts else parts)
    if not texts:
        return _solved("closed_form", of_readings, classes)
    of_metadata = _blocks(texts)
    of_both = {**of_readings, **of_metadata}
    if "statistics" in parts:
        # What a name means depends on the readings, and the other way round.
        joint = JointKernelFeatures(seed=seed + 410, name="joint_kernel")(parts["statistics"], embedding)
        of_both["joint"] = _weighed("joint", joint)
    return ModalityChoice(name="choice")(
        presence,
        _solved("closed_form", of_both, classes),
        _solved("closed_form_readings", of_readings, classes),
        _solved("closed_form_metadata", of_metadata, classes),
    )


def _blocks(parts: Mapping[str, Any]) -> dict[str, Any]:
    """What a linear head reads of each part."""
    blocks = {}
    for branch, part in parts.items():
        if branch == "statistics":
            blocks[branch] = part  # a row of their kernel is of size 1
        elif branch == "ngrams":
            blocks[branch] = _weighed(branch, part)  # of length 1
        elif branch == "randomized":
            scale = BLOCK_WEIGHT[branch] * part.shape[-1] ** -0.5
            blocks[branch] = SampleSizeScale(scale, name="randomized_scaled")(part)
        else:
            # By 1/√width, so that 20,000 random features do not drown the statistics.
            blocks[branch] = _weighed(branch, part, part.shape[-1] ** -0.5)
    return blocks


def _weighed(branch: str, part: Any, scale: float = 1.0) -> Any:
    return keras.layers.Rescaling(scale * BLOCK_WEIGHT.get(branch, 1.0), dtype="float32", name=f"{branch}_scaled")(part)


def _solved(name: str, blocks: Mapping[str, Any], classes: int) -> Any:
    head = keras.layers.Dense(classes, trainable=False, dtype="float32", name=name)
    return head(concatenated(blocks, name=f"{name}_blocks"))
