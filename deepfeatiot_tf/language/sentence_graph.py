"""The parts of a sentence encoder by what its description says: its network and its tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from deepfeatiot_tf.language.bert_blocks import build_bert
from deepfeatiot_tf.language.unigram_pieces import UnigramPieces
from deepfeatiot_tf.language.use_blocks import build_use
from deepfeatiot_tf.language.word_pieces import WordPieces
from deepfeatiot_tf.language.word_tokenizer import WordTokenizer

GRAPHS: dict[str, Callable[..., keras.Model]] = {"bert": build_bert, "use": build_use}
TOKENIZERS: dict[str, type[WordTokenizer]] = {each.kind: each for each in (WordPieces, UnigramPieces)}


def build_sentence_graph(
    architecture: str, config: dict[str, Any], dtype: str | keras.DTypePolicy | None = None
) -> keras.Model:
    """The network of a `SentenceEncoder`, not yet with its weights; see `build_bert` and `build_use`."""
    return GRAPHS[architecture](config, dtype)


def tokenizer_of(config: Mapping[str, Any]) -> WordTokenizer:
    """The tokenizer that a `SentenceEncoder` describes."""
    # Runs that say nothing were saved when there was no other.
    return TOKENIZERS[config.get("kind", WordPieces.kind)].from_config(config)
