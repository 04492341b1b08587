import numpy as np
import pytest

from deepfeatiot_tf import InputError, Report, SensorReadings
from deepfeatiot_tf.evaluation.refusal import fit_refusal


def test_new_series_are_answered_as_precisely_as_asked(rng):
    def fleet(n):
        confidence = rng.uniform(0.3, 1.0, n)
        return confidence.astype(np.float32), rng.random(n) < confidence

    found = fit_refusal(*fleet(2000), precision=0.9)
    confidence, right = fleet(20_000)
    given = confidence >= np.float32(found.threshold)
    assert right[given].mean() == pytest.approx(0.9, abs=0.03)
    assert given.mean() == pytest.approx(found.answered, abs=0.03)


def test_the_threshold_is_the_lowest_that_will_do():
    confidence = np.linspace(0.1, 1.0, 100, dtype=np.float32)
    right = confidence > 0.5
    found = fit_refusal(confidence, right, 0.9)
    assert right[confidence >= found.threshold].mean() >= 0.9
    lower = confidence >= confidence[confidence < found.threshold].max()
    assert 1 - (np.sum(lower & ~right) + 1) / (lower.sum() + 1) < 0.9


def test_equal_confidences_are_answered_all_or_none():
    confidence = np.repeat(np.float32([0.9, 0.6]), 30)
    right = np.r_[np.ones(30, bool), np.ones(5, bool), np.zeros(25, bool)]
    assert fit_refusal(confidence, right, 0.9).answered == 0.5


def test_a_model_that_is_precise_anyway_refuses_nothing_it_was_held_to():
    assert fit_refusal(np.linspace(0.2, 1, 50), np.ones(50, bool), 0.9).answered == 1.0


def test_few_series_promise_little_even_without_an_error():
    with pytest.raises(InputError, match=r"0\.95 cannot be promised: 18 held-out series allow at most 0\.947"):
        fit_refusal(np.full(18, 0.9), np.ones(18, bool), 0.95)
    assert fit_refusal(np.full(19, 0.9), np.ones(19, bool), 0.95).answered == 1.0


@pytest.mark.parametrize("precision", [0.0, 1.0, 95.0, -0.5])
def test_a_precision_is_a_share(precision):
    with pytest.raises(InputError, match="give a share above 0 and below 1"):
        fit_refusal(np.full(30, 0.9), np.ones(30, bool), precision)


def test_no_series_at_all_are_one_clear_line():
    with pytest.raises(InputError, match="0 held-out series allow none"):
        fit_refusal(np.empty(0), np.empty(0, bool), 0.9)


def test_a_report_knows_from_which_confidence_on_its_model_is_right_often_enough():
    probabilities = np.array([[0.9, 0.1]] * 40 + [[0.6, 0.4]] * 20, np.float32)
    labels = ["a"] * 40 + ["b"] * 20
    report = Report(SensorReadings(np.ones((60, 2), np.float32), labels=labels), ("a", "b"), probabilities)
    refusal = report.refusal(0.95)
    assert refusal.threshold == pytest.approx(0.9)
    assert refusal.answered == pytest.approx(2 / 3)
