"""GPT-2 from a folder as Hugging Face's transformers writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.byte_pair_files import read_merges, read_vocabulary
from deepfeatiot_tf.language.checkpoint import as_weight, checksum, kept_blocks, need_files, read_json
from deepfeatiot_tf.language.encoder import LanguageEncoder

FILES = ("config.json", "model.safetensors", "vocab.json", "merges.txt")
SIZES = ("vocab_size", "n_layer", "n_head", "n_embd", "n_positions")
# What Keras Hub's GPT-2 computes; a checkpoint made for anything else would give other hidden states.
FIXED = {
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
    "layer_norm_epsilon": (1e-5,),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
}

# A tensor of the checkpoint by its name, after a look at its shape.
Tensor = Callable[[str, tuple[int, ...]], np.ndarray]


def read_hugging_face_folder(folder: Path, block: int | None = None) -> LanguageEncoder:
    """Read `config.json`, `model.safetensors`, `vocab.json` and `merges.txt` of a GPT-2.

    Args:
        folder: with these files; the names of the tensors may begin with `transformer.`.
        block: up to which to read. Default: all, and the norm behind them.

    Raises:
        InputError: a file is missing or damaged, the model is no GPT-2 or not one that Keras Hub computes, the tensors
            do not fit the settings, or there is no such block.
    """
    need_files(folder, FILES, "a Hugging Face folder of GPT-2")
    settings = _settings(folder / "config.json")
    blocks = kept_blocks(block, settings["n_layer"], folder)
    config = {
        "vocabulary_size": settings["vocab_size"],
        "num_layers": blocks,
        "num_heads": settings["n_head"],
        "hidden_dim": settings["n_embd"],
        "intermediate_dim": settings.get("n_inner") or 4 * settings["n_embd"],
        "max_sequence_length": settings["n_positions"],
        "final_norm": blocks == settings["n_layer"],
    }
    return LanguageEncoder(
        name=folder.resolve().name,
        weights_from=f"folder {folder.resolve().name}",
        checksum=checksum(folder / "model.safetensors"),
        architecture="gpt2",
        config=config,
        weights=_read_weights(folder / "model.safetensors", config),
        vocabulary=read_vocabulary(folder / "vocab.json", config["vocabulary_size"]),
        merges=read_merges(folder / "merges.txt"),
        single_digits=False,
    )


def _settings(path: Path) -> dict[str, Any]:
    settings = read_json(path)
    if settings.get("model_type") != "gpt2":
        raise InputError(
            f"{path}: model_type is {settings.get('model_type')!r}; of Hugging Face folders only 'gpt2' can be read"
        )
    for name in SIZES:
        if not isinstance(settings.get(name), int):
            raise InputError(f"{path}: {name} is missing or no whole number; copy the file again")
    if settings["n_embd"] % settings["n_head"]:
        raise InputError(
            f"{path}: n_embd {settings['n_embd']} is not a multiple of n_head {settings['n_head']}; copy the file again"
        )
    for name, known in FIXED.items():
        if settings.get(name, known[0]) not in known:
            raise InputError(f"{path}: {name} is {settings[name]!r}, only {known[0]!r} can be computed")
    return settings


def _read_weights(path: Path, config: dict[str, Any]) -> list[np.ndarray]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            names = set(file.keys())
            prefix = "" if "wte.weight" in names else "transformer."

            def tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
                if prefix + name not in names:
                    raise InputError(f"{path}: tensor {name} is missing; take weights and settings of one checkpoint")
                return as_weight(file.get_tensor(prefix + name), shape, name, path)

            return _in_order(tensor, config)
    except SafetensorError as error:
        raise InputError(f"{path}: cannot be read ({error}); copy it again, whole") from error


def _in_order(tensor: Tensor, config: dict[str, Any]) -> list[np.ndarray]:
    width = config["hidden_dim"]
    weights = [
        tensor("wte.weight", (config["vocabulary_size"], width)),
        tensor("wpe.weight", (config["max_sequence_length"], width)),
    ]
    for index in range(config["num_layers"]):
        weights += _block(tensor, f"h.{index}.", config)
    if config["final_norm"]:
        weights += [tensor("ln_f.weight", (width,)), tensor("ln_f.bias", (width,))]
    return weights


def _block(tensor: Tensor, prefix: str, config: dict[str, Any]) -> list[np.ndarray]:
    """Weights of one block. Hugging Face keeps query, key and value in one kernel, Keras Hub by head."""
    width, inner, heads = config["hidden_dim"], config["intermediate_dim"], config["num_heads"]
    kernels = np.split(tensor(prefix + "attn.c_attn.weight", (width, 3 * width)), 3, axis=1)
    biases = np.split(tensor(prefix + "attn.c_attn.bias", (3 * width,)), 3)
    by_head = [
        part
        for kernel, bias in zip(kernels, biases, strict=True)
        for part in (kernel.reshape(width, heads, -1), bias.reshape(heads, -1))
    ]
    return [
        *by_head,
        tensor(prefix + "attn.c_proj.weight", (width, width)).reshape(heads, -1, width),
        tensor(prefix + "attn.c_proj.bias", (width,)),
        tensor(prefix + "ln_1.weight", (width,)),
        tensor(prefix + "ln_1.bias", (width,)),
        tensor(prefix + "mlp.c_fc.weight", (width, inner)),
        tensor(prefix + "mlp.c_fc.bias", (inner,)),
        tensor(prefix + "mlp.c_proj.weight", (inner, width)),
        tensor(prefix + "mlp.c_proj.bias", (width,)),
        tensor(prefix + "ln_2.weight", (width,)),
        tensor(prefix + "ln_2.bias", (width,)),
    ]
