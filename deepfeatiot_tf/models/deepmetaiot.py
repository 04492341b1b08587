"""DeepMetaIoT: learned features of raw readings and the metadata's sentence embedding, joined by cross-residuals."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from deepfeatiot_tf.layers import CrossResidual, ModalityDropout, Presence
from deepfeatiot_tf.models.branch_features import feature_input
from deepfeatiot_tf.models.branches import (
    LEARNED,
    check_choice,
    check_class_names,
    feature_inputs,
    frozen_branch,
    learned_branches,
    standardized,
    text_layer,
)
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.heads import concatenated, logits_layer, probabilities_layer
from deepfeatiot_tf.models.rebuilding import own_state, rebuild
from deepfeatiot_tf.models.training_data import METADATA, READINGS

# What stands for a missing reading in the published layout, and is passed over by the GRUs.
MASK_VALUE = 1e-16
# What a variant implies for the rest, where the user does not say.
IMPLIED: dict[str, dict[str, Any]] = {
    "robust": {"global_stride": 4, "modality_dropout": 0.3},
    "paper": {"global_stride": 1, "modality_dropout": 0.0},
}
RECIPE = {"robust": "robust", "paper": "deepmetaiot"}


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class DeepMetaIoT(FrozenFeatureModel):
    """Names what each sensor measures, from its raw readings and the text about it.

    The learned branches of DeepHeteroIoT (width 384) and a frozen sentence encoder (width 384 for all-MiniLM-L6-v2) are
    joined by the cross-residual block; a dense layer reads both of its outputs.

    Args:
        class_names: the sensor types, in the order of the one-hot labels.
        text_encoder: `"minilm"`, or another as for `TextFeatures.from_pretrained`; or any layer without trainable
            weights from texts `[batch]` to features `[batch, width]`, zeros for blank text. Default `"minilm"`
            (published).
        variant: `"robust"` (filled and scaled readings that keep their level; standardized embeddings) or `"paper"`
            (raw values, 1e-16 for missing, which the GRUs pass over; embeddings as they are). It decides the recipe
            of `compile`, too: `"robust"` or `"deepmetaiot"` (for TS-M the published one is `"deepmetaiot-ts-m"`).
            Default `"robust"`.
        rounds: of the cross-residual block. Default 1 (published).
        modality_dropout: share of the rows that lose their readings or their metadata in training, so that the model
            learns to do without. Default 0.3, 0 (published) in `"paper"` mode.
        global_stride: readings averaged into one step of the GRUs. Default 4, 1 (published) in `"paper"` mode.
        seed: of initial weights and dropout. Default 0.
        name: of the model.

    Input: `{"readings": float32 [batch, time], "metadata": string [batch]}`, readings of any length, in the sensors'
    own units, NaN for missing. A row may have no readings, or blank metadata.

    Output: probabilities float32 `[batch, classes]`.

    Raises:
        InputError: the weights of the text encoder cannot be had.
        ValueError: an unknown option, or fewer than two classes.

    Example:
        >>> model = DeepMetaIoT(["humidity", "temperature"])  # doctest: +SKIP

    Reference: DeepMetaIoT (IEEE Internet of Things Journal, 2025).
    """

    def __init__(
        self,
        class_names: Sequence[str],
        *,
        text_encoder: str | Path | keras.layers.Layer = "minilm",
        variant: str = "robust",
        rounds: int = 1,
        modality_dropout: float | None = None,
        global_stride: int | None = None,
        seed: int = 0,
        name: str = "deepmetaiot",
        **kwargs: Any,
    ) -> None:
        check_choice("variant", variant, IMPLIED)
        class_names = check_class_names(class_names)
        seed = operator.index(seed)  # NumPy's, too
        implied = IMPLIED[variant]
        modality_dropout = implied["modality_dropout"] if modality_dropout is None else modality_dropout
        global_stride = implied["global_stride"] if global_stride is None else global_stride
        text_encoder = text_layer(text_encoder)

        # === Functional graph ===
        frozen = {METADATA: frozen_branch(METADATA, text_encoder, METADATA)}
        readings = keras.Input((None,), name=READINGS, dtype="float32")
        text = feature_inputs(frozen)[METADATA]
        parts = learned_branches(
            readings,
            LEARNED,
            channels=variant,
            global_stride=global_stride,
            relu=False,
            missing_value=MASK_VALUE,
            mask_value=MASK_VALUE if variant == "paper" else None,
            seed=seed,
        )
        presence = Presence(name="presence")(readings, text)
        encoded = standardized(METADATA, text) if variant == "robust" else text
        pair = ModalityDropout(modality_dropout, seed=seed + 500, name="modality_dropout")(
            concatenated(parts), encoded, presence
        )
        joined = CrossResidual(rounds, seed=seed + 600, name="cross_residual")(*pair)
        logits = logits_layer(len(class_names), seed)(keras.layers.Concatenate(name="joined")(joined))
        probabilities = probabilities_layer("probabilities")(logits)
        inputs = {READINGS: readings, feature_input(METADATA): text}
        super().__init__(frozen, keras.Model(inputs, probabilities, name="network"), name=name, **kwargs)

        # === Config ===
        self.recipe = RECIPE[variant]
        self.class_names = class_names
        self.text_encoder = text_encoder
        self.variant = variant
        self.rounds = rounds
        self.modality_dropout = modality_dropout
        self.global_stride = global_stride
        self.seed = seed

    def get_config(self) -> dict:
        return {
            "class_names": self.class_names,
            "text_encoder": keras.saving.serialize_keras_object(self.text_encoder),
            "variant": self.variant,
            "rounds": self.rounds,
            "modality_dropout": self.modality_dropout,
            "global_stride": self.global_stride,
            "seed": self.seed,
            **own_state(self),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> DeepMetaIoT:
        encoder = keras.saving.deserialize_keras_object(config["text_encoder"], custom_objects=custom_objects)
        return rebuild(cls, {**config, "text_encoder": encoder})
