"""What a row has, and what the network makes of it: Presence, ModalityDropout, ModalityChoice."""

import numpy as np
import pytest
import tensorflow as tf
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import ModalityChoice, ModalityDropout, Presence

NAN = np.nan
READINGS = np.array([[1, NAN], [NAN, NAN], [0, 0], [NAN, NAN]], "float32")
TEXT = np.array([[0.1, 0, -0.2], [0, 1, 0], [0, 0, 0], [0, 0, 0]], "float32")
THERE = np.array([[1, 1], [0, 1], [1, 0], [0, 0]], "float32")


def test_presence_is_any_reading_and_any_text(tmp_path):
    found = check_layer(Presence(), READINGS, TEXT, trainable=0, frozen=0, output_shape=(4, 2))
    np.testing.assert_array_equal(found, THERE)
    check_saving(Presence(), tmp_path / "layer.keras", READINGS, TEXT)


@pytest.fixture
def pair(rng):
    return rng.normal(size=(4, 5)).astype("float32"), rng.normal(size=(4, 3)).astype("float32")


def test_modality_dropout_passes_the_shared_check(pair, tmp_path):
    check_layer(ModalityDropout(), *pair, THERE, trainable=0, frozen=0, output_shape=(4, 5))
    check_half_precision(lambda dtype: ModalityDropout(dtype=dtype), *pair, THERE)
    check_saving(ModalityDropout(), tmp_path / "layer.keras", *pair, THERE)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_one_of_two_is_taken_away_in_half_precision(pair, dtype):
    layer = ModalityDropout(rate=1.0, dtype=dtype)
    parts = tf.function(lambda *given: layer(*given, training=True))(*map(tf.constant, (*pair, THERE)))
    readings, metadata = (np.array(tf.cast(part, tf.float32)).any(axis=1) for part in parts)
    assert [part.dtype.name for part in parts] == [layer.compute_dtype] * 2
    assert (readings ^ metadata).tolist() == [True, True, True, False]


def test_what_is_not_there_is_zero(pair):
    x, y = (np.array(each) for each in ModalityDropout()(*pair, THERE))
    np.testing.assert_array_equal(x, pair[0] * THERE[:, :1])
    np.testing.assert_array_equal(y, pair[1] * THERE[:, 1:])


def test_training_takes_one_of_two_away_from_the_share_of_rows_asked_for():
    rows = 4000
    ones = np.ones((rows, 1), "float32")
    x, y = (np.array(each)[:, 0] for each in ModalityDropout(0.4)(ones, ones, np.ones((rows, 2)), training=True))
    assert abs((x == 0).mean() - 0.2) < 0.03
    assert abs((y == 0).mean() - 0.2) < 0.03
    assert not ((x == 0) & (y == 0)).any()
    # A row that has only one keeps it.
    alone = np.tile(np.array([[1.0, 0.0]], "float32"), (rows, 1))
    assert np.array(ModalityDropout(1.0)(ones, ones, alone, training=True)[0]).all()


def test_a_rate_that_is_no_share_is_refused():
    with pytest.raises(ValueError, match=r"rate is 1\.5"):
        ModalityDropout(1.5)


def test_the_answer_is_the_one_from_all_that_is_there(tmp_path):
    answers = [np.full((4, 2), value, "float32") for value in (1, 2, 3)]
    found = check_layer(ModalityChoice(), THERE, *answers, trainable=0, frozen=0, output_shape=(4, 2))
    np.testing.assert_array_equal(found[:, 0], [1, 3, 2, 1])
    check_saving(ModalityChoice(), tmp_path / "layer.keras", THERE, *answers)
