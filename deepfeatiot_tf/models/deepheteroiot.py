"""DeepHeteroIoT: local and global features of raw readings, and a stack of dense layers."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import keras

from deepfeatiot_tf.models.branches import LEARNED, check_choice, check_class_names, learned_branches
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.models.heads import concatenated, probabilities_layer, stack_head
from deepfeatiot_tf.models.rebuilding import own_state, rebuild
from deepfeatiot_tf.models.training_data import READINGS

WIDTHS = (1024, 512, 256, 64)
# What a variant implies for the rest, where the user does not say.
GLOBAL_STRIDE = {"robust": 4, "paper": 1}
RECIPE = {"robust": "robust", "paper": "deepfeatiot"}


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class DeepHeteroIoT(FrozenFeatureModel):
    """Names what each sensor measures, from its raw readings: the learned branches of DeepFeatIoT alone.

    Multi-scale convolutions and Bi-GRUs (without DeepFeatIoT's last ReLU), side by side, then dense layers of 1024,
    512, 256 and 64, each with ReLU and layer normalization.

    Args:
        class_names: the sensor types, in the order of the one-hot labels.
        variant: `"robust"` (filled and scaled readings that keep their level) or `"paper"` (raw values, −1 for
            missing). Default `"robust"`.
        global_stride: readings averaged into one step of the GRUs. Default 4, 1 (published) in `"paper"` mode.
        seed: of the initial weights. Default 0.
        name: of the model.

    Input: `{"readings": float32 [batch, time]}` of any length, in the sensors' own units, NaN for missing.

    Output: probabilities float32 `[batch, classes]`.

    Raises:
        ValueError: an unknown option, or fewer than two classes.

    Example:
        >>> model = DeepHeteroIoT(["humidity", "temperature"])
        >>> model.compile()
        >>> history = model.fit(train.to_dataset(shuffle=True), validation_data=val.to_dataset(), epochs=50)

    Reference: DeepHeteroIoT (arXiv 2403.19996).
    """

    def __init__(
        self,
        class_names: Sequence[str],
        *,
        variant: str = "robust",
        global_stride: int | None = None,
        seed: int = 0,
        name: str = "deepheteroiot",
        **kwargs: Any,
    ) -> None:
        check_choice("variant", variant, GLOBAL_STRIDE)
        class_names = check_class_names(class_names)
        seed = operator.index(seed)  # NumPy's, too
        global_stride = GLOBAL_STRIDE[variant] if global_stride is None else global_stride

        # === Functional graph ===
        readings = keras.Input((None,), name=READINGS, dtype="float32")
        parts = learned_branches(
            readings, LEARNED, channels=variant, global_stride=global_stride, relu=False, seed=seed
        )
        logits = stack_head(concatenated(parts), WIDTHS, len(class_names), seed)
        probabilities = probabilities_layer("probabilities")(logits)
        super().__init__({}, keras.Model({READINGS: readings}, probabilities, name="network"), name=name, **kwargs)

        # === Config ===
        self.recipe = RECIPE[variant]
        self.class_names = class_names
        self.variant = variant
        self.global_stride = global_stride
        self.seed = seed

    def get_config(self) -> dict:
        return {
            "class_names": self.class_names,
            "variant": self.variant,
            "global_stride": self.global_stride,
            "seed": self.seed,
            **own_state(self),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> DeepHeteroIoT:
        return rebuild(cls, config)
