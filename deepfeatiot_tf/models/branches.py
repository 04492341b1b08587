"""The branches that the networks have in common, learned and frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from deepfeatiot_tf.layers import BiGRU, FeatureStandardization, InputChannels, MultiScaleConv, TextFeatures
from deepfeatiot_tf.models.branch_features import feature_input
from deepfeatiot_tf.models.training_data import METADATA, READINGS

LEARNED = ("local", "global")
NGRAMS = "ngrams"  # a frozen branch, and the text encoder that is no more than it
# A fraction of the published multiplications, and normalized: as published, with the published dropout and the epoch
# chosen on validation loss, a network of convolutions and statistics had 87 % on a part of Iowa after 40 epochs; so,
# with less dropout and the last epoch kept, 97 %.
LOCAL: dict[str, dict[str, Any]] = {"robust": {"filters": (64, 64, 64), "depth": 2, "normalized": True}, "paper": {}}


def learned_branches(
    readings: Any,
    names: Sequence[str],
    *,
    channels: str,
    global_stride: int,
    seed: int,
    relu: bool = True,
    missing_value: float = -1.0,
    mask_value: float | None = None,
) -> dict[str, Any]:
    """Local and global features of raw readings.

    Args:
        readings: symbolic, float32 `[batch, time]`.
        names: which of `"local"` (multi-scale convolutions) and `"global"` (Bi-GRUs).
        channels: see `InputChannels`.
        global_stride: see `BiGRU`.
        seed: of the initial weights.
        relu: see `BiGRU`.
        missing_value: see `InputChannels`.
        mask_value: see `BiGRU`.

    Returns:
        by name, `[batch, 256]` and `[batch, 128]`, in this order.
    """
    if not names:
        return {}
    signal, length = InputChannels(channels, missing_value, name="channels")(readings)
    inputs = (signal,) if channels == "paper" else (signal, length)
    # Raw readings overflow float16, and what stands for a missing one there is 0 in it.
    options: dict[str, Any] = {"dtype": "float32"} if channels == "paper" else {}
    layers: dict[str, Callable] = {
        "local": MultiScaleConv(seed=seed, name="local", **LOCAL[channels], **options),
        "global": BiGRU(
            stride=global_stride, relu=relu, mask_value=mask_value, seed=seed + 100, name="global", **options
        ),
    }
    return {branch: layers[branch](*inputs) for branch in LEARNED if branch in names}


def frozen_branch(branch: str, layer: Callable, source: str = READINGS) -> keras.Model:
    """The model of a frozen branch, from readings `[batch, time]`, or metadata `[batch]`, to `[batch, width]`."""
    shape, dtype = ((), "string") if source == METADATA else ((None,), "float32")
    read = keras.Input(shape, name=source, dtype=dtype)
    return keras.Model(read, layer(read), name=f"{branch}_features", trainable=False)


def feature_inputs(frozen: dict[str, keras.Model]) -> dict[str, Any]:
    """The network's inputs for the features of the frozen branches, by branch."""
    return {
        branch: keras.Input(model.output.shape[1:], name=feature_input(branch), dtype="float32")
        for branch, model in frozen.items()
    }


def standardized(branch: str, features: Any) -> Any:
    """The features of a frozen branch with the mean and deviation of the training part taken out."""
    return FeatureStandardization(name=f"{branch}_standardized")(features)


def text_layer(text_encoder: str | Path | keras.layers.Layer) -> keras.layers.Layer:
    """The layer that reads metadata: the one given, or `TextFeatures` of a pretrained encoder.

    Raises:
        InputError: the weights cannot be had.
        ValueError: it is neither, or no more than n-grams.
    """
    if text_encoder == NGRAMS:
        raise ValueError(f'text_encoder="{NGRAMS}" is for the closed-form head of DeepFeatIoT; name an encoder')
    if isinstance(text_encoder, str | Path):
        return TextFeatures.from_pretrained(text_encoder, name="text_features")
    if not isinstance(text_encoder, keras.layers.Layer):
        raise ValueError(f"text_encoder is {text_encoder!r}; give a name, a folder, or a frozen Keras layer")
    return text_encoder


def check_choice(what: str, value: str, known: Any) -> None:
    """A `ValueError` unless `value` is one of `known`."""
    if value not in known:
        raise ValueError(f"{what} is {value!r}; give one of {', '.join(known)}")


def check_class_names(class_names: Sequence[str]) -> tuple[str, ...]:
    """The names as text; a `ValueError` where there are fewer than two, or one stands twice."""
    if isinstance(class_names, str):
        raise ValueError(f"class_names is the text {class_names!r}; give a sequence of names")
    if len(class_names) < 2:
        raise ValueError(f"class_names has {len(class_names)}; give two or more")
    names = tuple(str(name) for name in class_names)
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"class_names has {name!r} twice; give each class once")
    return names
