"""What `fit` was given, as batches to walk through as often as needed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import train_test_split

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.language.blank_text import is_blank

READINGS, METADATA = "readings", "metadata"
# Beside the inputs of a batch: what each row counts for.
WEIGHTS = "sample_weight"
# Rows of a batch that is made of arrays: bounds memory, and fills the cores.
BATCH_ROWS = 256

# Inputs by name (and weights of the rows, where there are some), one-hot labels, the number of each row's series.
Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]
# A way to walk through batches as often as needed.
Batches = Callable[[], Iterator[Batch]]


def batches_of(x: Any, y: Any, steps: int | None, sample_weight: Any = None) -> Batches:
    """The training data; every row is a series of its own."""

    def parts() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        if isinstance(x, tf.data.Dataset):
            for element in x if steps is None else x.take(steps):
                inputs, *rest = element if isinstance(element, tuple) else (element,)
                weights = {WEIGHTS: rest[1]} if len(rest) > 1 else {}
                arrays = {name: np.asarray(value) for name, value in {**as_dict(inputs), **weights}.items()}
                if READINGS in arrays and arrays[READINGS].dtype.kind in "biuf":
                    arrays[READINGS] = arrays[READINGS].astype(np.float32, copy=False)
                yield arrays, np.asarray(rest[0]) if rest else np.empty(0)
        else:
            arrays = arrays_of(x)
            if sample_weight is not None:
                arrays[WEIGHTS] = np.asarray(sample_weight)
            for i in range(0, len(arrays[READINGS]), BATCH_ROWS):
                part = slice(i, i + BATCH_ROWS)
                batch = {name: array[part] for name, array in arrays.items()}
                yield batch, np.empty(0) if y is None else np.asarray(y)[part]

    def walk() -> Iterator[Batch]:
        done = 0
        for inputs, one_hot in parts():
            series = done + np.arange(len(next(iter(inputs.values()))))
            yield inputs, one_hot, series
            done += len(series)

    return walk


def remembered(batches: Batches) -> Batches:
    """The same batches in the same order in every walk, where a dataset shuffles anew for each."""
    every = list(batches())
    return lambda: iter(every)


def held_out(x: Any, y: Any, sample_weight: Any, share: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Inputs, labels and weights of the first rows, and of the last `share`, which Keras's `validation_split` takes.

    Raises:
        InputError: that is all.
    """
    arrays = arrays_of(x)

    def part(rows: np.ndarray) -> tuple[Any, ...]:
        others = (None if each is None else np.asarray(each)[rows] for each in (y, sample_weight))
        return {name: array[rows] for name, array in arrays.items()}, *others

    series = len(arrays[READINGS])
    if math.ceil(series * share) >= series:
        raise InputError(f"fit: validation_split={share} of {series} series leaves none to learn from; lower it")
    first, last = train_test_split(np.arange(series), test_size=share, shuffle=False)
    return part(first), part(last)


def counted(batches: Batches) -> Batches:
    """The same batches without the rows that have the weight 0."""

    def walk() -> Iterator[Batch]:
        for inputs, one_hot, series in batches():
            if WEIGHTS not in inputs:
                yield inputs, one_hot, series
                continue
            rows = np.reshape(inputs[WEIGHTS], len(series)) > 0
            if rows.any():
                yield {name: values[rows] for name, values in inputs.items()}, one_hot[rows], series[rows]

    return walk


def whole_rows(series: np.ndarray) -> np.ndarray:
    """Bool `[rows]`: which rows of a batch are series, and no windows of one."""
    return np.isin(np.arange(len(series)), np.unique(series, return_index=True)[1])


def arrays_of(x: Any) -> dict[str, np.ndarray]:
    """Readings float32 `[series, time]`, and texts `[series]` where there are some, by name."""
    inputs = as_dict(x)
    arrays = {READINGS: np.asarray(taken(inputs, READINGS), np.float32)}
    if METADATA in inputs:
        arrays[METADATA] = np.asarray(inputs[METADATA], object)
    return arrays


def as_arrays(x: Any) -> Any:
    """Inputs by name as Keras takes them: lists as arrays, and texts, of whatever kind, as an array of Python's.

    Raises:
        InputError: the metadata is not one text per series, or a text is none that UTF-8 could write.
    """
    if not isinstance(x, dict):
        return x
    given = {name: as_array(value) for name, value in x.items()}
    if METADATA in given:
        given[METADATA] = _texts(given[METADATA])
    return given


def as_array(values: Any) -> Any:
    """A list as an array, as Keras takes it."""
    return np.asarray(values) if isinstance(values, list) else values


def _texts(values: Any) -> np.ndarray:
    """Object `[series]` of str, `""` for None and NaN."""
    texts = np.asarray(values, object)
    if texts.ndim != 1:
        raise InputError(f"metadata has the shape {list(texts.shape)}; give one text per series")
    found = np.empty(len(texts), object)
    for row, (text, missing) in enumerate(zip(texts, pd.isna(texts), strict=True)):
        try:
            found[row] = "" if missing else text.decode() if isinstance(text, bytes) else str(text)
            found[row].encode()
        except UnicodeError as error:
            raise InputError(f"metadata of row {row} is no text of Unicode ({error}); correct it") from error
    return found


def as_dict(inputs: Any) -> dict[str, Any]:
    """Inputs by name; an array alone is readings."""
    if isinstance(inputs, (list, tuple)):
        (inputs,) = inputs
    return inputs if isinstance(inputs, dict) else {READINGS: inputs}


