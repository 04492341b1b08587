"""A Llama, such as SmolLM2, from a GGUF file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.byte_pair_files import parse_merge
from deepfeatiot_tf.language.checkpoint import as_weight, checksum, first_line, kept_blocks
from deepfeatiot_tf.language.encoder import LanguageEncoder

# The tensors of a plain Llama. Others (biases, RoPE factors, experts) would change what the blocks compute.
TENSORS = {"token_embd.weight", "output_norm.weight", "output.weight"}
BLOCK_TENSORS = {
    f"{part}.weight"
    for part in ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]
}
# GGUF's names of how text is split before the merges, and whether that is into single digits.
SINGLE_DIGITS = {"gpt-2": False, "smollm": True}

# A tensor of the checkpoint by its name, after a look at its shape.
Tensor = Callable[[str, tuple[int, ...]], np.ndarray]


def read_gguf(path: Path, block: int | None = None) -> LanguageEncoder:
    """Read the blocks, vocabulary and merges of a Llama; quantized tensors become float32.

    Args:
        path: of the GGUF file.
        block: up to which to read. Default: all, and the norm behind them.

    Raises:
        InputError: the file is damaged, it is no plain Llama or has no byte-level BPE vocabulary, its tensors do not
            fit its settings, or there is no such block.
    """
    reader = _open(path)
    settings = _Settings(reader, path)
    settings.need("general.architecture", ("llama",))
    settings.need("tokenizer.ggml.model", ("gpt2",))
    settings.need("tokenizer.ggml.pre", SINGLE_DIGITS)
    tokens = settings["tokenizer.ggml.tokens"]
    config = _config(settings, len(tokens), block, path)
    return LanguageEncoder(
        name=path.stem,
        weights_from=f"file {path.name}",
        checksum=checksum(path),
        architecture="llama",
        config=config,
        weights=_read_weights(reader, path, config),
        vocabulary={token: token_id for token_id, token in enumerate(tokens)},
        merges=[parse_merge(merge, f"{path}, merges") for merge in settings["tokenizer.ggml.merges"]],
        single_digits=SINGLE_DIGITS[settings["tokenizer.ggml.pre"]],
    )


class _Settings:
    """The key-value part of a GGUF file."""

    def __init__(self, reader: Any, path: Path) -> None:
        self._reader = reader
        self._path = path

    def get(self, key: str, default: Any) -> Any:
        field = self._reader.get_field(key)
        return default if field is None else field.contents()

    def __getitem__(self, key: str) -> Any:
        value = self.get(key, None)
        if value is None:
            raise InputError(f"{self._path}: setting {key} is missing; take a complete GGUF file of a Llama")
        return value

    def need(self, key: str, known: Collection[str]) -> None:
        if self[key] not in known:
            raise InputError(f"{self._path}: {key} is {self[key]!r}; only {', '.join(known)} can be read")


def _open(path: Path) -> Any:
    import gguf

    try:
        return gguf.GGUFReader(path)
    except Exception as error:  # the reader has no error of its own: it trips over whatever is damaged
        raise InputError(f"{path}: no whole GGUF file ({first_line(error)}); copy it again") from error


def _config(settings: _Settings, tokens: int, block: int | None, path: Path) -> dict[str, Any]:
    total = settings["llama.block_count"]
    blocks = kept_blocks(block, total, path)
    width, heads = settings["llama.embedding_length"], settings["llama.attention.head_count"]
    if settings.get("llama.rope.scaling.type", "none") != "none":
        raise InputError(f"{path}: scales RoPE, which is not supported; take a plain Llama")
    if settings.get("llama.rope.dimension_count", width // heads) * heads != width:
        raise InputError(f"{path}: RoPE turns a part of each head, which is not supported; take a plain Llama")
    return {
        "vocabulary_size": tokens,
        "num_layers": blocks,
        "num_query_heads": heads,
        "num_key_value_heads": settings.get("llama.attention.head_count_kv", heads),
        "hidden_dim": width,
        "intermediate_dim": settings["llama.feed_forward_length"],
        "rope_max_wavelength": settings.get("llama.rope.freq_base", 10_000.0),
        "layer_norm_epsilon": settings["llama.attention.layer_norm_rms_epsilon"],
        "final_norm": blocks == total,
    }


def _read_weights(reader: Any, path: Path, config: dict[str, Any]) -> list[np.ndarray]:
    from gguf import GGMLQuantizationType, dequantize

    tensors = {tensor.name: tensor for tensor in reader.tensors}
    strange = {re.sub(r"^blk\.\d+\.", "", name) for name in tensors} - TENSORS - BLOCK_TENSORS
    if strange:
        raise InputError(f"{path}: has {', '.join(sorted(strange))}, which a plain Llama has not; take a plain Llama")

    def tensor(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name not in tensors:
            raise InputError(f"{path}: tensor {name} is missing; take a complete GGUF file of a Llama")
        stored = tensors[name]
        try:
            is_half = stored.tensor_type == GGMLQuantizationType.F16
            values = stored.data if is_half else dequantize(stored.data, stored.tensor_type)
        except NotImplementedError as error:
            raise InputError(
                f"{path}: {name} is stored as {stored.tensor_type.name}, which the package gguf cannot read; "
                "take a file in Q8_0 or F16"
            ) from error
        return as_weight(values, shape, name, path)

    width = config["hidden_dim"]
    weights = [tensor("token_embd.weight", (config["vocabulary_size"], width))]
    for index in range(config["num_layers"]):
        weights += _block(tensor, f"blk.{index}.", config)
    if config["final_norm"]:
        weights.append(tensor("output_norm.weight", (width,)))
    return weights


def _block(tensor: Tensor, prefix: str, config: dict[str, Any]) -> list[np.ndarray]:
    """Weights of one block. GGUF's kernels are `[out, in]`; Keras Hub's `[in, out]`, those of attention by head."""
    width, inner = config["hidden_dim"], config["intermediate_dim"]
    heads, key_heads = config["num_query_heads"], config["num_key_value_heads"]
    head = width // heads

    def kernel(name: str, inputs: int, outputs: int) -> np.ndarray:
        return tensor(f"{prefix}{name}.weight", (outputs, inputs)).T

    return [
        _rope_halves(kernel("attn_q", width, heads * head).reshape(width, heads, head)),
        _rope_halves(kernel("attn_k", width, key_heads * head).reshape(width, key_heads, head)),
        kernel("attn_v", width, key_heads * head).reshape(width, key_heads, head),
        kernel("attn_output", heads * head, width).reshape(heads, head, width),
        tensor(prefix + "attn_norm.weight", (width,)),
        kernel("ffn_up", width, inner),
        kernel("ffn_gate", width, inner),
        kernel("ffn_down", inner, width),
        tensor(prefix + "ffn_norm.weight", (width,)),
    ]


def _rope_halves(kernel: np.ndarray) -> np.ndarray:
    """The numbers of each head in Keras Hub's order, `[width, heads, head]`.

    RoPE turns them in pairs: GGUF has those side by side, Keras Hub half a head apart.
    """
    return np.concatenate([kernel[..., 0::2], kernel[..., 1::2]], axis=-1)
