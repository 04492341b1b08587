import keras
import numpy as np
import pytest
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import BiGRU


def small(**kwargs):
    return BiGRU((3, 2), **kwargs)


def gru_weights(inputs, units):
    return 2 * 3 * units * (inputs + units + 2)


def test_passes_the_shared_check(rng, tmp_path):
    channels = rng.normal(size=(3, 9, 4)).astype("float32")
    trainable = gru_weights(4, 3) + gru_weights(6, 2) + 2 * (6 + 4)
    check_layer(small(), channels, trainable=trainable, frozen=2 * (6 + 4), output_shape=(3, 4))
    check_half_precision(small, channels)
    check_saving(small(), tmp_path / "layer.keras", channels)


def test_default_output_is_the_papers_r128():
    assert BiGRU().compute_output_shape((None, 168, 1)) == (None, 128)


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("time", [1, 4, 10])
def test_trailing_padding_changes_nothing(rng, time, stride):
    channels = rng.normal(size=(2, time, 4)).astype("float32")
    layer = small(stride=stride)
    inside = np.full(2, time, "int32")
    padded = np.pad(channels, [[0, 0], [0, 7], [0, 0]])
    np.testing.assert_allclose(layer(padded, inside), layer(channels, inside), atol=1e-5)
    np.testing.assert_allclose(layer(channels), layer(channels, inside), atol=1e-5)


def test_stride_reads_the_means_of_consecutive_steps(rng):
    channels = rng.normal(size=(2, 12, 4)).astype("float32")
    means = channels.reshape(2, 4, 3, 4).mean(axis=2)
    np.testing.assert_allclose(small(stride=3)(channels), small()(means), atol=1e-5)


def test_without_relu_there_are_negative_answers(rng):
    channels = rng.normal(size=(8, 9, 4)).astype("float32")
    assert np.min(small()(channels)) == 0
    assert np.min(small(relu=False)(channels)) < 0


def test_a_series_without_readings_is_finite():
    assert np.isfinite(small()(np.zeros((1, 6, 4), "float32"), np.zeros(1, "int32"))).all()


@pytest.mark.parametrize("length", [[6, 3, 0], None])
def test_every_mask_is_one_that_cudnn_takes(monkeypatch, length):
    """On a GPU it refuses masks with gaps, and series of no steps at all."""
    masks = []
    call = keras.layers.Bidirectional.call

    def watched(self, sequences, initial_state=None, mask=None, training=None):
        masks.append(np.array(mask))
        return call(self, sequences, initial_state=initial_state, mask=mask, training=training)

    monkeypatch.setattr(keras.layers.Bidirectional, "call", watched)
    channels = np.ones((3, 6, 1), "float32")
    channels[1, 2:4] = channels[2] = 1e-16
    if length is None:
        small(mask_value=1e-16)(channels)
    else:
        small()(channels, np.array(length, "int32"))
    assert len(masks) == 2
    for mask in masks:
        assert mask[:, 0].all()
        assert (np.diff(mask.astype(int), axis=1) <= 0).all()


def test_stride_below_one_is_refused():
    with pytest.raises(ValueError, match="stride"):
        BiGRU(stride=0)


def test_steps_of_the_mask_value_are_passed_over(rng):
    signal = rng.normal(size=(2, 6, 1)).astype("float32")
    gap = np.insert(signal, 3, 1e-16, axis=1)
    layer = BiGRU((4, 3), mask_value=1e-16)
    np.testing.assert_allclose(layer(gap), layer(signal), atol=1e-6)
    unmasked = BiGRU((4, 3))
    assert np.abs(np.array(unmasked(gap)) - np.array(unmasked(signal))).max() > 1e-4


def test_a_mask_value_needs_single_steps():
    with pytest.raises(ValueError, match="stride 1 only"):
        BiGRU(stride=2, mask_value=0.0)
