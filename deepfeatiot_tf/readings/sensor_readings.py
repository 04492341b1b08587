"""The hand-off between files and models: one row of readings per sensor."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.fixed_pipeline import fixed

if TYPE_CHECKING:
    import tensorflow as tf


@dataclass(frozen=True, eq=False)
class SensorReadings:
    """Raw readings of `n` sensors, with labels and metadata text where there are some. Immutable.

    Args:
        values: float32 `[n, time]`, in the sensors' own units. NaN marks a missing reading; a series shorter
            than `time` ends in NaN.
        ids: str `[n]`, unique. Default: `"0"`, `"1"`, …
        labels: str `[n]`, the sensor type of each row, or None.
        metadata: str `[n]`, free text about each sensor (`""`, None or NaN where there is none), or None.
        class_names: the classes in the order of the one-hot columns. Default: the sorted distinct labels.
        name: where the readings come from; used in messages and reports.

    Raises:
        InputError: shapes disagree, ids repeat, an id or a label is missing, a value is infinite, a label is not among
            `class_names`, or one of these stands twice.
    """

    values: np.ndarray
    ids: np.ndarray
    labels: np.ndarray | None
    metadata: np.ndarray | None
    class_names: tuple[str, ...]
    name: str

    def __init__(
        self,
        values: np.ndarray,
        *,
        ids: Sequence[str] | np.ndarray | None = None,
        labels: Sequence[str] | np.ndarray | None = None,
        metadata: Sequence[str] | np.ndarray | None = None,
        class_names: Sequence[str] | None = None,
        name: str = "readings",
    ) -> None:
        values = np.array(values, dtype=np.float32)
        if values.ndim != 2 or values.shape[1] == 0:
            raise InputError(f"{name}: values have shape {list(values.shape)}; give [sensors, time]")
        infinite = np.argwhere(np.isinf(values))
        if infinite.size:
            row, column = infinite[0]
            raise InputError(f"{name}, row {row}, reading {column}: infinite value; write a missing reading as NaN")
        n = len(values)
        if labels is not None and np.ndim(labels) > 1:
            raise InputError(f"{name}: labels have shape {list(np.shape(labels))}; give one name per series")
        columns = {
            "ids": _strings([str(i) for i in range(n)] if ids is None else ids),
            "labels": None if labels is None else _strings(labels),
            "metadata": None if metadata is None else _strings(np.where(_missing(metadata), "", metadata)),
        }
        for what, given in (("id", ids), ("label", labels)):
            if given is not None and _missing(given).any():
                row = int(np.flatnonzero(_missing(given))[0])
                raise InputError(f"{name}: row {row} has no {what}; give one, or set the row aside")
        for what, column in columns.items():
            if column is not None and column.shape != (n,):
                raise InputError(f"{name}: {len(column)} {what} for {n} series; give one per series")
            _check_unicode(column, f"{name}: {what}")
        unique, counts = np.unique(np.asarray(columns["ids"]), return_counts=True)
        if len(unique) < n:
            raise InputError(f"{name}: id {unique[counts > 1][0]!r} stands on {counts.max()} rows; ids must be unique")
        present = set() if columns["labels"] is None else set(columns["labels"])
        names = tuple(sorted(present)) if class_names is None else tuple(str(c) for c in class_names)
        twice = next((each for each in names if names.count(each) > 1), None)
        if twice is not None:
            raise InputError(f"{name}: class_names has {twice!r} twice; give each class once")
        unknown = sorted(present - set(names))
        if unknown:
            raise InputError(f"{name}: label {unknown[0]!r} is not one of the classes {', '.join(names)}")
        for field, value in (("values", values), *columns.items()):
            if value is not None:
                value.flags.writeable = False
            object.__setattr__(self, field, value)
        object.__setattr__(self, "class_names", names)
        object.__setattr__(self, "name", name)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return (
            f"SensorReadings({self.name!r}: {len(self)} series of up to {self.values.shape[1]} readings, "
            f"{len(self.class_names)} classes)"
        )

    def take(self, rows: np.ndarray | Sequence[int]) -> SensorReadings:
        """The given rows (integer positions or a boolean mask), with the same `class_names`."""
        rows = np.asarray(rows) if len(rows) else np.empty(0, int)
        return SensorReadings(
            self.values[rows],
            ids=self.ids[rows],
            labels=None if self.labels is None else self.labels[rows],
            metadata=None if self.metadata is None else self.metadata[rows],
            class_names=self.class_names,
            name=self.name,
        )

    @property
    def label_indices(self) -> np.ndarray:
        """int32 `[n]`: the position of each label in `class_names`.

        Raises:
            InputError: the readings have no labels.
        """
        if self.labels is None:
            raise InputError(f"{self.name}: no labels; name the label column")
        return places_of(self.labels, self.class_names).astype(np.int32)

    @property
    def checksum(self) -> str:
        """SHA-256 over values, labels and metadata, in hexadecimal."""
        digest = hashlib.sha256(repr(self.values.shape).encode())
        digest.update(np.ascontiguousarray(self.values).tobytes())
        for column in (self.labels, self.metadata):
            digest.update(b"-" if column is None else "\x1f".join(column).encode())
        return digest.hexdigest()

    def to_dataset(self, *, batch_size: int = 32, shuffle: bool = False, seed: int = 0) -> tf.data.Dataset:
        """Batches for `model.fit`, `evaluate` and `predict`.

        Args:
            batch_size: series per batch. Default 32, as published.
            shuffle: a new order every epoch, decided by `seed`.
            seed: of the order. Default 0.

        Returns:
            a `tf.data.Dataset` of `({"readings": float32 [batch, time], "metadata": string [batch]}, one-hot
            float32 [batch, classes])`; without `"metadata"` where there is none, without the second part where
            there are no labels.
        """
        import tensorflow as tf

        features: dict[str, np.ndarray] = {"readings": self.values}
        if self.metadata is not None:
            features["metadata"] = self.metadata.astype(object)
        if self.labels is None:
            data = tf.data.Dataset.from_tensor_slices(features)
        else:
            one_hot = np.eye(len(self.class_names), dtype=np.float32)[self.label_indices]
            data = tf.data.Dataset.from_tensor_slices((features, one_hot))
        if shuffle:
            data = data.shuffle(max(len(self), 1), seed=seed, reshuffle_each_iteration=True)
        return fixed(data.batch(batch_size).prefetch(2))


def places_of(labels: Sequence[str] | np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Int `[n]`: the place of each label among the names of the classes, -1 where it is none of them."""
    return pd.Index(class_names).get_indexer(pd.Index(labels))


def _check_unicode(column: np.ndarray | None, what: str) -> None:
    for row, text in enumerate(() if column is None else column):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{what} of row {row}: {text!r} is no text of Unicode; correct it") from error


def _missing(column: Sequence[str] | np.ndarray) -> np.ndarray:
    return pd.isna(np.asarray(column, dtype=object))


def _strings(column: Sequence[str] | np.ndarray) -> np.ndarray:
    return np.array([str(cell) for cell in column], dtype=object)
