import numpy as np
import pytest
import tensorflow as tf
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import RandomKernels
from deepfeatiot_tf.layers.random_kernels import _pool_call
from tests.reference.random_kernels_oracle import random_kernels


def draw(rng, batch, time, width):
    channels = rng.normal(size=(batch, time, width)).astype("float32")
    return channels, rng.integers(0, time + 1, batch).astype("int32")


@pytest.mark.parametrize("jit_compile", [True, False])
def test_passes_the_shared_check(rng, tmp_path, jit_compile):
    channels, _ = draw(rng, 5, 40, 2)
    layer = RandomKernels(6, jit_compile=jit_compile)
    assert layer.supports_jit is jit_compile  # what Keras asks before it compiles a step on a GPU
    check_layer(layer, channels, trainable=0, frozen=6 * 9, output_shape=(5, 12))
    check_half_precision(lambda dtype: RandomKernels(6, jit_compile=jit_compile, dtype=dtype), channels)
    check_saving(RandomKernels(6, jit_compile=jit_compile), tmp_path / "layer.keras", channels)


def test_centred_kernels_pass_the_shared_check(rng, tmp_path):
    channels, _ = draw(rng, 5, 40, 2)
    layer = RandomKernels(6, sampling="centred")
    check_layer(layer, channels, trainable=0, frozen=6 * 9 + 6, output_shape=(5, 6))
    check_saving(RandomKernels(6, sampling="centred"), tmp_path / "layer.keras", channels)


def test_centred_kernels_do_not_see_the_level(rng):
    layer = RandomKernels(200, sampling="centred")
    layer.build((None, 100, 1))
    np.testing.assert_allclose(np.sum(layer.kernel, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(layer.kernel, axis=0), 1, rtol=1e-5)
    channels, _ = draw(rng, 2, 100, 1)
    np.testing.assert_allclose(layer(channels + 7), layer(channels), atol=0.02)


@pytest.mark.parametrize("sampling", ["published", "centred"])
@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("time", [1, 8, 33, 70, 300])
def test_equals_the_numpy_oracle_for_series_of_any_length(rng, jit_compile, time, sampling):
    channels, lengths = draw(rng, 4, time, 2)
    channels *= np.arange(time)[None, :, None] < lengths[:, None, None]
    layer = RandomKernels(10, length=5, dilation=(1, 8), seed=3, jit_compile=jit_compile, sampling=sampling)
    found = layer(channels, lengths).numpy()
    # Ten kernels over eight groups, two each: the last three groups get none.
    dilations = np.array([1, 1, 1, 1, 2, 2, 2, 2, 4, 4])
    reads = np.array([0, 0, 1, 1, 0, 0, 1, 1, 0, 0])
    bias = np.zeros(layer.kernels) if layer.bias is None else np.array(layer.bias)
    expected = random_kernels(channels, lengths, np.array(layer.kernel), bias, dilations, reads)
    np.testing.assert_allclose(found, expected if sampling == "published" else expected[:, 10:], atol=1e-5)


def test_defaults_are_the_published_ones():
    layer = RandomKernels()
    layer.build((None, 100, 1))
    assert layer.kernel.shape == (9, 10_000)
    assert layer.dilation == 4
    assert abs(float(np.std(layer.kernel)) - 0.05) < 0.001


def test_one_series_gives_what_it_gives_among_many(rng):
    channels, lengths = draw(rng, 70, 50, 1)  # three XLA calls, the last one padded
    layer = RandomKernels(8)
    together = layer(channels, lengths).numpy()
    alone = np.concatenate([layer(channels[i : i + 1], lengths[i : i + 1]) for i in (0, 35, 69)])
    np.testing.assert_array_equal(together[[0, 35, 69]], alone)


def test_trailing_padding_changes_nothing(rng):
    channels, _ = draw(rng, 3, 50, 1)
    layer = RandomKernels(8)
    padded = np.pad(channels, [[0, 0], [0, 30], [0, 0]])
    np.testing.assert_allclose(layer(padded, np.full(3, 50, "int32")), layer(channels), atol=1e-6)


@pytest.mark.parametrize("jit_compile", [True, False])
def test_works_inside_a_graph_of_unknown_length(rng, jit_compile):
    channels, lengths = draw(rng, 3, 45, 1)
    layer = RandomKernels(8, jit_compile=jit_compile)
    run = tf.function(layer.call, input_signature=[tf.TensorSpec([None, None, 1]), tf.TensorSpec([None], tf.int32)])
    layer.build((None, None, 1))
    np.testing.assert_allclose(run(channels, lengths), layer(channels, lengths), atol=1e-6)


def test_layers_of_the_same_sizes_share_one_program(rng):
    channels, lengths = draw(rng, 3, 39, 1)
    first, second = RandomKernels(7, seed=0), RandomKernels(7, seed=1)
    answers = first(channels, lengths)
    compiled = _pool_call.experimental_get_tracing_count()
    assert not np.allclose(second(channels, lengths), answers)
    assert _pool_call.experimental_get_tracing_count() == compiled


def test_a_layer_that_was_built_inside_a_graph_works_outside(rng):
    channels, lengths = draw(rng, 3, 37, 1)
    layer = RandomKernels(6)
    inside = tf.function(layer)(channels, lengths)
    np.testing.assert_allclose(layer(channels, lengths), inside, atol=1e-6)


def test_the_seed_decides_the_kernels(rng):
    channels, _ = draw(rng, 2, 40, 1)
    same, other = RandomKernels(8, seed=1)(channels), RandomKernels(8, seed=2)(channels)
    np.testing.assert_array_equal(RandomKernels(8, seed=1)(channels), same)
    assert np.any(np.not_equal(same, other))


def test_a_hundred_thousand_readings_are_pooled(rng):
    channels = rng.normal(size=(1, 100_000, 1)).astype("float32")
    for jit_compile in (True, False):
        pooled = RandomKernels(4, jit_compile=jit_compile)(channels).numpy()
        assert np.isfinite(pooled).all()
        np.testing.assert_allclose(pooled[0, 4:], 0.5, atol=0.02)  # white noise: as often above 0 as below


@pytest.mark.parametrize("bad", [{"kernels": 0}, {"dilation": (8, 2)}, {"length": 0}])
def test_impossible_sizes_are_refused(bad):
    with pytest.raises(ValueError, match="positive"):
        RandomKernels(**bad)


def test_an_unknown_sampling_is_refused():
    with pytest.raises(ValueError, match="published, centred"):
        RandomKernels(sampling="rocket")
