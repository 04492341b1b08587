"""How the networks are compiled unless the user says otherwise, by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras

ROBUST_RATE = 1e-3


def paper_recipe() -> dict[str, Any]:
    """Arguments of `compile` as in DeepFeatIoT's code.

    Adam with AMSGrad, values of the gradient clipped at 1, learning rate 1e-3 with inverse-time decay (rate 0.1 every
    100 steps, in stairs); categorical focal cross-entropy (alpha 0.25, gamma 2); accuracy and macro F1.
    """
    rate = keras.optimizers.schedules.InverseTimeDecay(1e-3, decay_steps=100, decay_rate=0.1, staircase=True)
    return {
        "optimizer": keras.optimizers.Adam(rate, amsgrad=True, clipvalue=1.0),
        "loss": keras.losses.CategoricalFocalCrossentropy(alpha=0.25, gamma=2.0),
        "metrics": _metrics(),
    }


def metadata_recipe(learning_rate: float) -> dict[str, Any]:
    """Arguments of `compile` as in DeepMetaIoT's paper: Adam, categorical cross-entropy; accuracy and macro F1.

    Args:
        learning_rate: 1e-2 for TS-M, 1e-4 for TS-N and SensEUR (published).
    """
    return {
        "optimizer": keras.optimizers.Adam(learning_rate),
        "loss": keras.losses.CategoricalCrossentropy(),
        "metrics": _metrics(),
    }


def robust_recipe() -> dict[str, Any]:
    """Arguments of `compile` for the robust networks.

    AdamW with learning rate 1e-3 and weight decay 1e-2, gradients clipped to norm 1; categorical cross-entropy with 5 %
    label smoothing; accuracy and macro F1. The learning rate is `annealed` over the epochs of `fit`.
    """
    return {
        "optimizer": keras.optimizers.AdamW(ROBUST_RATE, weight_decay=1e-2, global_clipnorm=1.0),
        "loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.05),
        "metrics": _metrics(),
    }


def annealed(epochs: int) -> keras.callbacks.LearningRateScheduler:
    """The robust recipe's learning rate from epoch to epoch: half a cosine, from 1e-3 down to 0 after the last."""
    return keras.callbacks.LearningRateScheduler(
        lambda epoch: ROBUST_RATE * (1 + math.cos(math.pi * epoch / epochs)) / 2
    )


RECIPES: dict[str, Callable[[], dict[str, Any]]] = {
    "deepfeatiot": paper_recipe,
    "deepmetaiot": partial(metadata_recipe, 1e-4),
    "deepmetaiot-ts-m": partial(metadata_recipe, 1e-2),
    "robust": robust_recipe,
}


def recipe_named(name: str) -> dict[str, Any]:
    """The arguments of `compile` that a recipe stands for.

    Args:
        name: `"deepfeatiot"` (published), `"deepmetaiot"` (published, TS-N and SensEUR), `"deepmetaiot-ts-m"`
            (published, TS-M) or `"robust"`.

    Raises:
        ValueError: another name.
    """
    if name not in RECIPES:
        raise ValueError(f"recipe is {name!r}; give one of {', '.join(RECIPES)}")
    return RECIPES[name]()


def _metrics() -> list[Any]:
    return ["accuracy", keras.metrics.F1Score(average="macro", name="macro_f1")]
