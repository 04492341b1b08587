"""The graph of a frozen language encoder, made of Keras Hub's transformer blocks."""

from __future__ import annotations

from typing import Any

import keras

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.checkpoint import first_line


def build_blocks(
    architecture: str, config: dict[str, Any], dtype: str | keras.DTypePolicy | None = None
) -> keras.Model:
    """Transformer blocks without trainable weights or dropout, randomly initialized.

    Args:
        architecture: `"gpt2"` or `"llama"`.
        config: arguments of the Keras Hub backbone (`vocabulary_size`, `num_layers`, `hidden_dim`, …), and
            `final_norm`: whether the norm behind the last block follows.
        dtype: or policy of the computation. Default: Keras's global policy.

    Returns:
        a functional model from `{"token_ids": int [batch, length], "padding_mask": int or bool [batch, length]}` to the
        hidden states `[batch, length, width]`. A token sees the tokens before it that the mask keeps. GPT-2 takes at
        most `max_sequence_length` tokens.

    Raises:
        InputError: Keras Hub is missing.
        ValueError: another architecture.
    """
    sizes = {**config}
    final_norm = sizes.pop("final_norm")
    if architecture == "gpt2":
        backbone = keras_hub_models().GPT2Backbone(**sizes, dropout=0.0, dtype=dtype)
    elif architecture == "llama":
        # Tied, it has no second embedding for predicted tokens, which are not asked for here.
        backbone = keras_hub_models().LlamaBackbone(**sizes, tie_word_embeddings=True, dtype=dtype)
    else:
        raise ValueError(f"architecture={architecture!r}: give 'gpt2' or 'llama'")
    return cut_backbone(backbone, sizes["num_layers"], final_norm)


def cut_backbone(backbone: Any, blocks: int, final_norm: bool) -> keras.Model:
    """The first blocks of a Keras Hub backbone, frozen; the same weights, none that the result does not need."""
    states = backbone.output if final_norm else backbone.transformer_layers[blocks - 1].output
    cut = keras.Model(backbone.input, states, name="language_blocks")
    cut.trainable = False
    return cut


def keras_hub_models() -> Any:
    """`keras_hub.models`, imported when first needed: it takes seconds.

    Raises:
        InputError: it is missing, or cannot be imported.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise InputError(
            f"language encoders need Keras Hub, which cannot be imported ({first_line(error)}); pip install keras-nlp"
        ) from error
    return keras_hub.models
