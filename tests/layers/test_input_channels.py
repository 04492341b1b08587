import numpy as np
import pytest
import tensorflow as tf
from checks import check_half_precision, check_layer, check_saving
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfeatiot_tf.layers import InputChannels

NAN = np.nan
AWKWARD = np.array(
    [
        [1.0, NAN, 3.0, 2.0, NAN, NAN],
        [NAN] * 6,
        [1e30, -1e30, NAN, 2.0, 2.0, 2.0],
        [5.0] * 6,
        [NAN, NAN, 7.0, NAN, NAN, NAN],
        [1013.25, 1013.26, 1013.25, 1013.24, 1013.25, 1013.25],
    ],
    "float32",
)


def test_passes_the_shared_check(tmp_path):
    check_layer(InputChannels(), AWKWARD, trainable=0, frozen=0, output_shape=(6, 6, 4))
    check_layer(InputChannels("paper"), AWKWARD[:1], trainable=0, frozen=0, output_shape=(1, 6, 1))
    check_half_precision(lambda dtype: InputChannels(dtype=dtype), AWKWARD)
    check_saving(InputChannels(), tmp_path / "layer.keras", AWKWARD)


def test_robust_channels_of_a_known_series():
    channels, length = InputChannels()(np.array([[0.0, NAN, 4.0, 2.0, NAN]], "float32"))
    assert length.numpy().tolist() == [4]
    level, shape, change, gap = channels.numpy()[0].T
    np.testing.assert_allclose(level, [0, np.log(3), np.log(5), np.log(3), 0], rtol=1e-6)  # gap filled with 2
    np.testing.assert_allclose(shape, np.array([-2, 0, 2, 0, 0]) / np.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(change, np.array([0, 2, 2, -2, 0]) / np.sqrt(3), rtol=1e-6)
    assert gap.tolist() == [0, 1, 0, 0, 0]


def test_paper_channels_are_the_raw_values_with_a_constant_for_missing():
    channels, length = InputChannels("paper", missing_value=-1)(AWKWARD)
    np.testing.assert_array_equal(channels[..., 0], np.where(np.isnan(AWKWARD), -1, AWKWARD))
    assert length.numpy().tolist() == [6] * 6


def test_extreme_readings_stay_bounded_because_float16_follows():
    values = np.array([[3e38, -3e38, 1.0], [1e-38, 0.0, -1e-38], [1e30, 1e30, 1e30]], "float32")
    channels = InputChannels()(values)[0].numpy()
    assert np.abs(channels).max() < 100


def test_small_steps_on_a_large_level_are_kept():
    channels = InputChannels()(np.array([[101325.0, 101330.0, 101325.0, 101330.0]], "float32"))[0].numpy()
    np.testing.assert_allclose(channels[0, :, 1], [-1, 1, -1, 1], atol=1e-5)


@pytest.mark.parametrize("level", [0.1, 21.3, 1013.25])
def test_gaps_do_not_make_a_steady_series_move(level):
    channels = InputChannels()(np.array([[level, *[NAN] * 36, level, NAN, NAN, level]], "float32"))[0].numpy()
    assert not channels[..., 1:3].any()


@settings(max_examples=25)
@given(st.integers(1, 12), st.integers(0, 9), st.integers(0, 2**31))
def test_trailing_padding_changes_nothing(time, padding, seed):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((3, time)) < 0.3, NAN, rng.normal(20, 5, (3, time))).astype("float32")
    padded = np.pad(values, [[0, 0], [0, padding]], constant_values=NAN)
    channels, length = InputChannels()(values)
    more, same_length = InputChannels()(padded)
    np.testing.assert_array_equal(length, same_length)
    np.testing.assert_allclose(more[:, :time], channels, atol=1e-5)
    assert not np.any(more[:, time:])


def test_works_inside_a_graph_of_unknown_length():
    layer = InputChannels()
    run = tf.function(lambda x: layer(x)[0], input_signature=[tf.TensorSpec([None, None])])
    np.testing.assert_allclose(run(AWKWARD), layer(AWKWARD)[0], atol=1e-6)


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="robust"):
        InputChannels("raw")
