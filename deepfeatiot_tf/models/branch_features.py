"""Frozen features for training: computed once per series, shown while they are, put beside the readings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.models.training_data import BATCH_ROWS, READINGS, Batches, arrays_of, as_dict, batches_of, taken
from deepfeatiot_tf.readings.fixed_pipeline import fixed


def feature_input(branch: str) -> str:
    """Name of the network's input for the features of a frozen branch."""
    return f"{branch}_features"


class Branch:
    """The store of a frozen branch, and which input the branch reads.

    Args:
        source: name of the input.
        store: of its features.
    """

    def __init__(self, source: str, store: Any) -> None:
        self.source = source
        self.store = store

    def look_up(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Features float32 `[batch, width]` for a batch of inputs."""
        return self.store.look_up(taken(inputs, self.source))


class Uncached:
    """Looks like a store, computes every time.

    Args:
        extract: from what the branch reads to its features.
        width: number of features.
    """

    def __init__(self, extract: Callable[[np.ndarray], np.ndarray], width: int) -> None:
        self.look_up = extract
        self.width = width

    def absent(self, rows: np.ndarray) -> set:
        """Nothing has to be computed before it is asked for."""
        return set()

    def flush(self) -> None:
        """There is nothing to write."""


def source_of(frozen: keras.Model) -> str:
    """Which input a frozen branch reads."""
    return frozen.inputs[0].name


def is_stored(frozen: keras.Model) -> bool:
    """Whether the features are worth keeping: not where a layer says `stored = False`, quicker computed than read."""
    return all(getattr(layer, "stored", True) for layer in frozen.layers)


def extractor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """From what a branch reads `[rows, …]` to its features `[rows, width]`, a bounded number of rows at a time."""
    source = model.inputs[0]
    dtype = source.dtype
    run = tf.function(lambda rows: model(rows, training=False), input_signature=[tf.TensorSpec(source.shape, dtype)])

    def extract(rows: np.ndarray) -> np.ndarray:
        parts = [
            run(tf.constant(rows[i : i + BATCH_ROWS], source.dtype)).numpy() for i in range(0, len(rows), BATCH_ROWS)
        ]
        return np.concatenate(parts)

    return extract


# Told of each branch: its name, how many series are done, how many there are.
OnFeatures = Callable[[str, int, int], None]


def progress_bars(verbose: int | str, callbacks: Any) -> OnFeatures:
    """Shows on the terminal what is done and how long the rest will take, and tells the callbacks that care."""
    bars: dict[str, keras.utils.Progbar] = {}
    listeners = [each.on_features for each in callbacks or () if hasattr(each, "on_features")]

    def show(branch: str, done: int, series: int) -> None:
        for listener in listeners:
            listener(branch, done, series)
        if verbose not in (0, 2):
            if branch not in bars:
                bars[branch] = keras.utils.Progbar(series, unit_name=f"series ({branch})")
            bars[branch].update(done)

    return show


def compute_features(stores: dict[str, Branch], batches: Batches, on_features: OnFeatures | None = None) -> None:
    """Run the frozen branches over all series that have no features yet."""
    for branch, each in stores.items():
        absent = set().union(*(each.store.absent(taken(inputs, each.source)) for inputs, *_ in batches()))
        done = 0
        for inputs, *_ in batches() if absent else ():
            done += each.store.add(inputs[each.source])
            if on_features:
                on_features(branch, done, len(absent))
        each.store.flush()


def with_features(x: Any, stores: dict[str, Branch]) -> Any:
    """The same data with the features of every branch beside the readings, and without the text."""
    if not isinstance(x, tf.data.Dataset):
        arrays = arrays_of(x)
        features = {feature_input(branch): each.look_up(arrays) for branch, each in stores.items()}
        return {READINGS: arrays[READINGS], **features}

    def add(inputs: Any, *rest: Any) -> Any:
        inputs = as_dict(inputs)
        given = {READINGS: inputs[READINGS]}
        for branch, each in stores.items():
            features = tf.numpy_function(each.store.look_up, [inputs[each.source]], tf.float32, stateful=False)
            given[feature_input(branch)] = tf.ensure_shape(features, [None, each.store.width])
        return (given, *rest) if rest else given

    return fixed(x.map(add).prefetch(2))


def validation_with_features(data: Any, steps: int | None, stores: dict[str, Branch]) -> Any:
    """Keras's `validation_data`, a dataset or a tuple of arrays, with the features beside the readings."""
    if data is None:
        return None
    inputs, *rest = (data,) if isinstance(data, tf.data.Dataset) else data
    compute_features(stores, batches_of(inputs, None, steps))
    inputs = with_features(inputs, stores)
    return (inputs, *rest) if rest else inputs
