"""What `fit` was given, as batches to walk through as often as needed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from sklearn.model_selection import train_test_split

from deepfeatiot_tf.errors import InputError

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
    """Inputs, labels and weights of the first rows, and of the last `share`, which Keras's `validation_split` takes."""
    arrays = arrays_of(x)

    def part(rows: np.ndarray) -> tuple[Any, ...]:
        others = (None if each is None else np.asarray(each)[rows] for each in (y, sample_weight))
        return {name: array[rows] for name, array in arrays.items()}, *others

    first, last = train_test_split(np.arange(len(arrays[READINGS])), test_size=share, shuffle=False)
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


def text_as_objects(x: Any) -> Any:
    """Inputs whose metadata, if NumPy's text, or a list, is an array of Python's, as Keras takes it."""
    if isinstance(x, dict) and isinstance(x.get(METADATA), (np.ndarray, list)):
        return {**x, METADATA: np.asarray(x[METADATA], object)}
    return x


def as_array(labels: Any) -> Any:
    """Labels in a list as an array, as Keras takes them."""
    return np.asarray(labels) if isinstance(labels, list) else labels


def as_dict(inputs: Any) -> dict[str, Any]:
    """Inputs by name; an array alone is readings."""
    if isinstance(inputs, (list, tuple)):
        (inputs,) = inputs
    return inputs if isinstance(inputs, dict) else {READINGS: inputs}


def taken(inputs: dict[str, Any], name: str) -> Any:
    """The input of this name, or an `InputError` that says how to do without."""
    if name not in inputs:
        ways = " or build the model with text_encoder=None" if name == METADATA else ""
        raise InputError(f"fit: the data has no {name!r}, which the model reads; give it as inputs[{name!r}]{ways}")
    return inputs[name]


def has(inputs: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Bool `[batch]`: which rows have readings, or metadata."""
    values = taken(inputs, name)
    if name == READINGS:
        return np.isfinite(values).any(axis=1)
    # Blank as the layers of a graph have it, which strip the white space of ASCII.
    return np.array([bool(tf.compat.as_bytes(text).strip()) for text in values], bool)


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
    if isinstance(x, tf.data.Dataset) and validation_split:
        raise InputError("fit: validation_split is for arrays; of a dataset, give validation_data")
    if isinstance(x, tf.data.Dataset):
        readings = as_dict(_inputs_spec(x)).get(READINGS)
        if isinstance(readings, tf.RaggedTensorSpec):
            raise InputError(f"fit: the readings in {name} are ragged; pad the shorter series with NaN behind")
        if isinstance(readings, tf.TensorSpec) and readings.shape.rank == 1:
            raise InputError("fit: each element of the dataset is one series; give it in batches, dataset.batch(32)")


def tell_of_fewer_steps(x: Any, steps: int | None) -> None:
    """Warn where the first `fit` would take what it learns without a gradient from a part of a dataset."""
    batches = int(x.cardinality()) if isinstance(x, tf.data.Dataset) else 0
    if steps is not None and steps < batches:
        warnings.warn(
            f"fit: heads, kernels and standardization learn from the first {steps} of {batches} batches; leave "
            "steps_per_epoch out to have them learn from all",
            stacklevel=3,
        )


def check_weights(x: Any, sample_weight: Any, class_weight: Any) -> None:
    """An `InputError` for weights of samples beside those of classes, which Keras refuses when heads are solved."""
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
    sums = np.asarray(labels, np.float64).sum(axis=1)
    odd = np.flatnonzero((np.abs(sums - 1) > 1e-3) & (weights is None or np.ravel(weights) > 0))
    if odd.size:
        raise InputError(
            f"fit: the labels of a series sum to {sums[odd[0]]:g}; give them one-hot, one 1 each, and leave out "
            "series without a label"
        )


def _inputs_spec(dataset: tf.data.Dataset) -> Any:
    spec = dataset.element_spec
    return spec[0] if isinstance(spec, tuple) else spec
