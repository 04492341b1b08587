import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.comparison.significance import paired_difference, ranking, wins_ties_losses


def test_ranks_are_means_over_data_sets_with_ties_shared():
    scores = pd.DataFrame({"a": [0.9, 0.8, 0.7], "b": [0.8, 0.8, 0.6], "c": [0.1, 0.2, 0.3]}, index=["x", "y", "z"])
    found = ranking(scores)
    assert found.ranks.to_dict() == pytest.approx({"a": 3.5 / 3, "b": 5.5 / 3, "c": 3.0})
    assert list(found.ranks.index) == ["a", "b", "c"]
    assert found.data == 3


def test_critical_difference_of_four_systems_on_fourteen_data_sets():
    scores = pd.DataFrame(np.random.default_rng(0).random((14, 4)))
    # Demšar 2006: q = 2.569 for four systems at 5 %; times √(4 · 5 / (6 · 14)).
    assert ranking(scores).critical_difference == pytest.approx(2.569 * np.sqrt(20 / 84), abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 4), (5, 2)])
def test_too_little_to_rank_is_not_ranked(shape):
    assert ranking(pd.DataFrame(np.random.default_rng(0).random(shape))) is None


def test_systems_that_are_all_alike_are_not_told_apart():
    assert ranking(pd.DataFrame(np.ones((4, 3)))).p_value == 1


def test_wins_ties_losses_take_less_than_a_table_shows_for_a_tie():
    assert wins_ties_losses([0.9, 0.8, 0.7, 0.6], [0.8, 0.8001, 0.8, 0.7]) == (1, 1, 2)


def test_paired_difference_is_students_interval_and_cohens_d():
    found = paired_difference([5.0, 6.0, 7.0], [4.0, 4.0, 4.0])
    assert found.mean == 2
    reach = 4.302653 / np.sqrt(3)  # t of 2 degrees of freedom, sd 1
    assert (found.low, found.high) == pytest.approx((2 - reach, 2 + reach), abs=1e-5)
    assert found.cohens_d == pytest.approx(2 / np.sqrt(0.5))


def test_one_pair_has_a_difference_but_no_interval():
    found = paired_difference([0.9], [0.8])
    assert found.mean == pytest.approx(0.1)
    assert np.isnan([found.low, found.high, found.cohens_d]).all()
