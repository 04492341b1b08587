"""Splits into training, validation and test part that an exact duplicate never straddles."""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
from sklearn.model_selection import train_test_split

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

PAPER_TEST_SHARE = 0.3
PAPER_SEED = 100

logger = logging.getLogger(__name__)


def split(
    readings: SensorReadings,
    *,
    seed: int = 0,
    test: float | Literal["paper"] = 0.3,
    validation: float = 0.15,
) -> tuple[SensorReadings, SensorReadings, SensorReadings]:
    """Training, validation and test part, stratified by label.

    Rows with exactly the same readings (missing ones included) count as one and stay on one side, whatever
    their labels; the most frequent label among them stands for all, the rarer class on a tie. Of every class
    there is a row in the training and in the test part, and within one row its share.

    With `test="paper"` the test part is the published one, row for row: scikit-learn's `train_test_split`
    with `test_size=0.3, random_state=100`, stratified by label in the order of `class_names`. It knows
    nothing of duplicates, so a few training rows repeat a test row (Swiss 4, Iowa 0, SBAS 2, TS-M 18,
    TS-N 21, SensEUR 0). They are kept, so that figures can be compared; counted, in the log and by
    `count_shared_rows`; and never put into the validation part, so that selection does not see test readings.
    For the paper protocol itself, which selects on the test part, take `validation=0` and validate on the
    test part.

    Args:
        readings: with labels.
        seed: decides which rows go where; with `test="paper"`, which training rows validate. Default 0.
        test: share of all series to test on, or `"paper"`. Default 0.3.
        validation: share of the series *that are not in the test part*; 0 gives an empty part. Default 0.15.

    Returns:
        `(train, validation, test)`, each in the order of the rows in `readings`.

    Raises:
        InputError: a share is out of range, there are no labels or fewer than two classes, or a class has a
            single distinct series.
    """
    if test != "paper" and not (isinstance(test, (int, float)) and 0 < test < 1):
        raise InputError(f'test={test!r}; give a share between 0 and 1, or "paper"')
    if not 0 <= validation < 1:
        raise InputError(f"validation={validation!r}; give a share from 0 up to (not including) 1")
    _check_classes(readings)
    groups = group_duplicates(readings.values)
    group_labels = _group_labels(groups, readings.label_indices, len(readings.class_names))
    _check_class_sizes(readings, group_labels)

    rng = np.random.default_rng(seed)
    everything = np.arange(len(group_labels))
    if test == "paper":
        in_test = _paper_test_rows(readings)
        test_groups = np.unique(groups[in_test])
    else:
        test_groups = _draw(everything, group_labels, test, least=1, rng=rng)
        in_test = np.isin(groups, test_groups)
    free = np.setdiff1d(everything, test_groups)
    in_validation = np.isin(groups, _draw(free, group_labels, validation, least=0, rng=rng))
    parts = (
        readings.take(~in_test & ~in_validation),
        readings.take(in_validation),
        readings.take(in_test),
    )
    shared = count_shared_rows(parts[0], parts[2])
    if shared:
        logger.warning("%s: %d training rows repeat the readings of a test row", readings.name, shared)
    return parts


def group_duplicates(values: np.ndarray) -> np.ndarray:
    """The group of each row: rows with exactly the same readings share one.

    Args:
        values: float32 `[n, time]`; NaN equals NaN, -0 equals 0.

    Returns:
        int `[n]`, groups numbered from 0.
    """
    keys = _row_keys(values)
    return np.unique(keys, return_inverse=True)[1].reshape(len(keys))


def count_shared_rows(part: SensorReadings, other: SensorReadings) -> int:
    """How many rows of `part` have exactly the readings of some row of `other`, missing ones at the end aside."""
    time = max(part.values.shape[1], other.values.shape[1])
    padded = [
        np.pad(each, [(0, 0), (0, time - each.shape[1])], constant_values=np.nan)
        for each in (part.values, other.values)
    ]
    mine, others = map(_row_keys, padded)
    return int(np.isin(mine, others).sum())


def _row_keys(values: np.ndarray) -> np.ndarray:
    # One bit pattern for every NaN, and for both zeros: equal readings have equal bytes.
    canonical = np.ascontiguousarray(np.where(np.isnan(values), np.float32(np.nan), values + np.float32(0)))
    return canonical.view(np.dtype((np.void, canonical.dtype.itemsize * canonical.shape[1]))).reshape(-1)


def _group_labels(groups: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """The most frequent label of each group; on a tie, of the rarer class."""
    votes = np.zeros((groups.max() + 1, n_classes))
    np.add.at(votes, (groups, labels), 1)
    frequency = np.bincount(labels, minlength=n_classes) / len(labels)
    return np.argmax(votes - frequency / 2, axis=1)  # less than a vote: it only breaks ties


def _check_classes(readings: SensorReadings) -> None:
    present = np.unique(readings.label_indices)
    if len(present) < 2:
        only = f"one class only, {readings.class_names[present[0]]!r}" if len(present) else "no series"
        raise InputError(f"{readings.name}: {only}; a split needs at least two classes")


def _check_class_sizes(readings: SensorReadings, group_labels: np.ndarray) -> None:
    labels = readings.label_indices
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if (group_labels == label).sum() < 2:
            name, ids = readings.class_names[label], ", ".join(readings.ids[rows][:5])
            what = "a single series" if len(rows) == 1 else "too few series once duplicates count as one"
            raise InputError(
                f"{readings.name}: class {name!r} has {what} (id {ids}), so it cannot be both trained and "
                "tested; remove it, merge it into another class, or collect more"
            )


def _draw(
    groups: np.ndarray, group_labels: np.ndarray, share: float, *, least: int, rng: np.random.Generator
) -> np.ndarray:
    """A random share of `groups`, stratified; of each class at least `least` and never all.

    scikit-learn's stratified splitters promise neither bound, and know no groups.
    """
    members = [groups[group_labels[groups] == label] for label in np.unique(group_labels[groups])]
    sizes = np.array([len(m) for m in members], dtype=int)
    counts = np.clip(_apportion(sizes * share), least, sizes - 1)
    picked = [rng.permutation(m)[:count] for m, count in zip(members, counts, strict=True)]
    return np.concatenate([np.empty(0, dtype=int), *picked])


def _apportion(quotas: np.ndarray) -> np.ndarray:
    """Whole numbers within one of the quotas, of the same (rounded) sum: the largest remainders round up."""
    counts = np.floor(quotas).astype(int)
    left = round(float(quotas.sum())) - counts.sum()
    counts[np.argsort(counts - quotas, kind="stable")[:left]] += 1
    return counts


def _paper_test_rows(readings: SensorReadings) -> np.ndarray:
    labels = readings.label_indices
    try:
        _, rows = train_test_split(
            np.arange(len(labels)), test_size=PAPER_TEST_SHARE, random_state=PAPER_SEED, stratify=labels
        )
    except ValueError as error:  # more classes than test rows
        raise InputError(f"{readings.name}: too small for the paper's split: {error}") from error
    return np.isin(np.arange(len(labels)), rows)
