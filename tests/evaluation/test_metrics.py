"""Expected values are worked out by hand, in the comments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from deepfeatiot_tf.evaluation import metrics

NAMES = ("co2", "humidity", "pressure")
TRUE = np.array([0, 0, 1, 1])
PROBABILITIES = np.array(
    [
        [0.90, 0.05, 0.05],  # right
        [0.05, 0.90, 0.05],  # co2 taken for humidity
        [0.10, 0.65, 0.25],  # right
        [0.10, 0.65, 0.25],  # right
    ]
)


@pytest.fixture
def scores():
    return metrics.scores(TRUE, PROBABILITIES, NAMES)


def test_scores_are_those_worked_out_by_hand(scores):
    assert scores["accuracy"] == 0.75
    assert scores["balanced_accuracy"] == 0.75  # recalls 1/2 and 1; pressure has no series
    # F1: co2 2·1/(2·1+0+1) = 2/3, humidity 2·2/(2·2+1+0) = 4/5; pressure does not occur
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert scores["weighted_f1"] == pytest.approx((2 * 2 / 3 + 2 * 4 / 5) / 4)
    assert scores["log_loss"] == pytest.approx(-np.log([0.9, 0.05, 0.65, 0.65]).mean())
    # squared errors: .01+.0025+.0025 = .015; .9025+.81+.0025 = 1.715; twice .01+.1225+.0625 = .195
    assert scores["brier"] == pytest.approx((0.015 + 1.715 + 2 * 0.195) / 4)
    assert scores["mean_confidence"] == pytest.approx(0.775)


def test_calibration_error_weighs_each_bin_by_its_series(scores):
    # bin of .90: two series, half right, gap .40; bin of .65: two series, all right, gap .35
    assert scores["ece"] == pytest.approx(0.5 * 0.40 + 0.5 * 0.35)


def test_bins_are_closed_above_so_that_certainty_and_zero_have_a_bin():
    table = metrics.reliability(np.array([0, 0]), np.array([[1.0, 0.0], [0.5, 0.5]]), bins=2)
    assert table["count"].tolist() == [1, 1]
    assert table["confidence"].tolist() == [0.5, 1.0]


def test_absent_class_is_named_and_left_out_of_macro_f1_until_something_is_taken_for_it():
    assert metrics.absent_classes(TRUE, NAMES) == ["pressure"]
    answered = PROBABILITIES.copy()
    answered[3] = [0.1, 0.2, 0.7]
    # co2 2/3; humidity 2·1/(2+1+1) = 1/2; pressure 0, because a series was taken for it
    assert metrics.scores(TRUE, answered, NAMES)["macro_f1"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_per_class_leaves_undefined_what_has_no_meaning():
    table = metrics.per_class(TRUE, PROBABILITIES, NAMES)
    assert table.loc["co2"].tolist() == [1, 0.5, pytest.approx(2 / 3), 2]
    assert table.loc["humidity"].tolist() == [pytest.approx(2 / 3), 1, pytest.approx(0.8), 2]
    assert table.loc["pressure", ["precision", "recall", "f1"]].isna().all()
    assert table.loc["pressure", "support"] == 0


def test_confusion_has_truth_in_rows():
    assert metrics.confusion(TRUE, PROBABILITIES).tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]


def test_log_loss_of_a_zero_probability_is_finite_and_of_half_precision_rows_quiet(recwarn):
    wrong = metrics.scores(np.array([0, 1]), np.array([[0, 1], [0, 1]], dtype=np.float32), NAMES[:2])
    assert wrong["log_loss"] == pytest.approx(-np.log(np.finfo(float).eps) / 2)
    metrics.scores(TRUE, PROBABILITIES.astype(np.float16), NAMES)
    assert not recwarn.list


@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 6), n=st.integers(1, 40))
@settings(max_examples=15)
def test_scores_agree_with_scikit_learn_and_ignore_the_order_of_series(seed, classes, n):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, n)
    probabilities = rng.dirichlet(np.ones(classes), n)
    names = [str(i) for i in range(classes)]
    found = metrics.scores(true, probabilities, names)
    for average in ("macro", "weighted"):
        expected = f1_score(true, probabilities.argmax(axis=1), average=average, zero_division=0)
        assert found[f"{average}_f1"] == pytest.approx(expected)
    order = rng.permutation(n)
    assert metrics.scores(true[order], probabilities[order], names) == pytest.approx(found)
    columns = rng.permutation(classes)
    renamed = metrics.scores(np.argsort(columns)[true], probabilities[:, columns], names)
    assert renamed == pytest.approx(found)


@given(true=st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_certain_and_right_is_perfect_by_every_score(true):
    found = metrics.scores(np.array(true), np.eye(4)[true], list("abcd"))
    ones = {"accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "mean_confidence"}
    assert found == pytest.approx({name: float(name in ones) for name in found}, abs=1e-12)


def test_interval_of_accuracy_is_that_of_the_binomial():
    n = 400
    true = np.zeros(n, dtype=int)
    probabilities = np.where(np.arange(n)[:, np.newaxis] < 300, [0.9, 0.1], [0.1, 0.9])
    low, high = metrics.intervals(true, probabilities)["accuracy"]
    half = 1.96 * np.sqrt(0.75 * 0.25 / n)  # normal approximation: 0.0424
    assert low == pytest.approx(0.75 - half, abs=0.003)
    assert high == pytest.approx(0.75 + half, abs=0.003)


def test_interval_of_macro_f1_agrees_with_resampling_series_one_by_one():
    rng = np.random.default_rng(3)
    true = rng.integers(0, 3, 60)
    probabilities = rng.dirichlet(np.ones(3), 60) + 0.6 * np.eye(3)[true]
    answers = probabilities.argmax(axis=1)
    rows = rng.integers(0, 60, (300, 60))
    resampled = [f1_score(true[r], answers[r], average="macro") for r in rows]
    expected = np.quantile(resampled, [0.025, 0.975])
    found = metrics.intervals(true, probabilities)["macro_f1"]
    assert found == pytest.approx(tuple(expected), abs=0.03)


def test_intervals_are_repeatable_and_do_not_promise_that_there_will_be_no_error():
    assert metrics.intervals(TRUE, PROBABILITIES) == metrics.intervals(TRUE, PROBABILITIES)
    perfect = metrics.intervals(TRUE, np.eye(3)[TRUE])
    z, n = 1.959964, len(TRUE)
    assert perfect == {"accuracy": (pytest.approx(n / (n + z**2)), pytest.approx(1.0)), "macro_f1": None}  # Wilson
