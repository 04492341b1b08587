"""What a pretrained language model makes of readings that are written as text (DeepFeatIoT's fourth branch)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from deepfeatiot_tf.language import BytePairEncoding, LanguageEncoder, NumberText, load_encoder
from deepfeatiot_tf.language.blocks import build_blocks
from deepfeatiot_tf.language.by_length import masked_mean, pooled_by_length
from deepfeatiot_tf.language.number_text import series_lengths
from deepfeatiot_tf.language.storage import StoragePolicy

logger = logging.getLogger(__name__)

# Series that the blocks read at once.
SERIES_AT_ONCE = 8


@keras.saving.register_keras_serializable("deepfeatiot_tf")
class LanguageFeatures(keras.layers.Layer):
    """Readings as text, through a frozen language model, averaged over the tokens.

    Make it with `from_pretrained`. All of it is core TensorFlow ops: the text of the numbers, its tokens (see
    `NumberText` and `BytePairEncoding`), the transformer's blocks. It computes in float32 under every policy, since
    the states of such models leave the range of float16. Of the token embedding it keeps the tokens of numbers.

    Args:
        encoder: what `from_pretrained` found out about the language model: `name`, `weights_from`, `checksum`,
            `architecture`, `config`, and the `encoding` of text.
        text: options of `NumberText`.
        storage: type of the weights, `"float16"`, `"bfloat16"` or `"float32"`. Default `"float16"`.

    Input: readings float32 `[batch, time]` in the sensors' own units, NaN for missing, any time from 0 up.

    Output: float32 `[batch, width]`, the hidden states averaged over the tokens of each series (768 wide for GPT-2, 576
    for SmolLM2-135M). Finite for every series, one without readings too.

    Reference: DeepFeatIoT (arXiv 2508.09468), semantic features.
    """

    def __init__(self, encoder: dict[str, Any], text: dict[str, Any], storage: str = "float16", **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "trainable": False, "dtype": "float32"})
        self.encoder = encoder
        self.storage = storage
        self.supports_jit = False  # XLA knows no strings
        self._text = NumberText(**text)
        self._encoding = BytePairEncoding.from_config(encoder["encoding"])
        self._blocks = build_blocks(encoder["architecture"], encoder["config"], StoragePolicy(storage))

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        block: int | None = None,
        *,
        text: str = "plain",
        readings: int = 60,
        digits: int = 4,
        sampling: str = "thin",
        storage: str = "float16",
        **kwargs: Any,
    ) -> LanguageFeatures:
        """With the weights of a pretrained model.

        Args:
            source: `"gpt2"` (or another of its sizes), `"smollm2"`, a folder or a file; see `load_encoder`.
            block: after which block to take the hidden states. Default: see `load_encoder`.
            text: style of the text, `"plain"` or `"published"`. Default `"plain"`.
            readings: written at most per series; see `NumberText`. Default 60.
            digits: significant ones of a reading. Default 4.
            sampling: how a longer series is brought to that many readings. Default `"thin"`.
            storage: type of the weights. Default `"float16"`.
            **kwargs: as for a Keras layer.

        Raises:
            InputError: the weights cannot be had.
            ValueError: an option is not known.
        """
        number_text = NumberText(text, readings, digits, sampling)
        StoragePolicy(storage)  # before gigabytes are read
        pretrained = load_encoder(source, block)
        encoding = BytePairEncoding(pretrained.vocabulary, pretrained.merges, pretrained.single_digits)
        pretrained = pretrained.with_vocabulary(encoding.token_ids)
        layer = cls(_described(pretrained, encoding), number_text.get_config(), storage, **kwargs)
        for variable, weight in zip(layer._blocks.weights, pretrained.weights, strict=True):
            variable.assign(weight)
        logger.info("language features: %s", layer.describe())
        return layer

    def call(self, readings: tf.Tensor) -> tf.Tensor:
        tokens, mask = self._encoding(*self._text(readings))
        if self._text.style == "published":
            mask &= tf.sequence_mask(tf.maximum(series_lengths(readings), 1), tf.shape(tokens)[1])
        longest = self.encoder["config"].get("max_sequence_length")
        tokens, counts = tokens[:, :longest], tf.reduce_sum(tf.cast(mask[:, :longest], tf.int32), axis=1)
        return pooled_by_length(tokens, counts, SERIES_AT_ONCE, self._width, self._averaged)

    def _averaged(self, tokens: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        return masked_mean(self._blocks({"token_ids": tokens, "padding_mask": mask}), mask)

    @property
    def _width(self) -> int:
        return self.encoder["config"]["hidden_dim"]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self._width)

    def describe(self) -> dict[str, str]:
        """Which encoder, weights and text these features come from, for logs and reports."""
        return {
            "encoder": self.encoder["name"],
            "weights": f"{self.encoder['weights_from']}, SHA-256 {self.encoder['checksum']}",
            "blocks": str(self.encoder["config"]["num_layers"]),
            "text": self._text.describe(),
            "storage": self.storage,
        }

    def get_config(self) -> dict:
        own = {"encoder": self.encoder, "text": self._text.get_config(), "storage": self.storage}
        return {**super().get_config(), **own}


def _described(encoder: LanguageEncoder, encoding: BytePairEncoding) -> dict[str, Any]:
    return {
        "name": encoder.name,
        "weights_from": encoder.weights_from,
        "checksum": encoder.checksum,
        "architecture": encoder.architecture,
        "config": encoder.config,
        "encoding": encoding.get_config(),
    }
