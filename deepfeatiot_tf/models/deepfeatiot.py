"""DeepFeatIoT: local, global, randomized and language features of raw readings, fused."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import keras

from deepfeatiot_tf.layers import (
    Blend,
    CharacterNGrams,
    CrossResidual,
    DenseFeatureTransform,
    InputChannels,
    LanguageFeatures,
    ModalityDropout,
    Presence,
    RandomKernels,
    SummaryStatistics,
)
from deepfeatiot_tf.models.branch_features import feature_input
from deepfeatiot_tf.models.branches import (
    LEARNED,
    NGRAMS,
    check_choice,
    check_class_names,
    feature_inputs,
    frozen_branch,
    learned_branches,
    standardized,
    text_layer,
)
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.heads import (
    closed_form_heads,
    concatenated,
    perceptron_head,
    probabilities_layer,
    statistics_kernel,
)
from deepfeatiot_tf.models.rebuilding import own_state, rebuild
from deepfeatiot_tf.models.training_data import METADATA, READINGS
from deepfeatiot_tf.training.augmentation import AUGMENTATIONS
from deepfeatiot_tf.training.other_sites import check_units

FROZEN = ("randomized", "statistics", "language")
# What a variant implies for the rest, where the user does not say: raw input goes with the published
# layout; the robust variant with standardized features, statistics and a shorter sequence for the GRUs.
IMPLIED: dict[str, dict[str, Any]] = {
    "robust": {
        "branches": ("local", "global", "randomized", "statistics"),
        "global_stride": 4,
        "dilation": (1, 16),
        "sampling": "centred",
        "modality_dropout": 0.3,
        "text": "plain",
    },
    "paper": {
        "branches": ("local", "global", "randomized"),
        "global_stride": 1,
        "dilation": 4,
        "sampling": "published",
        "modality_dropout": 0.0,
        "text": "published",
    },
}
# Of the frozen branches' transforms: the share of the features dropped in training, and the widths before the common
# one. As published, that of the random features has 20 million weights: on two cores a step of it alone took 0.61 s of
# CPU time, against 0.08 s at a quarter of the width. The robust ones were chosen on validation parts of Swiss and Iowa:
# many random features say the same, of the few statistics each says its own.
FROZEN_DFT: dict[str, dict[str, tuple[float, tuple[int, ...]]]] = {
    "robust": {"randomized": (0.8, (256,)), "statistics": (0.1, (256,)), "language": (0.3, (256,))},
    "paper": {"randomized": (0.0, (1024,)), "statistics": (0.0, ()), "language": (0.0, ())},
}
# Of the kernel of the statistics in the robust network; a row of it is of size 1, shared by up to 1,000 features.
KERNEL_SCALE = 10.0
RECIPE = {"robust": "robust", "paper": "deepfeatiot"}
HEAD_DROPOUT = {"robust": 0.3, "paper": 0.5}
# Branches that a head does without, unless told otherwise. Beside a closed-form head, a network of frozen branches did
# as well as one with convolutions, too, on two validation parts of Iowa.
LEFT_OUT = {"closed_form": LEARNED, "mlp": (), "blend": LEARNED}


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class DeepFeatIoT(FrozenFeatureModel):
    """Names what each sensor measures, from its raw readings, and from the text about it where asked: one fusion.

    Learned branches: `local` (multi-scale convolutions) and `global` (Bi-GRUs). Frozen branches: `randomized` (random
    kernels), `statistics` (summary statistics; ours) and `language` (readings as text, read by a pretrained
    language model). Each branch passes a dense feature transform (DFT) to one width; a perceptron reads their
    concatenation. The robust variant has a Laplacian kernel of the statistics in their place (ours). With a
    `text_encoder`, DeepMetaIoT's cross-residual block joins them with the metadata's embedding before the perceptron
    (ours).

    Args:
        class_names: the sensor types, in the order of the one-hot labels.
        variant: `"robust"` (filled and scaled readings that keep their level; standardized frozen features) or
            `"paper"` (raw values; features as they are). Default `"robust"`.
        branches: any of `"local"`, `"global"`, `"randomized"`, `"statistics"`. Default: all; without `"statistics"` as
            published, without the learned ones under a closed-form head and in a blend.
        language: `"gpt2"`, `"smollm2"`, or the folder or file of a pretrained model, read with the defaults of
            `LanguageFeatures.from_pretrained` (in `"paper"` mode with the published text); a `LanguageFeatures` with
            other options, or any layer without trainable weights from readings `[batch, time]` to features
            `[batch, width]`; None for no such branch. Default None.
        text_encoder: `"use-multilingual"`, `"minilm"`, a Keras Hub preset of BERT, or a folder, as for
            `TextFeatures.from_pretrained`; any layer without trainable weights from texts `[batch]` to features
            `[batch, width]`, zeros for blank text; `"ngrams"`, which takes no pretrained weights, under a closed-form
            head; None for a model that reads no metadata. Default None.
        ngrams: whether closed-form heads read the character n-grams of the metadata beside its embedding
            (benchmarks/results/ngrams.csv); see `CharacterNGrams`. Default True.
        fusion: `"dft"`, or `"concat"`, direct concatenation without transforms (the paper's DC). Default `"dft"`.
        dft_width: features of each branch behind its transform. Default 64 (published).
        head: `"closed_form"`, a ridge classifier on the standardized frozen features and on a Laplacian kernel of the
            statistics, solved by the first `fit` in seconds, or `"mlp"`, trained by gradient. The former needs the
            robust variant and no learned branch. With a `text_encoder` there are three such heads, for rows with both
            (on a joint kernel, too), with readings and with metadata alone. Default `"closed_form"`; `"mlp"` in
            `"paper"` mode and where learned branches are asked for. `"blend"` has both and answers with their weighted
            mean: the closed-form head on the frozen branches, and beside it a network that reads these and the learned
            ones, if any; see `Blend`. Their weights come from the `validation_data` of `fit`.
        kernels: number of random kernels. Default 10,000 (published).
        kernel_length: weights per random kernel. Default 9 (published).
        dilation: of the random kernels, or a range; see `RandomKernels`. Default (1, 16), 4 (published) in
            `"paper"` mode.
        sampling: of the random kernels; see `RandomKernels`. Default `"centred"`, `"published"` in `"paper"` mode.
        global_stride: readings averaged into one step of the GRUs. Default 4, 1 (published) in `"paper"` mode.
        feature_dropout: share of the frozen features that the network drops in training, one for all branches.
            Default: 0.8 of the random ones, 0.1 of the statistics, 0.3 of the language features, 0 in `"paper"` mode.
        modality_dropout: share of the rows that lose their readings or their metadata while the network with a
            `text_encoder` is trained, so that it learns to do without. Default 0.3, 0 in `"paper"` mode.
        windows: the closed-form head also learns from windows of each series, as from further series: `(2,)` for
            halves, `(2, 4)` for halves and quarters, `()` for none. Default: halves of up to 500 series. A language
            model reads them, too.
        augmented_copies: for a fleet whose new sensors may be noisier, or report less often, than those learned from.
            The closed-form head then also learns from the first so many of four copies of each series, as from further
            series: with noise of up to one step of the sensor's resolution, at half the rate, with noise of up to two
            steps, and of up to three (benchmarks/results/augmentation.csv). The time to solve the head grows with the
            cube of the rows, its memory with their square: of 1,500 series, 4 copies each take two minutes and 4 GB. A
            language model reads them, too. Default 0.
        units: for a fleet some of whose sensors will be another site's. By class, the unit of its readings, where other
            sites report the quantity in another one: `{"temperature": "degC", "pressure": "hPa"}`; known are degC and
            degF; hPa, kPa and inHg; m/s, km/h, mph and knot; mm and inch; km and mile. The closed-form head then also
            learns from copies of each series in the other units, and of all to one decimal and to none; `{}` is for
            fewer decimals alone (benchmarks/results/transfer_shift.csv; what they cost at home: other_sites.csv). Two
            to eleven of each series, they take time and memory as `augmented_copies` do. Default None: no copies.
        wrong_metadata: for a fleet some of whose metadata is another sensor's. The closed-form head that reads both
            then also learns from rows with the metadata of other series, so that it believes the readings where the two
            contradict each other; together they count for this share of the right rows. 0.03 does
            (benchmarks/results/wrong_metadata.csv). Default 0: all metadata is believed.
        seed: of kernels, initial weights and dropout. Default 0.
        name: of the model.

    Input: `{"readings": float32 [batch, time]}` of any length, in the sensors' own units, NaN for missing; with a
    `text_encoder` also `"metadata"`, string `[batch]`. A row may then have no readings, or blank metadata.

    Output: probabilities float32 `[batch, classes]`.

    Raises:
        InputError: the weights of the language model or of the text encoder cannot be had.
        ValueError: an unknown option, no branch at all, fewer than two classes, a closed-form head
            with learned branches or the `"paper"` variant, or n-grams alone without a closed-form head.

    Example:
        >>> model = DeepFeatIoT(["humidity", "temperature"])
        >>> model.compile()
        >>> history = model.fit(train.to_dataset())  # solved in closed form
        >>> network = DeepFeatIoT(["humidity", "temperature"], head="mlp")
        >>> network.compile()
        >>> history = network.fit(train.to_dataset(shuffle=True), validation_data=val.to_dataset(), epochs=50)

    Reference: DeepFeatIoT, IJCAI 2025 (arXiv 2508.09468).
    """

    def __init__(
        self,
        class_names: Sequence[str],
        *,
        variant: str = "robust",
        branches: Sequence[str] | None = None,
        language: str | Path | keras.layers.Layer | None = None,
        text_encoder: str | Path | keras.layers.Layer | None = None,
        ngrams: bool = True,
        fusion: str = "dft",
        dft_width: int = 64,
        head: str | None = None,
        kernels: int = 10_000,
        kernel_length: int = 9,
        dilation: int | tuple[int, int] | None = None,
        sampling: str | None = None,
        global_stride: int | None = None,
        feature_dropout: float | None = None,
        modality_dropout: float | None = None,
        windows: Sequence[int] | None = None,
        augmented_copies: int = 0,
        units: Mapping[str, str] | None = None,
        wrong_metadata: float = 0.0,
        seed: int = 0,
        name: str = "deepfeatiot",
        **kwargs: Any,
    ) -> None:
        check_choice("variant", variant, IMPLIED)
        check_choice("fusion", fusion, ("dft", "concat"))
        seed = operator.index(seed)  # NumPy's, too
        head = implied_head(variant, branches) if head is None else head
        check_choice("head", head, ("closed_form", "mlp", "blend"))
        implied = IMPLIED[variant]
        if branches is None:
            branches = [b for b in implied["branches"] if b not in LEFT_OUT[head]]
        branches = tuple(branches)
        dilation = implied["dilation"] if dilation is None else dilation
        sampling = implied["sampling"] if sampling is None else sampling
        global_stride = implied["global_stride"] if global_stride is None else global_stride
        modality_dropout = implied["modality_dropout"] if modality_dropout is None else modality_dropout
        for branch in branches:
            check_choice("branch", branch, (*LEARNED, "randomized", "statistics"))
        learned = [branch for branch in LEARNED if branch in branches]
        frozen = [branch for branch in FROZEN if branch in branches]
        if not branches and language is None:
            raise ValueError("no branch at all; give at least one of branches, or a language model")
        if head == "closed_form" and learned:
            raise ValueError('head="closed_form" reads frozen features alone; leave out the branches local and global')
        if head != "mlp" and variant == "paper":
            raise ValueError(f'head="{head}" reads standardized features; give variant="robust", or head="mlp"')
        if head == "blend" and not frozen and language is None:
            raise ValueError('head="blend" needs a frozen branch: randomized, statistics, or a language model')
        if isinstance(windows, Integral):
            raise ValueError(f"windows is {windows}; give a sequence of numbers, ({windows},)")
        windows = None if windows is None else tuple(map(int, windows))
        if any(parts < 2 for parts in windows or ()):
            raise ValueError(f"windows is {windows}; give numbers of windows, each at least 2")
        if augmented_copies not in range(len(AUGMENTATIONS) + 1):
            raise ValueError(f"augmented_copies is {augmented_copies}; give 0 to {len(AUGMENTATIONS)}")
        if augmented_copies and head == "mlp":
            raise ValueError("augmented_copies are for a closed-form head; leave them out")
        if windows and head == "mlp":
            raise ValueError("windows are for a closed-form head; leave them out")
        if units is not None and head == "mlp":
            raise ValueError("units are for a closed-form head; leave them out")
        if not 0 <= wrong_metadata <= 1:
            raise ValueError(f"wrong_metadata is {wrong_metadata}; give a share from 0 to 1")
        if wrong_metadata and (text_encoder is None or head == "mlp"):
            raise ValueError("wrong_metadata is for a closed-form head that reads metadata; give a text_encoder, or 0")
        if text_encoder == NGRAMS and (head != "closed_form" or not ngrams):
            raise ValueError(f'text_encoder="{NGRAMS}" is for a closed-form head that reads them; name an encoder')
        class_names = check_class_names(class_names)
        if units is not None:
            for each in units:
                check_choice("class in units", each, class_names)
            check_units(units.values())
        if isinstance(language, str | Path):
            language = LanguageFeatures.from_pretrained(language, text=implied["text"], name="language_features")
        if not (language is None or isinstance(language, keras.layers.Layer)):
            raise ValueError(f"language is {language!r}; give a name, a folder, a frozen Keras layer, or None")

        # === Layers ===
        kernel_layer = RandomKernels(kernels, kernel_length, dilation, sampling, seed=seed, name="random_kernels")
        frozen_layers: dict[str, Callable] = {
            "randomized": lambda readings: kernel_layer(*_kernel_input(variant, readings)),
            "statistics": SummaryStatistics(name="summary_statistics"),
        }
        if language is not None:
            frozen_layers["language"] = language
            frozen.append("language")

        # === Functional graph ===
        frozen_models = {branch: frozen_branch(branch, frozen_layers[branch]) for branch in frozen}
        reader = None if text_encoder in (None, NGRAMS) else text_layer(text_encoder)
        if reader is not None:
            frozen_models[METADATA] = frozen_branch(METADATA, reader, METADATA)
        if text_encoder is not None and ngrams and head != "mlp":
            frozen_models[NGRAMS] = frozen_branch(NGRAMS, CharacterNGrams(name="character_ngrams"), METADATA)
        readings = keras.Input((None,), name=READINGS, dtype="float32")
        features = feature_inputs(frozen_models)
        parts = learned_branches(readings, learned, channels=variant, global_stride=global_stride, seed=seed)
        for branch, feature in features.items():
            if branch != NGRAMS:
                parts[branch] = standardized(branch, feature) if variant == "robust" else feature
        metadata = parts.pop(METADATA, None)
        embedding = features.get(METADATA, features.get(NGRAMS))
        presence = None if embedding is None else Presence(name="presence")(readings, embedding)
        kernel = None
        if variant == "robust" and "statistics" in frozen:
            kernel = statistics_kernel(parts["statistics"], seed)
        classes = len(class_names)
        answers = []
        if head != "mlp":
            solved = {branch: parts[branch] for branch in frozen}
            texts = {METADATA: metadata, NGRAMS: features.get(NGRAMS)}
            texts = {branch: part for branch, part in texts.items() if part is not None}
            logits = closed_form_heads(solved, kernel, texts, embedding, presence, classes, seed)
            answers.append(probabilities_layer("solved")(logits))
        if head != "closed_form":
            if kernel is not None:
                scaled = keras.layers.Rescaling(KERNEL_SCALE, dtype="float32", name="statistics_scaled")
                parts["statistics"] = scaled(kernel)
            if fusion == "dft":
                # Raw features, as raw readings, overflow float16.
                options = {"dtype": "float32"} if variant == "paper" else {}
                parts = _transform(parts, FROZEN_DFT[variant], dft_width, feature_dropout, seed, **options)
            fused = concatenated(parts)
            if metadata is not None:
                pair = ModalityDropout(modality_dropout, seed=seed + 500, name="modality_dropout")(
                    fused, metadata, presence
                )
                pair = CrossResidual(seed=seed + 600, name="cross_residual")(*pair)
                fused = keras.layers.Concatenate(name="joined")(pair)
            answers.append(probabilities_layer("learned")(perceptron_head(fused, classes, seed, HEAD_DROPOUT[variant])))
        probabilities = Blend(name="blend")(*answers) if head == "blend" else answers[0]
        inputs = {READINGS: readings, **{feature_input(b): f for b, f in features.items()}}
        if not learned and embedding is None:
            del inputs[READINGS]
        super().__init__(frozen_models, keras.Model(inputs, probabilities, name="network"), name=name, **kwargs)

        # === Config ===
        self.recipe = RECIPE[variant]
        self.class_names = class_names
        self.variant = variant
        self.branches = branches
        self.language = language
        self.text_encoder = text_encoder if reader is None else reader
        self.ngrams = ngrams
        self.fusion = fusion
        self.dft_width = dft_width
        self.head = head
        self.kernels = kernels
        self.kernel_length = kernel_length
        self.dilation = kernel_layer.dilation
        self.sampling = sampling
        self.global_stride = global_stride
        self.feature_dropout = feature_dropout
        self.modality_dropout = modality_dropout
        self.windows = windows
        self.augmented_copies = augmented_copies
        self.units = None if units is None else dict(units)
        self.class_units = None if units is None else tuple(units.get(name, "") for name in class_names)
        self.wrong_metadata = wrong_metadata
        self.seed = seed

    def get_config(self) -> dict:
        return {
            "class_names": self.class_names,
            "variant": self.variant,
            "branches": self.branches,
            "language": keras.saving.serialize_keras_object(self.language),
            "text_encoder": keras.saving.serialize_keras_object(self.text_encoder),
            "ngrams": self.ngrams,
            "fusion": self.fusion,
            "dft_width": self.dft_width,
            "head": self.head,
            "kernels": self.kernels,
            "kernel_length": self.kernel_length,
            "dilation": self.dilation,
            "sampling": self.sampling,
            "global_stride": self.global_stride,
            "feature_dropout": self.feature_dropout,
            "modality_dropout": self.modality_dropout,
            "windows": self.windows,
            "augmented_copies": self.augmented_copies,
            "units": None if self.units is None else dict(self.units),
            "wrong_metadata": self.wrong_metadata,
            "seed": self.seed,
            **own_state(self),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> DeepFeatIoT:
        layers = {
            # A model that was saved before there were text encoders has none.
            name: keras.saving.deserialize_keras_object(config.get(name), custom_objects=custom_objects)
            for name in ("language", "text_encoder")
        }
        # Nor has one that was saved before there were n-grams those.
        return rebuild(cls, {"ngrams": False, **config, **layers})


def implied_head(variant: str, branches: Sequence[str] | None) -> str:
    """The head of a model whose head the user does not choose."""
    return "mlp" if variant == "paper" or any(branch in LEARNED for branch in branches or ()) else "closed_form"


def _kernel_input(variant: str, readings: Any) -> tuple:
    if variant == "paper":
        return (InputChannels(variant)(readings)[0],)
    signal, length = InputChannels(variant)(readings)
    return signal[..., 1:3], length  # shape and change; the level is for the statistics


def _transform(parts: dict, frozen: dict, width: int, feature_dropout: float | None, seed: int, **options: Any) -> dict:
    """Every part in `width` features; `feature_dropout` in place of those in `frozen`, if given."""
    transformed = {}
    for i, (branch, part) in enumerate(parts.items()):
        dropout, widths = frozen.get(branch, (0.0, ()))
        if feature_dropout is not None and branch in frozen:
            dropout = feature_dropout
        transformed[branch] = DenseFeatureTransform(
            (*widths, width), dropout, seed=seed + 200 + 10 * i, name=f"{branch}_dft", **options
        )(part)
    return transformed
