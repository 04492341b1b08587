import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from checks import check_saving

from deepfeatiot_tf.language import NumberText, load_encoder
from deepfeatiot_tf.language.blocks import build_blocks
from deepfeatiot_tf.layers import LanguageFeatures
from deepfeatiot_tf.serving.plain_ops import check_plain
from tests.reference.byte_level_tokenizer import byte_level_tokenizer
from tests.reference.small_gpt2 import BLOCKS, POSITIONS, WIDTH, write_folder

NAN = np.nan
FEW = {"readings": 6, "storage": "float32"}  # the small model has 48 positions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("checkpoint") / "small")


@pytest.fixture(scope="module")
def layer(folder):
    return LanguageFeatures.from_pretrained(folder, **FEW)


@pytest.fixture(scope="module")
def readings():
    """Eleven series of 1 to 11 readings: more than the blocks take at once."""
    values = np.round(np.random.default_rng(0).normal(20, 300, (11, 12)), 1).astype("float32")
    values[:, 3] = NAN
    values[np.arange(12) > np.arange(11)[:, None]] = NAN
    return values


def by_hand(folder, series, text, tokens=None):
    """One series at a time: the reference tokenizer, the blocks on the whole vocabulary, the mean over its tokens."""
    encoder = load_encoder(folder)
    tokenizer = byte_level_tokenizer(encoder.vocabulary, encoder.merges, encoder.single_digits)
    blocks = build_blocks(encoder.architecture, encoder.config)
    blocks.set_weights(encoder.weights)
    means = []
    for row in series:
        pieces, there = text(row[None])
        ids = tokenizer.encode(b"".join(pieces.numpy()[there.numpy()]).decode()).ids[: tokens and tokens(row)]
        states = blocks({"token_ids": np.array([ids]), "padding_mask": np.ones((1, len(ids)))})
        means.append(np.mean(states, axis=1)[0])
    return np.array(means)


def test_is_the_mean_state_over_the_tokens_of_each_series(folder, layer, readings):
    expected = by_hand(folder, readings, NumberText(readings=6))
    np.testing.assert_allclose(layer(readings), expected, atol=1e-4)
    # Whatever else is in the batch, and in whatever order.
    np.testing.assert_allclose(layer(readings[::-1])[::-1], expected, atol=1e-4)
    np.testing.assert_allclose(layer(readings[4:5]), expected[4:5], atol=1e-4)


def test_as_published_the_text_ends_at_a_token_per_reading(folder, readings):
    layer = LanguageFeatures.from_pretrained(folder, text="published", storage="float32")
    count = lambda row: np.flatnonzero(np.isfinite(row)).max(initial=0) + 1  # noqa: E731
    np.testing.assert_allclose(layer(readings), by_hand(folder, readings, NumberText("published"), count), atol=1e-4)


def test_every_series_gives_finite_features(layer, rng):
    batches = {
        "nothing": np.full((3, 5), NAN),
        "no time": np.zeros((2, 0)),
        "one reading": np.array([[7.0]]),
        "infinite": np.array([[np.inf, -np.inf, 1.0]]),
        "huge": np.full((2, 4), 3e38),
        "tiny": np.full((2, 4), 1e-45),
        "a hundred thousand readings": rng.normal(size=(2, 100_000)),
    }
    for name, values in batches.items():
        features = layer(values.astype("float32")).numpy()
        assert features.shape == (len(values), WIDTH), name
        assert np.isfinite(features).all(), name
    assert tf.function(layer)(tf.zeros([0, 4])).shape == (0, WIDTH)  # a replica may get no series at all


def test_a_text_longer_than_the_positions_is_cut(folder, rng):
    series = rng.normal(size=(2, 60)).astype("float32")
    layer = LanguageFeatures.from_pretrained(folder, storage="float32")
    np.testing.assert_allclose(layer(series), by_hand(folder, series, NumberText(), lambda _: POSITIONS), atol=1e-4)


@pytest.mark.parametrize("storage", ["float16", "bfloat16", "float32"])
def test_weights_are_stored_in_the_type_asked_for(folder, layer, readings, storage, tmp_path):
    stored = LanguageFeatures.from_pretrained(folder, readings=6, storage=storage)
    assert {variable.dtype for variable in stored.weights} == {storage}
    assert stored(readings).dtype == tf.float32
    correlation = np.corrcoef(np.ravel(stored(readings)), np.ravel(layer(readings)))[0, 1]
    assert correlation > (0.99 if storage == "bfloat16" else 0.9999)
    check_saving(stored, tmp_path / "layer.keras", readings)


def test_nothing_learns_and_fit_moves_nothing(folder, readings):
    layer = LanguageFeatures.from_pretrained(folder, **FEW)
    assert not layer.trainable_weights
    before = [np.array(weight) for weight in layer.weights]
    inputs = keras.Input((None,))
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
    model.compile("sgd", "mse")
    model.fit(readings, np.ones(len(readings)), epochs=1, verbose=0)
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_half_precision_is_not_used_to_compute(folder, layer, readings):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = LanguageFeatures.from_pretrained(folder, **FEW)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(half(readings), layer(readings))


def test_the_graph_is_of_ops_that_every_server_has(layer):
    run = tf.function(layer, input_signature=[tf.TensorSpec([None, None], tf.float32)])
    check_plain(run.get_concrete_function().graph.as_graph_def())


def test_only_the_tokens_of_numbers_are_kept(layer):
    assert layer.weights[0].shape[0] == len(layer.get_config()["encoder"]["encoding"]["vocabulary"]) < 30


def test_says_which_encoder_weights_and_text_it_uses(folder, caplog):
    with caplog.at_level(logging.INFO, "deepfeatiot_tf"):
        layer = LanguageFeatures.from_pretrained(folder, 2, readings=9)
    described = layer.describe()
    assert described["encoder"] == "small"
    assert load_encoder(folder).checksum in described["weights"]
    assert described["blocks"] == "2" != str(BLOCKS)
    assert described["text"] == "plain, 4 digits, up to 9 readings (evenly spaced)"
    assert described["storage"] == "float16"
    assert str(described) in caplog.text


@pytest.mark.parametrize("option", ["text", "sampling", "storage"])
def test_an_unknown_option_is_refused_before_weights_are_read(option):
    with pytest.raises(ValueError, match="give one of"):
        LanguageFeatures.from_pretrained("no such folder", **{option: "huge"})
