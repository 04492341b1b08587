"""GPT4TS: patches of the series through blocks of a pretrained language model (arXiv 2302.11939), in Keras."""

from __future__ import annotations

import keras

from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.language import load_encoder
from deepfeatiot_tf.language.blocks import build_blocks
from deepfeatiot_tf.peers.patches import PatchSystem

BLOCKS = 6  # as published
DROPOUT = 0.1
NORM = "layernorm"  # part of the names that Keras Hub gives the norms of its blocks


def gpt4ts(training: Training) -> PatchSystem:
    """Six pretrained blocks, of which the norms alone are trained; all patches, flattened, feed the classifier.

    The blocks are those of SmolLM2-135M, as GPT-2's weights come from a model hub. Their positions are rotary, so there
    is no embedding of positions to train, and the norm behind the last of them is a new one.
    """
    return PatchSystem(_language_model, training)


def _language_model(patches: keras.KerasTensor) -> keras.KerasTensor:
    pretrained = load_encoder("smollm2", BLOCKS)
    blocks = build_blocks(pretrained.architecture, pretrained.config, "float32")
    blocks.set_weights(pretrained.weights)
    x = keras.layers.Dense(pretrained.config["hidden_dim"], name="embedding")(patches)
    x = keras.layers.Dropout(DROPOUT)(x)
    for block in [layer for layer in blocks.layers if layer.name.startswith("transformer_layer")]:
        block.trainable = True
        for part in block._flatten_layers(include_self=False, recursive=False):
            part.trainable = NORM in part.name
        x = block(x)
    x = keras.layers.RMSNormalization(name="last_norm")(x)
    x = keras.layers.Flatten()(keras.layers.Activation("gelu")(x))
    return keras.layers.LayerNormalization(name="features")(x)
