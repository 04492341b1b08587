import numpy as np
import pytest

from deepfeatiot_tf.training.windows import default_windows, windows_of

NAN = np.nan


def test_halves_and_quarters_follow_each_other_and_end_in_missing_readings():
    series = np.arange(32, dtype="float32")[None]
    windows, rows = windows_of(series, (2, 4))
    assert windows.shape == (6, 32)
    np.testing.assert_array_equal(rows, 0)
    np.testing.assert_array_equal(windows[1, :16], np.arange(16, 32))
    np.testing.assert_array_equal(windows[4, :8], np.arange(16, 24))
    assert np.isnan(windows[:2, 16:]).all()
    assert np.isnan(windows[2:, 8:]).all()


def test_a_short_series_is_cut_where_it_has_readings():
    series = np.full((1, 100), NAN, "float32")
    series[0, 10:30] = np.arange(20)
    windows, _ = windows_of(series, (2,))
    np.testing.assert_array_equal(windows[:, :10], np.arange(20).reshape(2, 10))
    assert np.isnan(windows[:, 10:]).all()


def test_gaps_stay_and_windows_of_few_readings_are_left_out():
    gap = np.array([1, NAN, *[2] * 8, *[NAN] * 3, *[3] * 7, *[4] * 10], "float32")[None]
    windows, _ = windows_of(gap, (3,))
    assert len(windows) == 2  # the second third has seven
    assert np.isnan(windows[0, 1])
    sparse = np.where(np.arange(400) % 100 == 0, 1, NAN).astype("float32")[None]
    assert not len(windows_of(sparse, (2,))[0])


@pytest.mark.parametrize("readings", [np.full((2, 40), NAN), np.ones((2, 15)), np.ones((0, 40))])
def test_of_too_few_readings_there_are_no_windows(readings):
    windows, rows = windows_of(readings.astype("float32"), (2,))
    assert windows.shape == (0, readings.shape[1])
    assert rows.shape == (0,)


def test_each_window_knows_its_series():
    readings = np.repeat([[1.0], [NAN], [2.0]], 32, axis=1).astype("float32")
    windows, rows = windows_of(readings, (2,))
    np.testing.assert_array_equal(rows, [0, 0, 2, 2])
    np.testing.assert_array_equal(windows[:, 0], [1, 1, 2, 2])


def test_few_series_are_halved_and_many_are_not():
    assert default_windows(500) == (2,)
    assert default_windows(501) == ()
