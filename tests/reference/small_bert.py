"""A BERT of two blocks in the files that sentence-transformers writes, drawn from a seed."""

import json
from pathlib import Path

import numpy as np

WIDTH, INNER, BLOCKS, HEADS, POSITIONS, LENGTH = 24, 40, 2, 3, 20, 12
PIECES = ("temp", "##erature", "hum", "##idity", "µ", "##g", "##m", "m", "##3", "°", "##c", "pm", "##10", "wind", "湿")
VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES, *"abc(){}[]:,%", "##a", "##b")
CONFIG = {
    "architectures": ["BertModel"],
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": POSITIONS,
    "model_type": "bert",
    "num_attention_heads": HEADS,
    "num_hidden_layers": BLOCKS,
    "type_vocab_size": 2,
    "vocab_size": len(VOCABULARY),
}


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """Large enough that attention chooses and GELU bends, unlike those a training starts from."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(0.0, 0.3, shape).astype("float32")

    drawn = {
        "embeddings.word_embeddings.weight": draw(len(VOCABULARY), WIDTH),
        "embeddings.position_embeddings.weight": draw(POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": draw(2, WIDTH),
        "embeddings.LayerNorm.weight": 1 + draw(WIDTH),
        "embeddings.LayerNorm.bias": draw(WIDTH),
    }
    for block in range(BLOCKS):
        prefix = f"encoder.layer.{block}."
        for name, rows, columns in (
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", INNER, WIDTH),
            ("output.dense", WIDTH, INNER),
        ):
            drawn[f"{prefix}{name}.weight"], drawn[f"{prefix}{name}.bias"] = draw(rows, columns), draw(rows)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            drawn[f"{prefix}{name}.weight"], drawn[f"{prefix}{name}.bias"] = 1 + draw(WIDTH), draw(WIDTH)
    drawn["pooler.dense.weight"], drawn["pooler.dense.bias"] = draw(WIDTH, WIDTH), draw(WIDTH)
    return drawn


def write_folder(folder: Path, *, prefix: str = "", pooling: str = "mean", normalize: bool = True, **config) -> Path:
    """The checkpoint as a folder of sentence-transformers.

    `prefix` goes before the names of the tensors, `config` replaces settings, `pooling` is mean or cls.
    """
    from safetensors.numpy import save_file

    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    (folder / "2_Normalize").mkdir(exist_ok=True)
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), *([("2_Normalize", "Normalize")] if normalize else [])]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
    files = {
        "config.json": {**CONFIG, **config},
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": LENGTH, "do_lower_case": False},
        "tokenizer_config.json": {"do_lower_case": True, "tokenizer_class": "BertTokenizer", "strip_accents": None},
        "1_Pooling/config.json": {
            "word_embedding_dimension": WIDTH,
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_mean_tokens": pooling == "mean",
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2))
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in VOCABULARY), encoding="utf-8")
    save_file(
        {prefix + name: tensor for name, tensor in tensors().items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder
