import numpy as np
import pytest

from deepfeatiot_tf.training.other_sites import check_units, other_sites

NAN = np.nan


def copies_of(record, unit):
    return other_sites(np.array([record], "float32"), [unit])[0]


def test_a_series_is_copied_to_fewer_decimals_in_its_own_unit_and_the_others():
    record = [20.04, 20.52, NAN, 21.36, 22.04, 23.4, 24.12, 25.16, 26.7]
    own = np.array(record)
    other = (own * 1.8 + 32).round(2)
    expected = [own.round(1), own.round(), other, other.round(1), other.round()]
    np.testing.assert_allclose(copies_of(record, "degC"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("unit", "reading", "others"),
    [
        ("degF", 50.0, [10.0]),
        ("hPa", 1013.25, [101.32, 29.92]),
        ("inHg", 29.92, [1013.21, 101.32]),
        ("m/s", 10.0, [36.0, 22.37, 19.44]),
        ("inch", 2.0, [50.8]),
        ("mile", 10.0, [16.09]),
        ("", 61.0, []),
    ],
)
def test_units_are_converted_as_the_tables_have_them(unit, reading, others):
    moving = [reading, *[2 * reading] * 8]
    first = copies_of(moving, unit)[:, 0].tolist()
    assert [round(each, 2) for each in others if any(abs(each - found) < 0.006 for found in first)] == others


def test_what_is_the_same_or_no_longer_moves_is_no_copy():
    assert not len(copies_of(np.arange(10), ""))
    np.testing.assert_allclose(copies_of([29.91, 29.92] * 5, ""), np.empty((0, 10)))
    assert len(copies_of([29.91, 29.98] * 5, "")) == 1
    assert len(copies_of([5.55] * 10, "")) == 2  # a sensor that never moved may stand still
    assert len(copies_of([20.1, 20.2, 21.3] * 4, "")) == 1  # in float32 these are not to one decimal


def test_rows_say_which_series_each_copy_is_of():
    readings = np.add.outer([0.25, 0.0, 7.25], np.arange(10)).astype("float32")
    copies, rows = other_sites(readings, ["degC", "", ""])
    assert sorted(rows.tolist()) == [0, 0, 0, 0, 0, 2, 2]
    np.testing.assert_array_equal(copies[rows == 2][1], readings[2].round())


def test_no_series_have_no_copies():
    copies, rows = other_sites(np.full((2, 9), NAN, "float32"), ["degC", ""])
    assert copies.shape == (0, 9)
    assert not len(rows)


def test_an_unknown_unit_is_refused():
    check_units(["degC", "", "mile"])
    with pytest.raises(ValueError, match="'celsius' is none of degC, degF, hPa"):
        check_units(["celsius"])
