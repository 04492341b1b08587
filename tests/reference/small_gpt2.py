"""A GPT-2 of three blocks in the files that Hugging Face's transformers writes, drawn from a seed."""

import json
from pathlib import Path

import numpy as np

WIDTH, BLOCKS, HEADS, POSITIONS = 32, 3, 4, 48
MERGES = [("1", "2"), ("12", "3"), ("Ġ", "1"), ("Ġ", "2"), ("Ġ1", "2"), (".", "5")]
CONFIG = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1,
    "embd_pdrop": 0.1,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": POSITIONS,
    "n_embd": WIDTH,
    "n_head": HEADS,
    "n_layer": BLOCKS,
    "n_positions": POSITIONS,
    "resid_pdrop": 0.1,
}


def vocabulary() -> dict[str, int]:
    """All bytes in GPT-2's order and spelling, the merged tokens, and the end of text."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [chr(256 + place) for place in range(256 - len(printable))]
    tokens = [chr(byte) for byte in printable] + hidden + [left + right for left, right in MERGES] + ["<|endoftext|>"]
    return {token: place for place, token in enumerate(tokens)}


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """Large enough that attention chooses and GELU bends, unlike those a training starts from."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0.0, 0.3, shape).astype("float32")

    drawn = {"wte.weight": draw(len(vocabulary()), WIDTH), "wpe.weight": draw(POSITIONS, WIDTH)}
    for block in range(BLOCKS):
        for name, rows, columns in (
            ("attn.c_attn", WIDTH, 3 * WIDTH),
            ("attn.c_proj", WIDTH, WIDTH),
            ("mlp.c_fc", WIDTH, 4 * WIDTH),
            ("mlp.c_proj", 4 * WIDTH, WIDTH),
        ):
            drawn[f"h.{block}.{name}.weight"], drawn[f"h.{block}.{name}.bias"] = draw(rows, columns), draw(columns)
        for name in ("ln_1", "ln_2"):
            drawn[f"h.{block}.{name}.weight"], drawn[f"h.{block}.{name}.bias"] = 1 + draw(WIDTH), draw(WIDTH)
    drawn["ln_f.weight"], drawn["ln_f.bias"] = 1 + draw(WIDTH), draw(WIDTH)
    return drawn


def token_rows() -> tuple[np.ndarray, np.ndarray]:
    """Three rows of tokens `[3, 10]` and their mask: ten, seven and one of them are meant."""
    ids = np.random.default_rng(1).integers(0, len(vocabulary()), (3, 10)).astype("int32")
    return ids, (np.arange(10) < np.array([10, 7, 1])[:, None]).astype("int32")


def write_folder(folder: Path, prefix: str = "", dtype: str = "float32") -> Path:
    """The checkpoint as a Hugging Face folder; `prefix` goes before the names of the tensors."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    words = vocabulary()
    ends = {"bos_token_id": len(words) - 1, "eos_token_id": len(words) - 1}
    (folder / "config.json").write_text(json.dumps({**CONFIG, "vocab_size": len(words), **ends}, indent=2))
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(f"{a} {b}" for a, b in MERGES), ""]))
    save_file(
        {prefix + name: tensor.astype(dtype) for name, tensor in tensors().items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder
