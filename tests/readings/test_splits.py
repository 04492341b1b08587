import logging

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import SensorReadings, split
from deepfeatiot_tf.readings.splits import count_shared_rows, group_duplicates

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.floats(0.05, 0.6)


def fleet(sizes, *, width=3) -> SensorReadings:
    """`sizes[i]` distinct series of class i, shuffled."""
    labels = np.repeat([f"type {i}" for i in range(len(sizes))], sizes)
    values = np.random.default_rng(0).permutation(len(labels))[:, None] + np.zeros(width)
    return SensorReadings(values, labels=np.random.default_rng(1).permutation(labels))


@st.composite
def fleets_with_duplicates(draw) -> SensorReadings:
    """Small whole readings, some missing, so that many rows are equal, with the same or another label."""
    n = draw(st.integers(8, 60))
    cell = st.sampled_from([0.0, -0.0, 1.0, 2.0, np.nan])
    values = np.array(draw(st.lists(st.tuples(cell, cell), min_size=n, max_size=n)))
    labels = draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    return SensorReadings(values, labels=labels, class_names=["a", "b"])


def part_of_each(readings, parts):
    return {id: i for i, part in enumerate(parts) for id in part.ids}


@settings(max_examples=60)
@given(st.lists(st.integers(2, 40), min_size=2, max_size=6), SEEDS, SHARES, SHARES)
def test_parts_are_disjoint_complete_and_stratified_within_one_row(sizes, seed, test, validation):
    readings = fleet(sizes)
    train, val, tested = split(readings, seed=seed, test=test, validation=validation)
    assert sorted([*train.ids, *val.ids, *tested.ids]) == sorted(readings.ids)
    for name, size in zip(readings.class_names, sizes, strict=True):
        of_class = [int((part.labels == name).sum()) for part in (train, val, tested)]
        assert abs(of_class[2] - test * size) <= 1
        assert abs(of_class[1] - validation * (size - of_class[2])) <= 1
        assert of_class[0] >= 1
        assert of_class[2] >= 1


@settings(max_examples=100)
@given(fleets_with_duplicates(), SEEDS)
def test_equal_rows_stay_on_one_side_even_when_their_labels_differ(readings, seed):
    try:
        parts = split(readings, seed=seed)
    except InputError:
        assume(False)
    side = part_of_each(readings, parts)
    seen = {}
    for id, row in zip(readings.ids, readings.values, strict=True):
        key = tuple("missing" if np.isnan(x) else float(x) + 0 for x in row)
        assert seen.setdefault(key, side[id]) == side[id]
    assert sorted(side) == sorted(readings.ids)


@settings(max_examples=20)
@given(SEEDS)
def test_the_seed_decides_and_another_seed_decides_otherwise(seed):
    readings = fleet([30, 20, 10])
    first = [part.ids.tolist() for part in split(readings, seed=seed)]
    assert first == [part.ids.tolist() for part in split(readings, seed=seed)]
    assert first != [part.ids.tolist() for part in split(readings, seed=seed + 1)]


def test_rows_keep_their_order_so_that_parts_can_be_compared_with_the_file():
    for part in split(fleet([20, 20])):
        positions = part.ids.astype(int)
        assert (np.diff(positions) > 0).all()


def test_the_paper_split_is_scikit_learns_on_the_class_positions_whatever_the_seed():
    readings = fleet([40, 25, 12])
    _, expected = train_test_split(np.arange(77), test_size=0.3, random_state=100, stratify=readings.label_indices)
    for seed in (0, 1):
        train, val, test = split(readings, seed=seed, test="paper")
        assert set(test.ids) == {str(i) for i in expected}
        assert len(val) == round(0.15 * (len(train) + len(val)))
    assert set(split(readings, seed=0, test="paper")[1].ids) != set(val.ids)


def test_no_validation_part_when_asked_as_in_the_paper_protocol():
    train, val, test = split(fleet([40, 25]), test="paper", validation=0)
    assert (len(train), len(val), len(test)) == (45, 0, 20)


def test_training_rows_that_repeat_a_paper_test_row_are_counted_and_never_validate(caplog):
    values = np.repeat(np.arange(20.0), 4)[:, None]  # each series four times: straddling cannot be avoided
    readings = SensorReadings(values, labels=np.where(np.arange(80) < 40, "a", "b"))
    with caplog.at_level(logging.WARNING):
        train, val, test = split(readings, test="paper", validation=0.5)
    shared = count_shared_rows(train, test)
    assert shared > 0
    assert f"{shared} training rows repeat" in caplog.text
    assert count_shared_rows(val, test) == 0
    assert count_shared_rows(val, train) == 0


def test_nan_equals_nan_and_zero_has_no_sign_when_duplicates_are_grouped():
    other_nan = np.array([0x7FC00001], dtype=np.uint32).view(np.float32)[0]
    values = np.array([[np.nan, 0.0], [other_nan, -0.0], [0.0, np.nan]], dtype=np.float32)
    groups = group_duplicates(values)
    assert groups[0] == groups[1] != groups[2]


def test_a_tie_between_labels_goes_to_the_rarer_class_so_that_it_is_not_lost():
    values = np.array([0, 0, 1, 1, 2, 3, 4, 5, 6.0])[:, None]
    readings = SensorReadings(values, labels=list("abab") + ["a"] * 5)
    train, _, test = split(readings, validation=0)
    assert "b" in train.labels
    assert "b" in test.labels


def test_a_class_of_one_names_the_class_the_row_and_the_way_out():
    readings = SensorReadings(np.arange(5.0)[:, None], labels=list("aabbc"), ids=list("vwxyz"))
    with pytest.raises(InputError, match=r"class 'c' has a single series \(id z\).*merge it"):
        split(readings)


def test_a_class_whose_rows_are_all_the_same_series_cannot_be_split_either():
    readings = SensorReadings(np.array([0, 1, 2, 2.0])[:, None], labels=list("aabb"))
    with pytest.raises(InputError, match=r"class 'b' has too few series once duplicates.*id 2, 3"):
        split(readings)


@pytest.mark.parametrize(
    ("readings", "options", "message"),
    [
        (SensorReadings(np.arange(4.0)[:, None], labels=["a"] * 4), {}, "one class only, 'a'"),
        (SensorReadings(np.arange(4.0)[:, None]), {}, "no labels"),
        (SensorReadings(np.zeros((0, 3)), labels=[]), {}, "no series"),
        (fleet([5, 5]), {"test": 0}, "test=0"),
        (fleet([5, 5]), {"test": 1.0}, "test=1.0"),
        (fleet([5, 5]), {"test": "papper"}, "test='papper'"),
        (fleet([5, 5]), {"validation": 1.0}, "validation=1.0"),
        (fleet([2] * 4), {"test": "paper"}, "too small for the paper's split"),
    ],
)
def test_what_cannot_be_split_is_told_in_one_line(readings, options, message):
    with pytest.raises(InputError, match=message) as caught:
        split(readings, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "sizes", "shared"), [("swiss", (242, 104), 4), ("iowa", (700, 300), 0)])
def test_the_paper_split_of_the_real_files_has_the_published_size(data_folder, name, sizes, shared):
    from deepfeatiot_tf.readings import load_dataset

    train, _, test = split(load_dataset(name, data_folder), test="paper", validation=0)
    assert (len(train), len(test)) == sizes
    assert count_shared_rows(train, test) == shared
