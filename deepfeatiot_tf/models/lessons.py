"""What closed-form heads learn from: the training data, and further rows made of it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models.training_data import (
    METADATA,
    READINGS,
    WEIGHTS,
    Batch,
    Batches,
    check_one_hot,
    counted,
    has,
    remembered,
    taken,
)
from deepfeatiot_tf.training.augmentation import augmented
from deepfeatiot_tf.training.other_sites import other_sites
from deepfeatiot_tf.training.windows import default_windows, windows_of

logger = logging.getLogger(__name__)


class Lessons(NamedTuple):
    """What heads learn from, and what the layers before them take their state from.

    Attributes:
        series: batches of the training data; behind the series of each, windows of them and copies for other sites.
        copies: augmented copies, which the heads alone learn from. None where there are none.
        windows: into how many windows each series is cut.
    """

    series: Batches
    copies: Batches | None = None
    windows: tuple[int, ...] = ()

    @property
    def every(self) -> Batches:
        """All batches, one after the other."""
        parts = [self.series] if self.copies is None else [self.series, self.copies]
        return lambda: itertools.chain.from_iterable(batches() for batches in parts)


def lessons_of(
    batches: Batches, classes: int, windows: tuple[int, ...] | None, copies: int, class_units: Sequence[str] | None
) -> Lessons:
    """What the heads that read readings learn from.

    Args:
        batches: the training data.
        classes: how many there are.
        windows: see `windows_of`. None for `default_windows`.
        copies: of each series, augmented.
        class_units: of each class, the unit of its readings or `""`; see `other_sites`. None: no copies for these.

    Raises:
        InputError: there are no labels, or they are not one-hot.
    """
    batches = remembered(batches)
    for inputs, one_hot, series in batches():
        if not one_hot.size:
            raise InputError("fit: there are no labels to learn from; give y, or a dataset of (inputs, one-hot labels)")
        check_one_hot(one_hot, len(series), classes, inputs.get(WEIGHTS))
    if windows is None:
        windows = default_windows(sum(len(series) for _, _, series in counted(batches)()))

    def further(readings: np.ndarray, one_hot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        made, rows = windows_of(readings, windows)
        if class_units is None:
            return made, rows
        elsewhere, others = other_sites(readings, [class_units[i] for i in one_hot.argmax(axis=1)])
        return np.concatenate([made, elsewhere]), np.concatenate([rows, others])

    if copies and not any(len(augmented(taken(inputs, READINGS), 1)[1]) for inputs, *_ in batches()):
        logger.warning("fit: the series are too short for augmented copies, and none are made")
        copies = 0
    return Lessons(
        batches if not windows and class_units is None else _with_further(batches, further),
        _augmented_copies(batches, copies) if copies else None,
        windows,
    )


def with_wrong_metadata(batches: Batches, most: int) -> Batches:
    """Rows that have metadata, at most so many, each with that of another one, drawn by chance and always alike."""
    batches = counted(batches)

    def walk() -> Iterator[Batch]:
        texts = np.concatenate([taken(inputs, METADATA) for inputs, _, _ in batches()])
        named = np.concatenate([has(inputs, METADATA) for inputs, _, _ in batches()])
        order = np.random.default_rng(0).permutation(np.flatnonzero(named))
        texts[order] = np.roll(texts[order], 1)
        kept = np.isin(np.arange(len(texts)), order[:most])
        done = 0
        for inputs, one_hot, series in batches():
            rows = kept[done : done + len(series)]
            mine = {**inputs, METADATA: texts[done : done + len(series)]}
            done += len(series)
            if rows.any():
                yield {name: values[rows] for name, values in mine.items()}, one_hot[rows], series[rows]

    return walk


def _with_further(
    batches: Batches, made_of: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> Batches:
    """The same batches, each with further rows of its series behind them.

    Args:
        batches: with labels.
        made_of: from readings `[batch, time]` and one-hot labels to the readings of the further rows, and the row that
            each comes from.
    """

    def walk() -> Iterator[Batch]:
        for inputs, one_hot, series in batches():
            made, rows = made_of(taken(inputs, READINGS), one_hot)
            more = _of_rows((inputs, one_hot, series), rows, made)
            yield (
                {name: np.concatenate([values, more[0][name]]) for name, values in inputs.items()},
                np.concatenate([one_hot, more[1]]),
                np.concatenate([series, more[2]]),
            )

    return walk


def _augmented_copies(batches: Batches, copies: int) -> Batches:
    """In place of each batch, so many augmented copies of its series."""

    def walk() -> Iterator[Batch]:
        for inputs, one_hot, series in batches():
            altered, rows = augmented(taken(inputs, READINGS), copies)
            if len(rows):
                yield _of_rows((inputs, one_hot, series), rows, altered)

    return walk


def _of_rows(batch: Batch, rows: np.ndarray, readings: np.ndarray) -> Batch:
    """Some rows of a batch, with other readings."""
    inputs, one_hot, series = batch
    mine = {name: readings if name == READINGS else values[rows] for name, values in inputs.items()}
    return mine, one_hot[rows], series[rows]
