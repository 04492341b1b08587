"""DeepFeatIoT: local, global, randomized and language features of raw readings, fused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras

from deepfeatiot_tf.layers import (
    BiGRU,
    DenseFeatureTransform,
    FeatureStandardization,
    InputChannels,
    LanguageFeatures,
    LaplacianFeatures,
    MultiScaleConv,
    RandomKernels,
    SummaryStatistics,
)
from deepfeatiot_tf.models.frozen_feature_model import READINGS, FrozenFeatureModel, feature_input

LEARNED = ("local", "global")
FROZEN = ("randomized", "statistics", "language")
# What a choice of channels implies for the rest, where the user does not say: raw input goes with the published
# layout; robust channels with standardized features, statistics and a shorter sequence for the GRUs.
IMPLIED: dict[str, dict[str, Any]] = {
    "robust": {
        "branches": ("local", "global", "randomized", "statistics"),
        "global_stride": 4,
        "dilation": (1, 32),
        "feature_dropout": 0.5,
        "text": "plain",
    },
    "paper": {
        "branches": ("local", "global", "randomized"),
        "global_stride": 1,
        "dilation": 4,
        "feature_dropout": 0.0,
        "text": "published",
    },
}
# The randomized branch has a wider transform than the others (paper, DFT). As published it has 20 million weights: on
# two cores a step of this transform alone took 0.61 s of CPU time, against 0.08 s at a quarter of the width.
RANDOMIZED_DFT = {"robust": (256, 64), "paper": (1024, 64)}

# Weight of a block in the closed-form head, beside the statistics, chosen by leave-one-out on the training parts of
# Swiss, Iowa and SBAS.
BLOCK_WEIGHT = {"randomized": 0.5, "language": 0.5}


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class DeepFeatIoT(FrozenFeatureModel):
    """Names what each sensor measures, from its raw readings: four kinds of features, one fusion.

    Learned branches: `local` (multi-scale convolutions) and `global` (Bi-GRUs). Frozen branches: `randomized` (random
    kernels), `statistics` (summary statistics; ours) and `language` (readings as text, read by a pretrained
    language model). Each branch passes a dense feature transform (DFT) that ends in width 64; a perceptron reads their
    concatenation.

    Args:
        class_names: the sensor types, in the order of the one-hot labels.
        channels: `"robust"` (filled and scaled readings that keep their level; standardized frozen features) or
            `"paper"` (raw values; features as they are). Default `"robust"`.
        branches: any of `"local"`, `"global"`, `"randomized"`, `"statistics"`. Default: all with robust channels;
            without `"statistics"` in `"paper"` mode, without the learned ones under a closed-form head.
        language: `"gpt2"`, `"smollm2"`, or the folder or file of a pretrained model, read with the defaults of
            `LanguageFeatures.from_pretrained` (in `"paper"` mode with the published text); a `LanguageFeatures` with
            other options, or any layer without trainable weights from readings `[batch, time]` to features
            `[batch, width]`; None for no such branch. Default None.
        fusion: `"dft"`, or `"concat"`, direct concatenation without transforms (the paper's DC). Default `"dft"`.
        head: `"mlp"`, trained by gradient, or `"closed_form"`: a ridge classifier on the standardized frozen features
            and on a Laplacian kernel of the statistics, solved by the first `fit` in seconds; it needs robust
            channels and no learned branch. Default `"mlp"`.
        kernels: number of random kernels. Default 10,000 (published).
        kernel_length: weights per random kernel. Default 9 (published).
        dilation: of the random kernels, or a range; see `RandomKernels`. Default (1, 32), 4 (published) in
            `"paper"` mode.
        global_stride: readings averaged into one step of the GRUs. Default 4, 1 (published) in `"paper"` mode.
        feature_dropout: share of the frozen features dropped in training. Default 0.5, 0 in `"paper"` mode.
        seed: of kernels, initial weights and dropout. Default 0.
        name: of the model.

    Input: `{"readings": float32 [batch, time]}` of any length, in the sensors' own units, NaN for missing.

    Output: probabilities float32 `[batch, classes]`.

    Raises:
        InputError: the weights of the language model cannot be had.
        ValueError: an unknown option, no branch at all, fewer than two classes, or a closed-form head
            with learned branches or raw channels.

    Example:
        >>> model = DeepFeatIoT(["humidity", "temperature"])
        >>> model.compile()
        >>> history = model.fit(train.to_dataset(shuffle=True), validation_data=val.to_dataset(), epochs=50)

    Reference: DeepFeatIoT, IJCAI 2025 (arXiv 2508.09468).
    """

    def __init__(
        self,
        class_names: Sequence[str],
        *,
        channels: str = "robust",
        branches: Sequence[str] | None = None,
        language: str | Path | keras.layers.Layer | None = None,
        fusion: str = "dft",
        head: str = "mlp",
        kernels: int = 10_000,
        kernel_length: int = 9,
        dilation: int | tuple[int, int] | None = None,
        global_stride: int | None = None,
        feature_dropout: float | None = None,
        seed: int = 0,
        name: str = "deepfeatiot",
        **kwargs: Any,
    ) -> None:
        _one_of("channels", channels, IMPLIED)
        _one_of("fusion", fusion, ("dft", "concat"))
        _one_of("head", head, ("mlp", "closed_form"))
        implied = IMPLIED[channels]
        if branches is None:
            branches = [b for b in implied["branches"] if head == "mlp" or b not in LEARNED]
        branches = tuple(branches)
        dilation = implied["dilation"] if dilation is None else dilation
        global_stride = implied["global_stride"] if global_stride is None else global_stride
        feature_dropout = implied["feature_dropout"] if feature_dropout is None else feature_dropout
        for branch in branches:
            _one_of("branch", branch, (*LEARNED, "randomized", "statistics"))
        learned = [branch for branch in LEARNED if branch in branches]
        frozen = [branch for branch in FROZEN if branch in branches]
        if not branches and language is None:
            raise ValueError("no branch at all; give at least one of branches, or a language model")
        if head == "closed_form" and (learned or channels == "paper"):
            raise ValueError(
                'head="closed_form" reads standardized frozen features; give channels="robust" and '
                "leave out the branches local and global"
            )
        if len(class_names) < 2:
            raise ValueError(f"class_names has {len(class_names)}; give two or more")
        if isinstance(language, str | Path):
            language = LanguageFeatures.from_pretrained(language, text=implied["text"], name="language_features")
        if not (language is None or isinstance(language, keras.layers.Layer)):
            raise ValueError(f"language is {language!r}; give a name, a folder, a frozen Keras layer, or None")

        # === Layers ===
        kernel_layer = RandomKernels(kernels, kernel_length, dilation, seed=seed, name="random_kernels")
        frozen_layers: dict[str, Callable] = {
            "randomized": lambda readings: kernel_layer(*_kernel_input(channels, readings)),
            "statistics": SummaryStatistics(name="summary_statistics"),
        }
        if language is not None:
            frozen_layers["language"] = language
            frozen.append("language")
        learned_layers: dict[str, Callable] = {
            "local": MultiScaleConv(seed=seed, name="local"),
            "global": BiGRU(stride=global_stride, seed=seed + 100, name="global"),
        }

        # === Functional graph ===
        frozen_models = {branch: _frozen_model(branch, frozen_layers[branch]) for branch in frozen}
        readings = keras.Input((None,), name=READINGS, dtype="float32")
        features = {
            branch: keras.Input(model.output.shape[1:], name=feature_input(branch), dtype="float32")
            for branch, model in frozen_models.items()
        }
        parts = {}
        if learned:
            signal = _learned_input(channels, readings)
            parts = {branch: learned_layers[branch](*signal) for branch in learned}
        for branch, feature in features.items():
            standardized = FeatureStandardization(name=f"{branch}_standardized")
            parts[branch] = standardized(feature) if channels == "robust" else feature
        if head == "closed_form":
            logits = _closed_form(parts, len(class_names), seed)
        else:
            if fusion == "dft":
                widths = {**dict.fromkeys(parts, (64,)), "randomized": RANDOMIZED_DFT[channels]}
                parts = _transform(parts, widths, feature_dropout, frozen, seed)
            logits = _mlp(_concatenate(parts), len(class_names), seed)
        probabilities = keras.layers.Softmax(dtype="float32", name="probabilities")(logits)
        inputs = {READINGS: readings, **{feature_input(b): f for b, f in features.items()}}
        if not learned:
            del inputs[READINGS]
        super().__init__(frozen_models, keras.Model(inputs, probabilities, name="network"), name=name, **kwargs)

        # === Config ===
        self.class_names = tuple(str(c) for c in class_names)
        self.channels = channels
        self.branches = branches
        self.language = language
        self.fusion = fusion
        self.head = head
        self.kernels = kernels
        self.kernel_length = kernel_length
        self.dilation = dilation if isinstance(dilation, int) else tuple(dilation)
        self.global_stride = global_stride
        self.feature_dropout = feature_dropout
        self.seed = seed

    def get_config(self) -> dict:
        return {
            "class_names": self.class_names,
            "channels": self.channels,
            "branches": self.branches,
            "language": keras.saving.serialize_keras_object(self.language),
            "fusion": self.fusion,
            "head": self.head,
            "kernels": self.kernels,
            "kernel_length": self.kernel_length,
            "dilation": self.dilation,
            "global_stride": self.global_stride,
            "feature_dropout": self.feature_dropout,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> DeepFeatIoT:
        language = keras.saving.deserialize_keras_object(config["language"], custom_objects=custom_objects)
        return cls(**{**config, "language": language})


def _one_of(what: str, value: str, known: Any) -> None:
    if value not in known:
        raise ValueError(f"{what} is {value!r}; give one of {', '.join(known)}")


def _frozen_model(branch: str, layer: Callable) -> keras.Model:
    readings = keras.Input((None,), name=READINGS, dtype="float32")
    return keras.Model(readings, layer(readings), name=f"{branch}_features", trainable=False)


def _kernel_input(channels: str, readings: Any) -> tuple:
    if channels == "paper":
        return (InputChannels(channels)(readings)[0],)
    signal, length = InputChannels(channels)(readings)
    return signal[..., :3], length  # level, shape and change; not where readings are missing


def _learned_input(channels: str, readings: Any) -> tuple:
    signal, length = InputChannels(channels, name="channels")(readings)
    return (signal,) if channels == "paper" else (signal, length)


def _transform(parts: dict, widths: dict, feature_dropout: float, frozen: Sequence[str], seed: int) -> dict:
    return {
        branch: DenseFeatureTransform(
            widths[branch],
            dropout=feature_dropout if branch in frozen else 0.0,
            seed=seed + 200 + 10 * i,
            name=f"{branch}_dft",
        )(part)
        for i, (branch, part) in enumerate(parts.items())
    }


def _concatenate(parts: dict) -> Any:
    values = list(parts.values())
    return keras.layers.Concatenate(name="fusion")(values) if len(values) > 1 else values[0]


def _mlp(x: Any, classes: int, seed: int) -> Any:
    for i, width in enumerate((128, 64)):
        initializer = keras.initializers.GlorotUniform(seed + 300 + i)
        x = keras.layers.Dense(width, activation="relu", kernel_initializer=initializer, name=f"head_{width}")(x)
        x = keras.layers.Dropout(0.5, seed=seed + 310 + i)(x)
        x = keras.layers.LayerNormalization()(x)
    initializer = keras.initializers.GlorotUniform(seed + 320)
    return keras.layers.Dense(classes, kernel_initializer=initializer, dtype="float32", name="logits")(x)


def _closed_form(parts: dict, classes: int, seed: int) -> Any:
    scaled = {}
    for branch, part in parts.items():
        if branch == "statistics":
            # A linear head on statistics knows no "between"; on their kernel, of size 1, it does.
            scaled[branch] = LaplacianFeatures(seed=seed + 400, name="statistics_kernel")(part)
        else:
            # By 1/√width, so that 20,000 random features do not drown the statistics.
            scale = BLOCK_WEIGHT.get(branch, 1.0) * part.shape[-1] ** -0.5
            scaled[branch] = keras.layers.Rescaling(scale, dtype="float32", name=f"{branch}_scaled")(part)
    head = keras.layers.Dense(classes, trainable=False, dtype="float32", name="closed_form")
    return head(_concatenate(scaled))
