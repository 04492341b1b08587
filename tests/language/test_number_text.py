import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from deepfeatiot_tf.language import NumberText
from deepfeatiot_tf.language.number_text import ALPHABET

NAN = np.nan
NUMBERS = st.builds(
    lambda digits, power: float(np.float32(digits * 10.0**power)), st.integers(-(10**8), 10**8), st.integers(-37, 30)
)


def written(values, **options) -> list[str]:
    """The text of each series."""
    texts, present = NumberText(**options)(tf.constant(np.atleast_2d(np.float32(values))))
    rows = zip(texts.numpy(), present.numpy(), strict=True)
    return [b"".join(row[there]).decode() for row, there in rows]


def test_readings_stand_in_order_with_a_space_between():
    assert written([[21.5, NAN, -0.25], [7, 8, NAN]]) == ["21.5 nan -0.25", "7 8"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.0, "0"),
        (1e-7, "1e-07"),
        (1e20, "1e+20"),
        (1e-45, "0"),
        (3.4028235e38, "3.403e+38"),
        (NAN, "nan"),
        (np.inf, "nan"),
        (-np.inf, "nan"),
        (0.12345678901234567, "0.1235"),
        (12345678901234567, "1.235e+16"),
        (101325, "1.013e+05"),
        (100.0, "100"),
        (20.10, "20.1"),
        (0.1 + 0.2, "0.3"),
        (-999, "-999"),
        (9999.6, "1e+04"),
    ],
)
def test_a_reading_as_text(value, text):
    assert written([value]) == [text]


@pytest.mark.parametrize("digits", [1, 2, 6, 9])
@settings(max_examples=30)
@given(st.lists(NUMBERS, min_size=30, max_size=30))
def test_digits_are_those_of_printf(digits, values):
    expected = [f"{value + 0.0:.{digits}g}" for value in values]
    assert written(values, digits=digits) == [" ".join(expected)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(23.4, "[23.4]"), (5, "[5.]"), (-0.0, "[-0.]"), (NAN, "[nan]"), (1e-7, "[1.e-07]"), (1e20, "[1.e+20]"),
     (0.0001, "[0.0001]"), (99999992, "[99999990.]"), (101325, "[101325.]"), (0.040759485, "[0.04075949]"),
     (12345678, "[12345678.]"), (1.17549435e-38, "[1.1754944e-38]")],
)  # fmt: skip
def test_a_reading_as_published(value, text):
    assert written([value], style="published") == [text]


@settings(max_examples=30)
@given(st.lists(st.floats(-999999, 999999, width=32, allow_subnormal=False), min_size=90, max_size=90))
def test_the_published_style_is_numpys(values):
    shown = [str(np.array([value], np.float32)) for value in values[:30]]
    assert written(values, style="published") == [" ".join(shown)]


def test_the_published_style_writes_what_a_token_per_reading_can_hold():
    assert written(np.arange(7.0), style="published") == ["[0.] [1.] [2.]"]


def test_thinning_goes_from_the_first_reading_to_the_last():
    assert written(np.arange(10.0), readings=4) == ["0 3 6 9"]
    assert written(np.arange(100_000.0), readings=3, digits=6) == ["0 49999 99999"]
    assert written([[0, 1, 2, 3, 4, NAN], [0, 1, NAN, NAN, NAN, NAN]], readings=3) == ["0 2 4", "0 1"]
    assert written([5.0, 6.0], readings=1) == ["5"]


def test_averaging_leaves_out_what_is_missing():
    assert written([1, 3, 5, NAN, NAN, NAN, 7, 9], readings=4, sampling="mean") == ["2 5 nan 8"]
    assert written([[0, 2, 4, 6, NAN, NAN, NAN], [1, 2, NAN, NAN, NAN, NAN, NAN]], readings=2, sampling="mean") == [
        "1 5",
        "1 2",
    ]
    assert written(np.full(1000, 3e38), readings=2, sampling="mean") == ["3e+38 3e+38"]


def test_cutting_takes_the_first():
    assert written(np.arange(10.0), readings=4, sampling="cut") == ["0 1 2 3"]


@pytest.mark.parametrize("style", ["plain", "published"])
@pytest.mark.parametrize("shape", [(2, 0), (2, 1), (2, 5)])
def test_a_series_without_readings_is_one_nan(style, shape):
    text = "nan" if style == "plain" else "[nan]"
    assert written(np.full(shape, NAN), style=style) == [text, text]


def test_a_batch_may_be_empty():
    texts, present = NumberText()(tf.zeros([0, 5]))
    assert texts.shape[0] == present.shape[0] == 0


def test_all_that_is_written_is_in_the_alphabet(rng):
    values = rng.normal(size=(20, 50)) * 10.0 ** rng.uniform(-40, 38, (20, 50))
    values[rng.random(values.shape) < 0.1] = NAN
    for style in ("plain", "published"):
        assert set("".join(written(values, style=style))) <= set(ALPHABET)


def test_a_decimal_comma_becomes_a_point(monkeypatch):
    """As where the process's locale has one; the C locale of the tests has not."""
    as_string = tf.strings.as_string
    monkeypatch.setattr(
        tf.strings,
        "as_string",
        lambda *args, **options: tf.strings.regex_replace(as_string(*args, **options), r"\.", ","),
    )
    assert written([21.5, -1.25e-9]) == ["21.5 -1.25e-09"]
    assert written([21.5, 1.25e-9, 0, 0, 0, 0], style="published") == ["[21.5] [1.25e-09]"]


def test_options_come_back():
    options = {"style": "plain", "readings": 7, "digits": 2, "sampling": "mean"}
    assert NumberText(**options).get_config() == options


@pytest.mark.parametrize(
    ("options", "says"),
    [({"style": "json"}, "style"), ({"sampling": "max"}, "sampling"), ({"readings": 0}, "readings"),
     ({"digits": 10}, "digits")],
)  # fmt: skip
def test_impossible_options_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        NumberText(**options)
