"""GPT-2 from a Keras Hub preset: a folder, or one that Keras Hub offers for download."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.blocks import cut_backbone, keras_hub_models
from deepfeatiot_tf.language.byte_pair_files import read_merges, read_vocabulary
from deepfeatiot_tf.language.checkpoint import as_weight, checksum, first_line, kept_blocks, need_files, read_json
from deepfeatiot_tf.language.encoder import LanguageEncoder

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
VOCABULARY, MERGES = "assets/tokenizer/vocabulary.json", "assets/tokenizer/merges.txt"
FILES = (CONFIG, WEIGHTS, VOCABULARY, MERGES)
# kagglehub sets no limit of its own; without an answer, the operating system gives up after minutes.
SECONDS_TO_ANSWER = 45


def read_keras_preset(folder: Path, block: int | None = None) -> LanguageEncoder:
    """Read what `GPT2Backbone.save_to_preset` and `GPT2Tokenizer.save_to_preset` write.

    Args:
        folder: of the preset.
        block: up to which to keep. Default: all, and the norm behind them.

    Raises:
        InputError: a file is missing or damaged, the preset is no GPT-2, the weights do not fit the settings, there is
            no such block, or Keras Hub is missing.
    """
    need_files(folder, FILES, "a Keras preset of GPT-2")
    settings = read_json(folder / CONFIG)
    if settings.get("class_name") != "GPT2Backbone":
        raise InputError(
            f"{folder / CONFIG}: holds a {settings.get('class_name')}; of Keras presets only GPT2Backbone can be read"
        )
    models = keras_hub_models()
    try:
        backbone = models.GPT2Backbone.from_preset(str(folder), dtype="float32")
    except Exception as error:  # Keras raises whatever the damaged part led to
        raise InputError(
            f"{folder / WEIGHTS}: does not fit {CONFIG}, or is damaged ({first_line(error)}); copy both again"
        ) from error
    blocks = kept_blocks(block, backbone.num_layers, folder)
    final_norm = blocks == backbone.num_layers
    kept = cut_backbone(backbone, blocks, final_norm).weights
    return LanguageEncoder(
        name=folder.resolve().name,
        weights_from=f"folder {folder.resolve().name}",
        checksum=checksum(folder / WEIGHTS),
        architecture="gpt2",
        config={
            "vocabulary_size": backbone.vocabulary_size,
            "num_layers": blocks,
            "num_heads": backbone.num_heads,
            "hidden_dim": backbone.hidden_dim,
            "intermediate_dim": backbone.intermediate_dim,
            "max_sequence_length": backbone.max_sequence_length,
            "final_norm": final_norm,
        },
        weights=[as_weight(np.array(weight), tuple(weight.shape), weight.path, folder / WEIGHTS) for weight in kept],
        vocabulary=read_vocabulary(folder / VOCABULARY, backbone.vocabulary_size),
        merges=read_merges(folder / MERGES),
        single_digits=False,
    )


def fetch_preset(preset: str) -> Path:
    """The folder of a preset, from kagglehub's cache or else from Kaggle.

    Raises:
        InputError: Keras Hub is missing.
        Exception: whatever kagglehub raises without a network; TimeoutError if it gets no answer.
    """
    return fetch_files(keras_hub_models().GPT2Backbone.presets[preset]["kaggle_handle"], FILES)


def fetch_files(handle: str, names: Sequence[str]) -> Path:
    """The folder that has these files of a preset, from kagglehub's cache or else from Kaggle.

    Args:
        handle: of the preset, as Keras Hub writes it.
        names: of the files, the smallest first: whether there is an answer is seen from it.

    Raises:
        Exception: see `fetch_preset`.
    """
    import kagglehub

    handle = handle.removeprefix("kaggle://")
    first = _within(SECONDS_TO_ANSWER, lambda: kagglehub.model_download(handle, names[0]))
    for name in names[1:]:
        kagglehub.model_download(handle, name)
    return Path(first).parent


def _within(seconds: float, fetch: Callable[[], str]) -> str:
    """What `fetch` returns; TimeoutError if it takes longer. It is left running, and does not hold up the exit."""
    answer: Future[str] = Future()

    def run() -> None:
        try:
            answer.set_result(fetch())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(timeout=seconds)
