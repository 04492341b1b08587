"""A second look at the sensors of a table: what a model says of each alone, and what their siblings make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from deepfeatiot_tf.layers import Blend, FeatureStandardization, LaplacianFeatures, SiblingFeatures
from deepfeatiot_tf.layers.sibling_features import PER_TYPE, RELATED
from deepfeatiot_tf.training.closed_form import ridge_head

LEAST_BELIEF = 1e-3  # its log is what the kernel sees; less is as good as nothing
LANDMARKS = 2000  # of the kernel
PER_CALL = 512  # rows whose kernel is computed at once


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class CollectiveModel(keras.Model):
    """Collective classification: the sensors of one table, measured at the same times, name each other.

    A functional graph from `{"readings": float32 [sensors, time], "beliefs": float32 [sensors, types], "known":
    float32 [sensors, types]}` to probabilities `[sensors, types]`. One batch is one table. `beliefs` is what another
    model says of each sensor by itself; `known` has a 1 for the type of each labelled sensor, and a row of zeros for
    each other. What the siblings of a sensor say (`SiblingFeatures`) goes, beside the log of what is believed of it,
    through a kernel into a linear head that is solved in closed form; the share that this counts for beside the belief
    itself is chosen on the series left out in turn. A sensor without a sibling, of which no other moves as it does,
    keeps the beliefs that it came with; so does one that is asked about alone.

    Args:
        class_names: the types, in the order of the probabilities.

    Raises:
        ValueError: fewer than two types.
    """

    def __init__(self, class_names: tuple[str, ...], **kwargs: Any) -> None:
        if len(class_names) < 2:
            raise ValueError(f"class_names has {len(class_names)}; give at least two")
        types = len(class_names)
        readings = keras.Input((None,), name="readings", dtype="float32")
        beliefs = keras.Input((types,), name="beliefs", dtype="float32")
        known = keras.Input((types,), name="known", dtype="float32")
        others = ops.where(ops.any(known > 0, axis=1, keepdims=True), known, beliefs)
        siblings = SiblingFeatures(name="siblings")(readings, others)
        seen = keras.layers.Concatenate(name="seen")([ops.log(beliefs + LEAST_BELIEF), siblings])
        features = FeatureStandardization(name="siblings_standardized")(seen)
        kernel = LaplacianFeatures(LANDMARKS, seed=500, name="siblings_kernel")(features)
        head = keras.layers.Dense(types, activation="softmax", trainable=False, dtype="float32", name="closed_form")
        blended = Blend(name="share")(beliefs, head(kernel))
        outputs = ops.where(_related(siblings, types), blended, beliefs)
        super().__init__({"readings": readings, "beliefs": beliefs, "known": known}, outputs, **kwargs)
        self.class_names = tuple(class_names)

    @property
    def share(self) -> float:
        """What the siblings count for beside the belief about a sensor itself, 0 to 1."""
        return float(self.get_layer("share").share)

    def learn(
        self,
        readings: np.ndarray,
        beliefs: np.ndarray,
        left_out: np.ndarray,
        one_hot: np.ndarray,
        class_weight: Mapping[int, float] | None = None,
    ) -> np.ndarray:
        """Solve the head on labelled sensors of one table.

        Each is learned from twice, beside the others with their labels and beside them with what is believed of them;
        the same model is later asked about fleets of which some is labelled, or none.

        Args:
            readings: float32 `[sensors, time]`, NaN for missing.
            beliefs: float32 `[sensors, types]`, what the other model says of each *that it did not learn from*, by
                stratified cross-validation. This is what the head sees; answers left out in turn would give each label
                away, as without one sensor its type is one short.
            left_out: float32 `[sensors, types]`, what it says of each left out in turn, which the share is chosen by.
            one_hot: float32 `[sensors, types]`, the labels.
            class_weight: what the sensors of a type count for in the head, by its index; see `ridge_head`. Default: all
                the same.

        Returns:
            float32 `[sensors, types]`, the answers beside the labelled others that each gets without its own label.
        """
        see = keras.Model(
            {each.name: each for each in self.inputs}, [self.get_layer(name).output for name in ("seen", "siblings")]
        )
        views = [
            see({"readings": readings, "beliefs": beliefs, "known": known})
            for known in (one_hot, np.zeros_like(one_hot))
        ]
        rows = np.concatenate([np.array(seen) for seen, _ in views])
        related = np.array(_related(views[0][1], one_hot.shape[1]))[:, 0]
        if related.sum() < 2:
            self.get_layer("share").share.assign(0.0)
            return left_out
        standardize, kernel = self.get_layer("siblings_standardized"), self.get_layer("siblings_kernel")
        standardize.adapt([rows])
        rows, labels = np.array(standardize(rows)), np.tile(one_hot, (2, 1))
        kernel.adapt(rows, labels)
        parts = np.split(rows, range(PER_CALL, len(rows), PER_CALL))
        features = np.concatenate([np.array(kernel(part)) for part in parts])
        head, blend = self.get_layer("closed_form"), self.get_layer("share")
        series = np.tile(np.arange(len(one_hot)), 2)
        solved = ridge_head(features, labels, series=series, class_weight=class_weight)
        head.kernel.assign(solved.kernel)
        head.bias.assign(solved.bias)
        blend.adapt(left_out[related], solved.left_out[related], one_hot[related])
        return np.where(related[:, None], np.array(blend(left_out, solved.left_out)), left_out)

    def answer(self, readings: np.ndarray, beliefs: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """Probabilities `[sensors, types]` for the sensors of one table.

        Args:
            readings: float32 `[sensors, time]`, NaN for missing.
            beliefs: float32 `[sensors, types]`, what the other model says of each.
            known: float32 `[sensors, types]`, one-hot; zeros for a sensor without label. Default: none has one.
        """
        given = np.zeros_like(beliefs) if known is None else known
        return np.array(self({"readings": readings, "beliefs": beliefs, "known": given}, training=False))

    def get_config(self) -> dict[str, Any]:
        return {"class_names": list(self.class_names), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> CollectiveModel:
        return cls(**{**config, "class_names": tuple(config["class_names"])})


def _related(siblings: Any, types: int) -> Any:
    """Whether the differences of another series go with those of each, bool `[batch, 1]`."""
    return siblings[:, PER_TYPE * types, None] > RELATED
