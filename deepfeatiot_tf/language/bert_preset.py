"""A sentence encoder from a Keras Hub preset of BERT: a folder, or one that Keras Hub offers for download."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.blocks import keras_hub_models
from deepfeatiot_tf.language.checkpoint import as_weight, checksum, first_line, need_files, read_json
from deepfeatiot_tf.language.sentence_encoder import SentenceEncoder
from deepfeatiot_tf.language.vocabulary_file import read_word_pieces
from deepfeatiot_tf.language.word_pieces import WordPieces

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
TOKENIZER, VOCABULARY = "tokenizer.json", "assets/tokenizer/vocabulary.txt"
FILES = (CONFIG, WEIGHTS, TOKENIZER, VOCABULARY)


def read_bert_preset(folder: Path) -> SentenceEncoder:
    """Read what `BertBackbone.save_to_preset` and `BertTokenizer.save_to_preset` write.

    A preset says nothing of sentences: a text is the mean of its tokens, as sentence-transformers has it for a plain
    BERT.

    Args:
        folder: of the preset.

    Raises:
        InputError: a file is missing or damaged, the preset is no BERT, the weights do not fit the settings, or Keras
            Hub is missing.
    """
    need_files(folder, FILES, "a Keras preset of BERT")
    settings = read_json(folder / CONFIG)
    if settings.get("class_name") != "BertBackbone":
        raise InputError(
            f"{folder / CONFIG}: holds a {settings.get('class_name')}; "
            "of sentence encoders only BertBackbone can be read"
        )
    try:
        backbone = keras_hub_models().BertBackbone.from_preset(str(folder), dtype="float32")
    except InputError:
        raise
    except Exception as error:  # Keras raises whatever the damaged part led to
        raise InputError(
            f"{folder / WEIGHTS}: does not fit {CONFIG}, or is damaged ({first_line(error)}); copy both again"
        ) from error
    tokens, positions, segments, *rest = (
        as_weight(np.array(weight), tuple(weight.shape), weight.path, folder / WEIGHTS)
        for weight in backbone.weights
        if not weight.path.startswith("pooled_dense")
    )
    lower_case = bool(read_json(folder / TOKENIZER).get("config", {}).get("lowercase", False))
    tokenizer = WordPieces(
        read_word_pieces(folder / VOCABULARY, backbone.vocabulary_size),
        lower_case=lower_case,
        strip_accents=lower_case,
        length=backbone.max_sequence_length,
    )
    return SentenceEncoder(
        name=folder.resolve().name,
        weights_from=f"folder {folder.resolve().name}",
        checksum=checksum(folder / WEIGHTS),
        architecture="bert",
        config={
            "vocabulary_size": backbone.vocabulary_size,
            "num_layers": backbone.num_layers,
            "num_heads": backbone.num_heads,
            "hidden_dim": backbone.hidden_dim,
            "intermediate_dim": backbone.intermediate_dim,
            "max_sequence_length": backbone.max_sequence_length,
            "activation": "gelu_tanh",
            "norm_epsilon": 1e-12,
        },
        weights=[tokens, positions + segments[0], *rest],
        tokenizer=tokenizer.get_config(),
        pooling="mean",
        normalize=False,
    )
