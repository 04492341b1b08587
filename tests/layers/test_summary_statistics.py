import numpy as np
import pytest
import tensorflow as tf
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import SummaryStatistics
from deepfeatiot_tf.layers.summary_statistics import LAGS, QUANTILES, STEP_QUANTILES

NAN = np.nan


def log(x):
    x = np.asarray(x, "float64")
    return np.sign(x) * np.log1p(np.abs(x))


def test_passes_the_shared_check(rng, tmp_path):
    readings = rng.normal(20, 5, (4, 30)).astype("float32")
    check_layer(SummaryStatistics(), readings, trainable=0, frozen=0, output_shape=(4, 35))
    check_half_precision(lambda dtype: SummaryStatistics(dtype=dtype), readings)
    check_saving(SummaryStatistics(), tmp_path / "layer.keras", readings)


def test_equals_numpy_on_a_series_with_gaps(rng):
    series = np.round(rng.normal(0, 50, 60), 1)
    series[[5, 6, 30]] = NAN
    series[10] = 0.0
    series[12] = series[11]
    found = SummaryStatistics()(series[None].astype("float32")).numpy()[0]
    known = series[~np.isnan(series)]
    change = np.diff(series)
    change = change[~np.isnan(change)]
    filled = np.interp(np.arange(60), np.flatnonzero(~np.isnan(series)), known)
    centred = filled - filled.mean()
    expected = [
        *log(np.quantile(known, QUANTILES)), *log([known.mean(), known.std()]),
        *log(np.quantile(change, QUANTILES)), *log([change.mean(), change.std()]),
        np.mean(known == 0), np.mean(known < 0), np.mean(change == 0),
        np.mean(known == np.round(known)), 1.0, 1.0,
        *[(centred[:-lag] * centred[lag:]).sum() / (centred**2).sum() for lag in LAGS],
        *np.log(np.quantile(np.abs(change[change != 0]), STEP_QUANTILES)),
        len(set(known)) / len(known),
        3 / 60,
    ]  # fmt: skip
    np.testing.assert_allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize("places", [0, 1, 2])
def test_resolution_is_read_off_float32(rng, places):
    series = np.round(rng.uniform(-999, 999, (1, 200)), places).astype("float32")
    shares = SummaryStatistics()(series).numpy()[0, 21:24]
    np.testing.assert_allclose(shares[places:], 1.0)
    assert np.all(shares[:places] < 0.3)


def test_a_steady_series_has_one_reading_and_no_step():
    steps_and_distinct = SummaryStatistics()(np.array([[20.5, 20.5, NAN, 20.5]], "float32")).numpy()[0, 30:34]
    np.testing.assert_allclose(steps_and_distinct, [*[np.log(1e-6)] * 3, 1 / 3], rtol=1e-6)


@pytest.mark.parametrize("level", [0.1, 0.7, 21.3, 1013.25])
def test_a_steady_series_is_not_correlated_with_itself(level):
    readings = np.where(np.arange(145) % 48 == 0, level, NAN).astype("float32")[None]
    for series in (readings, np.full((1, 145), level, "float32")):
        assert not SummaryStatistics()(series).numpy()[0, 24:30].any()


def test_extreme_series_are_finite():
    readings = np.array([[NAN] * 5, [1e30, -1e30, 1e30, NAN, 1e30], [3e38, -3e38, 0, 0, 0], [1e-38] * 5], "float32")
    statistics = SummaryStatistics()(readings).numpy()
    assert np.isfinite(statistics).all()
    assert not np.any(np.delete(statistics[0], [30, 31, 32]))
    np.testing.assert_allclose(statistics[1, 0], -np.log(1e30), rtol=1e-5)


def test_a_fill_value_at_the_end_of_float32_leaves_the_median():
    readings = np.where(np.arange(40) == 7, 9.96921e36, 20.0).astype("float32")[None]
    statistics = SummaryStatistics()(readings).numpy()[0]
    np.testing.assert_allclose(statistics[[0, 3, 6]], np.log([21, 21, 9.96921e36]), rtol=1e-5)


@pytest.mark.parametrize("time", [1, 2, 30])
def test_trailing_padding_changes_nothing(rng, time):
    readings = rng.normal(20, 5, (3, time)).astype("float32")
    padded = np.pad(readings, [[0, 0], [0, 8]], constant_values=NAN)
    np.testing.assert_allclose(SummaryStatistics()(padded), SummaryStatistics()(readings), atol=1e-5)


def test_works_inside_a_graph_of_unknown_length(rng):
    readings = rng.normal(size=(2, 9)).astype("float32")
    run = tf.function(SummaryStatistics().call, input_signature=[tf.TensorSpec([None, None])])
    np.testing.assert_allclose(run(readings), SummaryStatistics()(readings), atol=1e-5)
