"""A sentence encoder from a folder as Hugging Face's sentence-transformers writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.checkpoint import as_weight, checksum, need_files, read_json
from deepfeatiot_tf.language.sentence_encoder import SentenceEncoder
from deepfeatiot_tf.language.unigram_file import read_unigram_pieces
from deepfeatiot_tf.language.vocabulary_file import read_word_pieces
from deepfeatiot_tf.language.word_pieces import WordPieces

CONFIG, WEIGHTS, VOCABULARY, TOKENIZER = "config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"
UNIGRAM = "tokenizer.json"
MODULES, LENGTH, POOLING = "modules.json", "sentence_bert_config.json", "config.json"
FILES = (CONFIG, WEIGHTS)
SIZES = (
    "vocab_size",
    "num_hidden_layers",
    "num_attention_heads",
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
)
ACTIVATIONS = {"gelu": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}
# What a checkpoint made for anything else would be computed wrongly with.
FIXED = {"position_embedding_type": "absolute", "is_decoder": False}
KINDS = ("Transformer", "Pooling", "Normalize")

# A tensor of the checkpoint by its name, after a look at its shape.
Tensor = Callable[[str, tuple[int, ...]], np.ndarray]


def read_bert_folder(folder: Path) -> SentenceEncoder:
    """Read `config.json`, `model.safetensors` and the vocabulary of a BERT, and what stands beside them.

    The vocabulary is `vocab.txt`, of WordPiece, or where that is missing `tokenizer.json`, of SentencePiece's unigram
    model, as multilingual encoders have it (paraphrase-multilingual-MiniLM-L12-v2). Words that an encoder wants before
    each text (`"query: "` of multilingual-e5-small) are not put there.

    `modules.json` and the folders it names say how a text becomes one vector; without it, it is the mean over the
    tokens. `tokenizer_config.json` says whether letters become lower case (they do without it), and
    `sentence_bert_config.json` how many tokens a text may have.

    Args:
        folder: with these files; the names of the tensors may begin with `bert.`.

    Raises:
        InputError: a file is missing or damaged, the model is no BERT or not one that can be computed, the tensors do
            not fit the settings, or the package `safetensors` or `tokenizers` is missing.
    """
    need_files(folder, FILES, "a Hugging Face folder of BERT")
    unigram = not (folder / VOCABULARY).is_file()
    if unigram and not (folder / UNIGRAM).is_file():
        names = ", ".join([*FILES, VOCABULARY])
        raise InputError(f"{folder}: {VOCABULARY} missing; a Hugging Face folder of BERT has {names} or {UNIGRAM}")
    settings = _settings(folder / CONFIG)
    pooling, normalize = _modules(folder, settings["hidden_size"])
    config = {
        "vocabulary_size": settings["vocab_size"],
        "num_layers": settings["num_hidden_layers"],
        "num_heads": settings["num_attention_heads"],
        "hidden_dim": settings["hidden_size"],
        "intermediate_dim": settings["intermediate_size"],
        "max_sequence_length": _length(folder, settings["max_position_embeddings"]),
        "activation": ACTIVATIONS[settings.get("hidden_act", "gelu")],
        "norm_epsilon": settings.get("layer_norm_eps", 1e-12),
    }
    return SentenceEncoder(
        name=folder.resolve().name,
        weights_from=f"folder {folder.resolve().name}",
        checksum=checksum(folder / WEIGHTS),
        architecture="bert",
        config=config,
        weights=_read_weights(folder / WEIGHTS, config, settings),
        tokenizer=(_unigram_pieces if unigram else _word_pieces)(folder, config),
        pooling=pooling,
        normalize=normalize,
    )


def _settings(path: Path) -> dict[str, Any]:
    settings = read_json(path)
    if settings.get("model_type") != "bert":
        raise InputError(
            f"{path}: model_type is {settings.get('model_type')!r}; of sentence encoders only 'bert' can be read"
        )
    for name in SIZES:
        if not isinstance(settings.get(name), int):
            raise InputError(f"{path}: {name} is missing or no whole number; copy the file again")
    if settings["hidden_size"] % settings["num_attention_heads"]:
        raise InputError(
            f"{path}: hidden_size {settings['hidden_size']} is not a multiple of num_attention_heads "
            f"{settings['num_attention_heads']}; copy the file again"
        )
    if settings.get("hidden_act", "gelu") not in ACTIVATIONS:
        raise InputError(f"{path}: hidden_act is {settings['hidden_act']!r}, only {', '.join(ACTIVATIONS)} are known")
    for name, known in FIXED.items():
        if settings.get(name, known) != known:
            raise InputError(f"{path}: {name} is {settings[name]!r}, only {known!r} can be computed")
    return settings


def _modules(folder: Path, width: int) -> tuple[str, bool]:
    """How states become one vector: the pooling, and whether it is normalized."""
    if not (folder / MODULES).is_file():
        return "mean", False
    kinds = {}
    for module in _json_list(folder / MODULES):
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind not in KINDS:
            raise InputError(f"{folder / MODULES}: has a module {kind or module!r}, only {', '.join(KINDS)} are known")
        kinds[kind] = module
    if "Pooling" not in kinds:
        return "mean", "Normalize" in kinds
    place = folder / str(kinds["Pooling"].get("path", "")) / POOLING
    if not place.is_file():
        raise InputError(f"{place}: missing, though {MODULES} names it; copy the folder again, whole")
    chosen = read_json(place)
    modes = {name.removeprefix("pooling_mode_") for name, on in chosen.items() if name.startswith("pooling_") and on}
    if chosen.get("pooling_mode"):
        modes = {str(chosen["pooling_mode"])}
    known = {"mean_tokens": "mean", "mean": "mean", "cls_token": "cls", "cls": "cls"}
    if len(modes) != 1 or not modes <= set(known):
        raise InputError(f"{place}: pools by {', '.join(sorted(modes)) or 'nothing'}, only mean or cls can be computed")
    if chosen.get("word_embedding_dimension", width) != width:
        raise InputError(f"{place}: pools vectors of another width than {width}; take both of the same checkpoint")
    return known[modes.pop()], "Normalize" in kinds


def _json_list(path: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: is no JSON ({error}); copy it again") from error
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise InputError(f"{path}: holds no list of modules; copy it again")
    return content


def _length(folder: Path, positions: int) -> int:
    """Tokens per text at most."""
    settings = read_json(folder / LENGTH) if (folder / LENGTH).is_file() else {}
    if settings.get("do_lower_case"):
        raise InputError(f"{folder / LENGTH}: do_lower_case is true, only the tokenizer's own can be computed")
    length = settings.get("max_seq_length") or positions
    if not isinstance(length, int) or not 2 <= length <= positions:
        raise InputError(f"{folder / LENGTH}: max_seq_length is {length!r}, the model has {positions} positions")
    return length


def _unigram_pieces(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    tokenizer = read_unigram_pieces(folder / UNIGRAM, config["max_sequence_length"])
    if len(tokenizer.vocabulary) > config["vocabulary_size"]:
        raise InputError(
            f"{folder / UNIGRAM}: has {len(tokenizer.vocabulary)} tokens, the embedding has "
            f"{config['vocabulary_size']} rows; take the vocabulary of the same checkpoint"
        )
    return tokenizer.get_config()


def _word_pieces(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    settings = read_json(folder / TOKENIZER) if (folder / TOKENIZER).is_file() else {}
    lower_case = bool(settings.get("do_lower_case", True))
    strip_accents = settings.get("strip_accents")
    return WordPieces(
        read_word_pieces(folder / VOCABULARY, config["vocabulary_size"]),
        lower_case=lower_case,
        strip_accents=lower_case if strip_accents is None else bool(strip_accents),
        split_ideographs=bool(settings.get("tokenize_chinese_chars", True)),
        length=config["max_sequence_length"],
    ).get_config()


def _read_weights(path: Path, config: dict[str, Any], settings: dict[str, Any]) -> list[np.ndarray]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError as error:
        raise InputError(f"{path}: reading it needs the package safetensors; pip install safetensors") from error
    try:
        with safe_open(path, framework="np") as file:
            names = set(file.keys())
            prefix = "" if "embeddings.word_embeddings.weight" in names else "bert."

            def tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
                older = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
                full = next((prefix + each for each in (name, older) if prefix + each in names), None)
                if full is None:
                    raise InputError(f"{path}: tensor {name} is missing; take weights and settings of one checkpoint")
                return as_weight(file.get_tensor(full), shape, name, path)

            return _in_order(tensor, config, settings)
    except SafetensorError as error:
        raise InputError(f"{path}: cannot be read ({error}); copy it again, whole") from error


def _in_order(tensor: Tensor, config: dict[str, Any], settings: dict[str, Any]) -> list[np.ndarray]:
    width = config["hidden_dim"]
    positions = tensor("embeddings.position_embeddings.weight", (settings["max_position_embeddings"], width))
    segments = tensor("embeddings.token_type_embeddings.weight", (settings.get("type_vocab_size", 2), width))
    weights = [
        tensor("embeddings.word_embeddings.weight", (config["vocabulary_size"], width)),
        positions[: config["max_sequence_length"]] + segments[0],
        *_pair(tensor, "embeddings.LayerNorm", (width,)),
    ]
    for index in range(config["num_layers"]):
        weights += _block(tensor, f"encoder.layer.{index}.", config)
    return weights


def _block(tensor: Tensor, prefix: str, config: dict[str, Any]) -> list[np.ndarray]:
    """Weights of one block. Hugging Face keeps kernels transposed, Keras Hub keeps those of the attention by head."""
    width, inner, heads = config["hidden_dim"], config["intermediate_dim"], config["num_heads"]
    weights = []
    for part in ("query", "key", "value"):
        kernel, bias = _pair(tensor, f"{prefix}attention.self.{part}", (width, width))
        weights += [kernel.T.reshape(width, heads, -1), bias.reshape(heads, -1)]
    kernel, bias = _pair(tensor, f"{prefix}attention.output.dense", (width, width))
    weights += [kernel.T.reshape(heads, -1, width), bias]
    weights += _pair(tensor, f"{prefix}attention.output.LayerNorm", (width,))
    weights += _pair(tensor, f"{prefix}output.LayerNorm", (width,))
    for part, shape in (("intermediate.dense", (inner, width)), ("output.dense", (width, inner))):
        kernel, bias = _pair(tensor, prefix + part, shape)
        weights += [kernel.T, bias]
    return weights


def _pair(tensor: Tensor, name: str, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    return tensor(f"{name}.weight", shape), tensor(f"{name}.bias", shape[:1])
