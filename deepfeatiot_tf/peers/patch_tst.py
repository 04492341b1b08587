"""PatchTST: a Transformer over patches of the series (arXiv 2211.14730), in Keras."""

from __future__ import annotations

import keras
import keras_hub

from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.peers.patches import PatchSystem

LAYERS, WIDTH, HEADS, HIDDEN = 3, 16, 4, 128  # the published choice for small data sets (appendix)
DROPOUT = 0.2


def patch_tst(training: Training) -> PatchSystem:
    """Encoder of three layers of width 16, four heads; all patches, flattened, feed the classifier."""
    return PatchSystem(_encoder, training)


def _encoder(patches: keras.KerasTensor) -> keras.KerasTensor:
    x = keras.layers.Dense(WIDTH, name="embedding")(patches)
    x = x + keras_hub.layers.PositionEmbedding(patches.shape[1], name="position")(x)
    x = keras.layers.Dropout(DROPOUT)(x)
    for _ in range(LAYERS):
        x = _add_and_norm(x, keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=DROPOUT)(x, x))
        hidden = keras.layers.Dense(HIDDEN, activation="gelu")(x)
        x = _add_and_norm(x, keras.layers.Dense(WIDTH)(keras.layers.Dropout(DROPOUT)(hidden)))
    return keras.layers.Dropout(DROPOUT)(keras.layers.Flatten()(x))


def _add_and_norm(x: keras.KerasTensor, change: keras.KerasTensor) -> keras.KerasTensor:
    # Over the batch, where Transformers of text normalize over the layer; so the paper has it.
    return keras.layers.BatchNormalization()(x + keras.layers.Dropout(DROPOUT)(change))
