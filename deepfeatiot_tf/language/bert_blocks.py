"""The graph of a frozen BERT, made of Keras Hub's transformer blocks."""

from __future__ import annotations

import functools
from typing import Any

import keras

from deepfeatiot_tf.language.blocks import keras_hub_models

# BERT's own code computes the exact GELU, Keras Hub's presets were trained with its approximation; the two differ by up
# to 5e-4 at each neuron, so BertBackbone, which knows the latter only, cannot give the embeddings of the former.
ACTIVATIONS: dict[str, Any] = {
    "gelu": functools.partial(keras.activations.gelu, approximate=False),
    "gelu_tanh": functools.partial(keras.activations.gelu, approximate=True),
}


def build_bert(config: dict[str, Any], dtype: str | keras.DTypePolicy | None = None) -> keras.Model:
    """BERT's blocks without trainable weights or dropout, randomly initialized.

    Args:
        config: `vocabulary_size`, `num_layers`, `num_heads`, `hidden_dim`, `intermediate_dim`, `max_sequence_length`,
            `activation` (`"gelu"` or `"gelu_tanh"`) and `norm_epsilon`.
        dtype: or policy of the computation. Default: Keras's global policy.

    Returns:
        a functional model from `{"token_ids": int [batch, length], "padding_mask": int or bool [batch, length]}` to the
        hidden states `[batch, length, width]` of one segment, whose embedding is part of that of the positions. Its
        weights are in the order of Keras Hub's `BertBackbone`, without segments and pooler.

    Raises:
        InputError: Keras Hub is missing.
    """
    keras_hub_models()  # says what to do where Keras Hub is missing
    from keras_hub import layers as hub

    tokens = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="int32", name="padding_mask")
    x = keras.layers.Embedding(config["vocabulary_size"], config["hidden_dim"], dtype=dtype, name="token_embedding")(
        tokens
    )
    positions = hub.PositionEmbedding(config["max_sequence_length"], dtype=dtype, name="position_embedding")(x)
    x = keras.layers.Add(dtype=dtype)([x, positions])
    x = keras.layers.LayerNormalization(epsilon=config["norm_epsilon"], dtype=dtype, name="embeddings_norm")(x)
    for block in range(config["num_layers"]):
        x = hub.TransformerEncoder(
            config["intermediate_dim"],
            config["num_heads"],
            activation=ACTIVATIONS[config["activation"]],
            layer_norm_epsilon=config["norm_epsilon"],
            dtype=dtype,
            name=f"block_{block}",
        )(x, padding_mask=mask)
    model = keras.Model({"token_ids": tokens, "padding_mask": mask}, x, name="bert_blocks")
    model.trainable = False
    return model
