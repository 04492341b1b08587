import numpy as np
import pytest
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import SiblingFeatures, sibling_features

TIME = 60
FIRST, SECOND = [1.0, 0.0], [0.0, 1.0]
PER_COMPARISON = 5 * 2 + 1 + 2 * 2


@pytest.fixture
def fleet(rng):
    """Two devices; of each a high and a low sensor that move together, the low one half as far."""
    walks = rng.normal(size=(2, TIME)).cumsum(axis=1)
    values = np.concatenate([walks + 100.0, walks / 2 + 90.0]).astype("float32")
    return values, np.array([FIRST, FIRST, SECOND, SECOND], "float32")


def features(values, beliefs):
    return np.array(SiblingFeatures()(values, beliefs))


def test_it_is_a_layer_and_survives_saving(fleet, tmp_path):
    values, beliefs = fleet
    found = check_layer(SiblingFeatures(), values, beliefs, trainable=0, frozen=0, output_shape=(4, 2 * PER_COMPARISON))
    assert found.any()
    check_half_precision(SiblingFeatures, values, beliefs)
    check_saving(SiblingFeatures(), tmp_path / "model.keras", values, beliefs)


@pytest.mark.parametrize("offset", [0, PER_COMPARISON])
def test_the_sibling_of_each_type_is_the_one_that_moves_alike_and_it_is_told_which_lies_above(fleet, offset):
    values, beliefs = fleet
    found = features(values, beliefs)[:, offset:]
    r, _, apart, ratio, above = found[0, 5:10]  # of the second type, the sibling of row 0 is row 2
    assert r == pytest.approx(1.0, abs=1e-5)
    level = values[0].mean() - values[2].mean()
    assert apart == pytest.approx(np.arcsinh(level), rel=1e-3)
    assert ratio == pytest.approx(np.log(2.0), abs=1e-3)
    assert above == pytest.approx((values[0] > values[2]).mean() - 0.5, abs=1e-6)
    assert found[0, 0] < 0.9  # of its own type there is only the other device's
    best, known = found[0, 10], found[0, 11:13]
    assert best == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(known, SECOND, atol=1e-5)
    # The low sensor sees the same from below.
    assert found[2, 2] == pytest.approx(-apart, rel=1e-3)
    assert found[2, 3] == pytest.approx(-ratio, abs=1e-3)


def test_a_series_own_belief_is_not_looked_at(fleet):
    values, beliefs = fleet
    other = beliefs.copy()
    other[0] = SECOND
    np.testing.assert_allclose(features(values, other)[0], features(values, beliefs)[0], atol=1e-6)
    assert not np.allclose(features(values, other)[1:], features(values, beliefs)[1:])


def test_alone_there_is_nothing_to_say(fleet):
    values, beliefs = fleet
    assert not features(values[:1], beliefs[:1]).any()


def test_of_no_series_there_are_no_features(fleet):
    values, beliefs = fleet
    assert features(values[:0], beliefs[:0]).shape == (0, 2 * PER_COMPARISON)
    assert features(values[:0, :0], beliefs[:0]).shape == (0, 2 * PER_COMPARISON)


def test_missing_readings_count_for_nothing(fleet, rng):
    values, beliefs = fleet
    gaps = np.where(rng.random(values.shape) < 0.1, np.nan, values).astype("float32")
    longer = np.pad(gaps, [(0, 0), (0, 7)], constant_values=np.nan)
    found = features(gaps, beliefs)
    np.testing.assert_allclose(features(longer, beliefs), found, atol=1e-5)
    assert found[0, PER_COMPARISON + 5] > 0.8
    gaps[3] = np.nan
    lost = features(gaps, beliefs)
    assert np.isfinite(lost).all()
    assert not lost[3, [0, 5, 10]].any()


@pytest.mark.parametrize("value", [0.0, 1e30, -3e38])
def test_series_that_do_not_move_and_the_largest_readings_stay_finite(fleet, value):
    values, beliefs = fleet
    values[1] = value
    found = features(values, beliefs)
    assert np.isfinite(found).all()
    assert found[1, 10] == 0.0


@pytest.mark.parametrize("shape", [(4, 1), (4, 0)])
def test_series_of_one_reading_or_none_have_no_siblings(fleet, shape):
    assert np.isfinite(features(np.ones(shape, "float32"), fleet[1])).all()


@pytest.mark.parametrize("series", [5, 6, 7])
def test_many_series_are_compared_some_at_a_time(rng, monkeypatch, series):
    values = rng.normal(size=(series, TIME)).cumsum(axis=1).astype("float32")
    beliefs = rng.dirichlet([1, 1, 1], size=series).astype("float32")
    whole = features(values, beliefs)
    monkeypatch.setattr(sibling_features, "ELEMENTS", 3 * 3 * (series + TIME))  # three rows of three types
    np.testing.assert_allclose(features(values, beliefs), whole, atol=1e-5)
