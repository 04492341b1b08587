"""How the networks are compiled unless the user says otherwise: the published settings."""

from __future__ import annotations

from typing import Any

import keras


def paper_recipe() -> dict[str, Any]:
    """Arguments of `compile` as in DeepFeatIoT's code.

    Adam with AMSGrad, values of the gradient clipped at 1, learning rate 1e-3 with inverse-time decay (rate 0.1 every
    100 steps, in stairs); categorical focal cross-entropy (alpha 0.25, gamma 2); accuracy and macro F1.
    """
    rate = keras.optimizers.schedules.InverseTimeDecay(1e-3, decay_steps=100, decay_rate=0.1, staircase=True)
    return {
        "optimizer": keras.optimizers.Adam(rate, amsgrad=True, clipvalue=1.0),
        "loss": keras.losses.CategoricalFocalCrossentropy(alpha=0.25, gamma=2.0),
        "metrics": ["accuracy", keras.metrics.F1Score(average="macro", name="macro_f1")],
    }
