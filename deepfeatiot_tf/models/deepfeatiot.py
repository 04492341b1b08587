"""DeepFeatIoT: local, global, randomized and language features of raw readings, fused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import keras

from deepfeatiot_tf.models.branches import check_class_names
from deepfeatiot_tf.models.deepfeatiot_network import frozen_models, fused_network
from deepfeatiot_tf.models.deepfeatiot_options import DeepFeatIoTOptions
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.rebuilding import own_state, rebuild

RECIPE = {"robust": "robust", "paper": "deepfeatiot"}
OPTIONS = tuple(field.name for field in fields(DeepFeatIoTOptions))
PRETRAINED = ("language", "text_encoder")  # options that are layers where they are not None, or n-grams alone


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
        options = DeepFeatIoTOptions(
            variant=variant,
            branches=branches,
            language=language,
            text_encoder=text_encoder,
            ngrams=ngrams,
            fusion=fusion,
            dft_width=dft_width,
            head=head,
            kernels=kernels,
            kernel_length=kernel_length,
            dilation=dilation,
            sampling=sampling,
            global_stride=global_stride,
            feature_dropout=feature_dropout,
            modality_dropout=modality_dropout,
            windows=windows,
            augmented_copies=augmented_copies,
            units=units,
            wrong_metadata=wrong_metadata,
            seed=seed,
        )
        class_names = check_class_names(class_names)
        class_units = options.class_units(class_names)
        options = options.loaded()
        frozen = frozen_models(options)
        super().__init__(frozen, fused_network(frozen, options, len(class_names)), name=name, **kwargs)
        self.recipe = RECIPE[variant]
        self.class_names = class_names
        self.class_units = class_units
        for option in OPTIONS:
            setattr(self, option, getattr(options, option))

    def get_config(self) -> dict:
        options = {name: getattr(self, name) for name in OPTIONS}
        options["units"] = None if self.units is None else dict(self.units)  # Keras's own kind of dict until now
        layers = {name: keras.saving.serialize_keras_object(options[name]) for name in PRETRAINED}
        return {"class_names": self.class_names, **options, **layers, **own_state(self)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> DeepFeatIoT:
        layers = {
            # A model that was saved before there were text encoders has none.
            name: keras.saving.deserialize_keras_object(config.get(name), custom_objects=custom_objects)
            for name in PRETRAINED
        }
        # Nor has one that was saved before there were n-grams those.
        return rebuild(cls, {"ngrams": False, **config, **layers})
