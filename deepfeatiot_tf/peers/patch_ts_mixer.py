"""PatchTSMixer: perceptrons that mix within and across patches (arXiv 2306.09364), in Keras."""

from __future__ import annotations

import keras

from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.peers.patches import PatchSystem

# Small, as the fleets here are; the paper chooses sizes by data set.
LAYERS, WIDTH, EXPANSION = 3, 32, 2
DROPOUT = 0.2


def patch_ts_mixer(training: Training) -> PatchSystem:
    """Three mixer layers of width 32 with gated attention; all patches, flattened, feed the classifier.

    A patch holds both channels of its series, so that mixing within patches mixes them, too.
    """
    return PatchSystem(_backbone, training)


def _backbone(patches: keras.KerasTensor) -> keras.KerasTensor:
    x = keras.layers.Dense(WIDTH, name="embedding")(patches)
    for _ in range(LAYERS):
        x = x + _across_patches(keras.layers.LayerNormalization()(x))
        x = x + _gated_perceptron(keras.layers.LayerNormalization()(x))
    return keras.layers.Dropout(DROPOUT)(keras.layers.Flatten()(x))


def _across_patches(x: keras.KerasTensor) -> keras.KerasTensor:
    turned = keras.layers.Permute((2, 1))(x)
    return keras.layers.Permute((2, 1))(_gated_perceptron(turned))


def _gated_perceptron(x: keras.KerasTensor) -> keras.KerasTensor:
    """Two dense layers over the last axis, and attention that weighs what they give (the paper's gated attention)."""
    width = x.shape[-1]
    hidden = keras.layers.Dropout(DROPOUT)(keras.layers.Dense(EXPANSION * width, activation="gelu")(x))
    mixed = keras.layers.Dropout(DROPOUT)(keras.layers.Dense(width)(hidden))
    return mixed * keras.layers.Dense(width, activation="softmax")(mixed)
