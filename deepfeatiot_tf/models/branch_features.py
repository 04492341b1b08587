"""Frozen features for training: computed once per series, shown while they are, put beside the readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models.training_data import (
    BATCH_ROWS,
    READINGS,
    Batches,
    arrays_of,
    as_dict,
    batches_of,
    taken,
)
from deepfeatiot_tf.readings.fixed_pipeline import fixed
from deepfeatiot_tf.training.cache_size import limit_cache
from deepfeatiot_tf.training.feature_store import FeatureStore, default_folder, frozen_key


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


def branches_of(frozen: Mapping[str, keras.Model], feature_cache: str | Path | bool | None) -> dict[str, Branch]:
    """The frozen branches with the stores of their features, opened; without one where that is not worth it.

    Args:
        frozen: by name.
        feature_cache: see `FrozenFeatureModel.fit`.

    Raises:
        InputError: the folder of features cannot be made.
    """
    branches = {
        branch: Branch(source_of(model), Uncached(extractor(model), model.output.shape[-1]))
        for branch, model in frozen.items()
    }
    if feature_cache is False:
        return branches
    folder = default_folder() if feature_cache in (None, True) else Path(str(feature_cache))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder of features {folder} cannot be made ({error.strerror}); name another one, "
            "feature_cache= or DEEPFEATIOT_CACHE, or do without, feature_cache=False"
        ) from error
    for branch, model in frozen.items():
        if is_stored(model):
            store = FeatureStore(folder / branch / frozen_key(model), extractor(model), model.output.shape[-1])
            branches[branch] = Branch(source_of(model), store)
    if feature_cache in (None, True):
        limit_cache(folder)  # what was just opened counts as used
    return branches


def inputs_of(network: keras.Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """Of these values, by name, those that are inputs of the network."""
    return {each.name: values[each.name] for each in network.inputs}


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
    spec = tf.TensorSpec(source.shape, dtype)
    # Without autograph, which would look through all of Keras for control flow; Keras's own graphs do without it, too.
    run = tf.function(lambda rows: model(rows, training=False), input_signature=[spec], autograph=False)

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


def compute_features(branches: Mapping[str, Branch], batches: Batches, on_features: OnFeatures | None = None) -> None:
    """Run the frozen branches over all series that have no features yet."""
    for branch, each in branches.items():
        absent = set().union(*(each.store.absent(taken(inputs, each.source)) for inputs, *_ in batches()))
        done = 0
        for inputs, *_ in batches() if absent else ():
            done += each.store.add(inputs[each.source])
            if on_features:
                on_features(branch, done, len(absent))
        each.store.flush()


def with_features(x: Any, branches: Mapping[str, Branch]) -> Any:
    """The same data with the features of every branch beside the readings, and without the text."""
    if not isinstance(x, tf.data.Dataset):
        arrays = arrays_of(x)
        features = {feature_input(branch): each.look_up(arrays) for branch, each in branches.items()}
        return {READINGS: arrays[READINGS], **features}

    def add(inputs: Any, *rest: Any) -> Any:
        inputs = as_dict(inputs)
        given = {READINGS: inputs[READINGS]}
        for branch, each in branches.items():
            features = tf.numpy_function(each.store.look_up, [inputs[each.source]], tf.float32, stateful=False)
            given[feature_input(branch)] = tf.ensure_shape(features, [None, each.store.width])
        return (given, *rest) if rest else given

    return fixed(x.map(add).prefetch(2))


def validation_with_features(data: Any, steps: int | None, branches: Mapping[str, Branch]) -> Any:
    """Keras's `validation_data`, a dataset or a tuple of arrays, with the features beside the readings."""
    if data is None:
        return None
    inputs, *rest = data if isinstance(data, (tuple, list)) else (data,)
    compute_features(branches, batches_of(inputs, None, steps))
    inputs = with_features(inputs, branches)
    return (inputs, *rest) if rest else inputs
