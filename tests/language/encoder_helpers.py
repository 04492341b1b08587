"""What the tests of language encoders share."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.blocks import build_blocks
from deepfeatiot_tf.language.encoder import LanguageEncoder
from deepfeatiot_tf.language.sources import load_encoder
from tests.reference.small_gpt2 import MERGES, vocabulary


def hidden_states(encoder: LanguageEncoder, ids: np.ndarray, mask: np.ndarray, dtype: object = None) -> np.ndarray:
    blocks = build_blocks(encoder.architecture, encoder.config, dtype)
    blocks.set_weights(encoder.weights)
    return blocks({"token_ids": ids, "padding_mask": mask}).numpy()


def refused(source: object, says: str, block: int | None = None) -> str:
    """The message with which a source is refused: one line that says this."""
    with pytest.raises(InputError, match=says) as caught:
        load_encoder(source, block)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def write_small_llama(
    path: Path,
    settings: dict | None = None,
    tensors: dict[str, np.ndarray] | None = None,
    dtype: str = "float32",
) -> Path:
    """A Llama of two blocks as a GGUF file.

    `settings` and `tensors` replace its own, or take them out if None. Tensors of bytes are in Q8_0.
    """
    tokens, width, heads, key_heads, inner = list(vocabulary()), 32, 4, 2, 48
    rng = np.random.default_rng(0)
    kept_settings = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.embedding_length": width,
        "llama.feed_forward_length": inner,
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": key_heads,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.merges": [" ".join(pair) for pair in MERGES],
        **(settings or {}),
    }
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (len(tokens), width), "output_norm.weight": (width,)}
    for block in range(2):
        shapes |= {
            f"blk.{block}.attn_norm.weight": (width,),
            f"blk.{block}.attn_q.weight": (width, width),
            f"blk.{block}.attn_k.weight": (width // 2, width),
            f"blk.{block}.attn_v.weight": (width // 2, width),
            f"blk.{block}.attn_output.weight": (width, width),
            f"blk.{block}.ffn_norm.weight": (width,),
            f"blk.{block}.ffn_gate.weight": (inner, width),
            f"blk.{block}.ffn_up.weight": (inner, width),
            f"blk.{block}.ffn_down.weight": (width, inner),
        }
    kept_tensors = {
        **{name: rng.normal(0, 0.3, shape).astype(dtype if shape[1:] else "float32") for name, shape in shapes.items()},
        **(tensors or {}),
    }

    writer = gguf.GGUFWriter(path, kept_settings.pop("general.architecture"))
    add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string, list: writer.add_array}
    for key, value in kept_settings.items():
        if value is not None:
            add[type(value)](key, value)
    for name, tensor in kept_tensors.items():
        if tensor is not None:
            kind = gguf.GGMLQuantizationType.Q8_0 if tensor.dtype == np.uint8 else None
            writer.add_tensor(name, tensor, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
