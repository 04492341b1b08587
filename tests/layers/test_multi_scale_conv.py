import numpy as np
import pytest
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import MultiScaleConv


def small(**kwargs):
    return MultiScaleConv((3, 5), (4, 2), depth=2, **kwargs)


def test_passes_the_shared_check(rng, tmp_path):
    channels = rng.normal(size=(3, 20, 4)).astype("float32")
    # Per kernel size k: 4·4k + 4, 4·4k + 4, 4·2k + 2, 2·2k + 2 weights.
    check_layer(small(), channels, trainable=12 + 44 * 3 + 12 + 44 * 5, frozen=0, output_shape=(3, 4))
    check_half_precision(small, channels)
    check_saving(small(), tmp_path / "layer.keras", channels)


def test_normalized_it_passes_too_and_its_running_statistics_are_those_of_the_steps_inside(rng, tmp_path):
    channels = rng.normal(size=(3, 20, 4)).astype("float32")
    layer = small(normalized=True)
    layer(channels)
    check_half_precision(lambda **kwargs: small(normalized=True, **kwargs), channels)
    check_saving(layer, tmp_path / "layer.keras", channels)
    padded = np.pad(channels, [[0, 0], [0, 11], [0, 0]], constant_values=50.0)
    for training in (False, True):
        inside = layer(channels, np.full(3, 20, "int32"), training=training)
        np.testing.assert_allclose(layer(padded, np.full(3, 20, "int32"), training=training), inside, atol=1e-4)


def test_default_output_is_the_papers_r256():
    assert MultiScaleConv().compute_output_shape((None, 168, 1)) == (None, 256)
    assert len(MultiScaleConv().stacks[0]) * MultiScaleConv().depth == 9


@pytest.mark.parametrize("time", [1, 2, 3, 13])
def test_trailing_padding_changes_nothing(rng, time):
    channels = rng.normal(size=(2, time, 4)).astype("float32")
    layer = small()
    padded = np.pad(channels, [[0, 0], [0, 11], [0, 0]])
    np.testing.assert_allclose(layer(padded, np.full(2, time, "int32")), layer(channels), atol=1e-5)


def test_a_series_without_readings_gives_zeros(rng):
    assert not np.any(small()(np.zeros((1, 6, 4), "float32"), np.zeros(1, "int32")))


def test_half_precision_counts_more_steps_than_float16_can(rng):
    layer = MultiScaleConv((3,), (2,), depth=1, dtype="mixed_float16")
    channels = np.ones((1, 5000, 1), "float32")
    np.testing.assert_allclose(layer(channels)[0], layer(channels[:, :100])[0], rtol=0.05, atol=0.01)


def test_no_series_at_all_have_features_of_the_same_width():
    layer = small()
    assert layer(np.zeros((0, 20, 4), "float32"), np.zeros(0, "int32")).shape == (0, 4)
    assert layer(np.zeros((2, 20, 4), "float32")).shape == (2, 4)