def taken(inputs: dict[str, Any], name: str) -> Any:
    """The input of this name, or an `InputError` that says how to do without."""
    if name not in inputs:
        ways = " or build the model with text_encoder=None" if name == METADATA else ""
        raise InputError(f"the data has no {name!r}, which the model reads; give it as inputs[{name!r}]{ways}")
    return inputs[name]


def has(inputs: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Bool `[batch]`: which rows have readings, or metadata."""
    values = taken(inputs, name)
    if name == READINGS:
        return np.isfinite(values).any(axis=1)
    return ~np.array([is_blank(text) for text in values], bool)


def check_data(
    x: Any, steps: int | None, validation_split: float, what: tuple[str, str] = ("x", "steps_per_epoch")
) -> None:
    """An `InputError` for what `fit` cannot walk through, would never come to the end of, or cannot split.

    Args:
        x: what is given.
        steps: how many batches of it are wanted.
        validation_split: as in `keras.Model.fit`.
        what: how these two are called. Default: the training data.
    """
    name, counted_by = what
    if not isinstance(x, (tf.data.Dataset, dict, np.ndarray, tf.Tensor)):
        raise InputError(f"fit: {name} is a {type(x).__name__}; give an array of readings or a tf.data.Dataset")
    if isinstance(x, tf.data.Dataset) and steps is None and x.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError(f"fit: the dataset never ends; give {counted_by}")
    if not 0 <= validation_split < 1:
        raise InputError(f"fit: validation_split is {validation_split}; give a share from 0 up, and below 1")
    if isinstance(x, tf.data.Dataset) and validation_split:
        raise InputError("fit: validation_split is for arrays; of a dataset, give validation_data")
    if isinstance(x, tf.data.Dataset):
        readings = as_dict(_inputs_spec(x)).get(READINGS)
        if isinstance(readings, tf.RaggedTensorSpec):
            raise InputError(f"fit: the readings in {name} are ragged; pad the shorter series with NaN behind")
        if isinstance(readings, tf.TensorSpec) and readings.shape.rank == 1:
            raise InputError("fit: each element of the dataset is one series; give it in batches, dataset.batch(32)")


def check_rows(x: Any, y: Any = None, sample_weight: Any = None) -> None:
    """An `InputError` for arrays that do not have one row for each series."""
    if isinstance(x, tf.data.Dataset):
        return
    inputs = as_dict(x)
    readings = np.shape(taken(inputs, READINGS))
    if len(readings) != 2:
        raise InputError(f"fit: the readings have the shape {list(readings)}; give them as [series, time]")
    for what, values in (("metadata", inputs.get(METADATA)), ("labels", y), ("weights", sample_weight)):
        shape = readings if values is None else np.shape(values)
        if shape[:1] != readings[:1]:
            raise InputError(f"fit: {what} of shape {shape} for {readings[0]} series; give one row for each")


def tell_of_fewer_steps(x: Any, steps: int | None) -> None:
    """Warn where the first `fit` would take what it learns without a gradient from a part of a dataset."""
    batches = int(x.cardinality()) if isinstance(x, tf.data.Dataset) else 0
    if steps is not None and steps < batches:
        warnings.warn(
            f"fit: heads, kernels and standardization learn from the first {steps} of {batches} batches; leave "
            "steps_per_epoch out to have them learn from all",
            stacklevel=3,
        )


def check_weights(x: Any, sample_weight: Any, class_weight: Any, classes: int) -> None:
    """An `InputError` for weights that Keras would refuse when heads are solved, or that mean nothing.

    Args:
        x: inputs, or a dataset, which may have weights of samples.
        sample_weight: beside arrays.
        class_weight: by index of the class, or None.
        classes: how many there are.
    """
    for index, weight in (class_weight or {}).items():
        if index not in range(classes):
            raise InputError(f"fit: class_weight has a class {index}; give indices from 0 to {classes - 1}")
        if not 0 <= weight < np.inf:
            raise InputError(f"fit: class_weight of class {index} is {weight}; give a number from 0 up")
    if len(class_weight or {}) == classes and not any(class_weight.values()):
        raise InputError("fit: class_weight is 0 for every class; give one a weight above 0")
    if isinstance(x, tf.data.Dataset):
        weighted = isinstance(x.element_spec, tuple) and len(x.element_spec) > 2
    else:
        weighted = sample_weight is not None
    if weighted and class_weight is not None:
        raise InputError("fit: there are weights of samples and of classes; multiply the latter into the former")


def check_one_hot(labels: np.ndarray, series: int, classes: int, weights: np.ndarray | None = None) -> None:
    """An `InputError` for labels that are not `[series, classes]`, and 1 in sum where the series counts."""
    if labels.shape != (series, classes):
        raise InputError(
            f"fit: labels of shape {labels.shape} for {series} series; give them one-hot, [series, {classes}]"
        )
    labels = np.asarray(labels, np.float64)
    sums = labels.sum(axis=1)
    if weights is not None and not ((weights >= 0) & (weights < np.inf)).all():  # neither is true of a NaN
        raise InputError("fit: a series has a weight that is no number from 0 up; correct it")
    one_hot = (np.abs(sums - 1) <= 1e-3) & (labels >= 0).all(axis=1)  # neither is true of a NaN
    odd = np.flatnonzero(~one_hot & (weights is None or np.ravel(weights) > 0))
    if odd.size:
        raise InputError(
            f"fit: the labels of a series sum to {sums[odd[0]]:g}; give them one-hot, one 1 each, and leave out "
            "series without a label"
        )


def _inputs_spec(dataset: tf.data.Dataset) -> Any:
    spec = dataset.element_spec
    return spec[0] if isinstance(spec, tuple) else spec
