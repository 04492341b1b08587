import numpy as np
import pytest

from deepfeatiot_tf.training.augmentation import AUGMENTATIONS, augmented, with_noise

NAN = np.nan
ALL = len(AUGMENTATIONS)


@pytest.mark.parametrize("most", [1, 3])
def test_noise_is_some_steps_of_the_resolution_at_most_and_leaves_zeros_and_gaps(most):
    record = (np.random.default_rng(0).integers(0, 200, 6000) / 10).astype("float32")
    record[10:20] = NAN
    noisy = with_noise(record, most)
    np.testing.assert_array_equal(np.isnan(noisy), np.isnan(record))
    np.testing.assert_array_equal(noisy[record == 0], 0)
    moves = (noisy - record)[(record != 0) & ~np.isnan(record)] / 0.1
    np.testing.assert_allclose(moves, moves.round(), atol=1e-3)
    found, often = np.unique(moves.round(), return_counts=True)
    np.testing.assert_array_equal(found, np.arange(-most, most + 1))
    assert often.min() > 0.8 * often.max()


@pytest.mark.parametrize("level", [0.0, 21.5, 1e30])
def test_a_sensor_that_never_changes_has_no_noise(level):
    record = np.full(20, level, "float32")
    np.testing.assert_array_equal(with_noise(record, 1), record)


def test_the_second_copy_has_every_other_reading_from_the_first_on():
    series = np.array([[NAN, 0, 1, NAN, *range(3, 18), NAN, NAN]], "float32")
    copies, rows = augmented(series, 2)
    np.testing.assert_array_equal(copies[1, :9], [0, NAN, 4, 6, 8, 10, 12, 14, 16])
    assert np.isnan(copies[1, 9:]).all()
    np.testing.assert_array_equal(rows, [0, 0])


def test_copies_of_fewer_than_eight_readings_are_left_out():
    _, rows = augmented(np.stack([np.arange(14), np.r_[np.arange(7), [NAN] * 7]]).astype("float32"), ALL)
    np.testing.assert_array_equal(rows, [0, 0, 0])  # not at half the rate, and none of seven readings


def test_copies_are_alike_however_the_series_are_batched_and_padded():
    series = np.random.default_rng(0).normal(size=(6, 40)).round(2).astype("float32")
    together, rows = augmented(series, ALL)
    padded = np.pad(series, ((0, 0), (3, 9)), constant_values=NAN)
    one_by_one = [augmented(padded[i : i + 1], ALL)[0][:, :40] for i in range(6)]
    np.testing.assert_array_equal(together, np.concatenate(one_by_one))
    np.testing.assert_array_equal(rows, np.repeat(np.arange(6), ALL))


@pytest.mark.parametrize(
    ("readings", "copies"), [(np.full((2, 9), NAN), ALL), (np.ones((2, 9)), 0), (np.ones((0, 9)), ALL)]
)
def test_without_readings_or_asked_for_none_there_are_no_copies(readings, copies):
    altered, rows = augmented(readings.astype("float32"), copies)
    assert altered.shape == (0, 9)
    assert rows.shape == (0,)
