"""A Keras model whose `fit` computes its frozen features once per series."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.layers import FeatureStandardization, LaplacianFeatures
from deepfeatiot_tf.training.closed_form import ridge_head
from deepfeatiot_tf.training.feature_store import FeatureStore, default_folder, frozen_key
from deepfeatiot_tf.training.recipe import paper_recipe

READINGS = "readings"
# Rows that one call of a frozen branch computes: bounds memory, and fills the cores.
EXTRACT_ROWS = 256


def feature_input(branch: str) -> str:
    """Name of the network's input for the features of a frozen branch."""
    return f"{branch}_features"


class FrozenFeatureModel(keras.Model):
    """`network({readings, frozen features of readings})`, one functional graph from raw readings to probabilities.

    In use (`predict`, `evaluate`, export) the whole graph runs. In `fit`, the frozen branches run once per series;
    their features are kept on disk, keyed by the content of the readings and of the branch, and training reads
    them from there. What `fit` trains, `save` saves and export serves are the same layers.

    `fit` takes what Keras's takes: arrays or a `tf.data.Dataset`. The first `fit` also takes the standardization of
    the frozen features from the training data, and solves a closed-form head, where the network has one.

    Args:
        frozen: for each frozen branch, a model from readings `[batch, time]` to features `[batch, width]`.
        network: a functional model from `{"readings": …, "<branch>_features": …}` to probabilities.
        name: of the model.
    """

    def __init__(
        self, frozen: dict[str, keras.Model], network: keras.Model, name: str | None = None, **kwargs: Any
    ) -> None:
        readings = keras.Input((None,), name=READINGS, dtype="float32")
        features = {feature_input(branch): model(readings) for branch, model in frozen.items()}
        outputs = network(_inputs_of(network, {READINGS: readings, **features}))
        super().__init__({READINGS: readings}, outputs, name=name, **kwargs)
        self.frozen = frozen
        self.network = network
        self.adapted = False

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        if isinstance(inputs, dict) and len(inputs) > 1 and all(feature_input(b) in inputs for b in self.frozen):
            return self.network(_inputs_of(self.network, inputs), training=training)
        return super().call({READINGS: _as_dict(inputs)[READINGS]}, training=training, mask=mask)

    def compile(self, optimizer: Any = None, loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """As Keras's; what is not given is the published recipe (see `training.recipe`)."""
        recipe = paper_recipe()
        super().compile(
            optimizer=recipe["optimizer"] if optimizer is None else optimizer,
            loss=recipe["loss"] if loss is None else loss,
            metrics=recipe["metrics"] if metrics is None else metrics,
            **kwargs,
        )
        # Left to the first step, the slots would be made inside its graph, which is then traced twice.
        self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict) -> None:
        """Compile as the saved model was."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(self, *args: Any, feature_cache: str | Path | bool | None = None, **kwargs: Any) -> keras.callbacks.History:
        """As Keras's `fit`, with the frozen features computed once per series.

        Args:
            *args: as in `keras.Model.fit`; `x` is an array of readings `[series, time]`, a dict with `"readings"`, or a
                batched `tf.data.Dataset`.
            feature_cache: folder of the features. Default: `DEEPFEATIOT_CACHE`, else the user's cache folder.
                False trains without the store: frozen branches run in every step.
            **kwargs: as in `keras.Model.fit`. A callback that has a method `on_features(branch, done, series)` hears
                how far the features are computed.

        Returns:
            Keras's `History`.

        Raises:
            InputError: `x` is neither array nor dataset, or an endless dataset without `steps_per_epoch`.
        """
        call = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs)
        call.apply_defaults()
        given = {name: value for name, value in call.arguments.items() if name != "self"}
        _check(given["x"], given["steps_per_epoch"])
        if isinstance(given["x"], tf.data.Dataset):
            given["shuffle"] = False  # the dataset decides; Keras warns otherwise
        batches = _batches(given["x"], given["y"], given["steps_per_epoch"])
        stores = self._stores(default_folder() if feature_cache in (None, True) else Path(str(feature_cache)))
        if feature_cache is False:
            self._prepare({b: _Uncached(s) for b, s in stores.items()}, batches, given["class_weight"])
        else:
            _compute(stores, batches, _bars(given["verbose"], given["callbacks"]))
            self._prepare(stores, batches, given["class_weight"])
            given["x"] = _with_features(given["x"], stores)
            given["validation_data"] = _validation_with_features(
                given["validation_data"], given["validation_steps"], stores
            )
        if self.trainable_variables:
            return super().fit(**given)
        # Everything is solved; one pass reports the metrics and calls the callbacks.
        given["epochs"] = given["initial_epoch"] + 1
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The model does not have any trainable weights")
            return super().fit(**given)

    def _stores(self, folder: Path) -> dict[str, FeatureStore]:
        return {
            branch: FeatureStore(folder / branch / frozen_key(model), _extractor(model), model.output.shape[-1])
            for branch, model in self.frozen.items()
        }

    def _prepare(
        self, stores: dict[str, Any], batches: Callable[[], Iterator], class_weight: dict[int, float] | None
    ) -> None:
        """What the first `fit` takes from the training data: standardization, closed-form head."""
        if self.adapted:
            return
        for branch, store in stores.items():
            for layer in self.network.layers:
                if isinstance(layer, FeatureStandardization) and layer.name == f"{branch}_standardized":
                    layer.adapt(store.look_up(readings) for readings, _ in batches())
        for layer in self.network.layers:
            if isinstance(layer, LaplacianFeatures):
                layer.adapt(self._values(layer.input, stores, batches)[0])
        if any(layer.name == "closed_form" for layer in self.network.layers):
            self._solve(stores, batches, class_weight)
        self.adapted = True

    def _values(
        self, tensor: keras.KerasTensor, stores: dict[str, Any], batches: Callable[[], Iterator]
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a tensor of the network is for the training data `[series, width]`, and their one-hot labels."""
        part = keras.Model({each.name: each for each in self.network.inputs}, tensor)
        values, labels = [], []
        for readings, one_hot in batches():
            looked_up = {feature_input(branch): store.look_up(readings) for branch, store in stores.items()}
            values.append(np.array(part(_inputs_of(part, {READINGS: readings, **looked_up}))))
            labels.append(one_hot)
        return np.concatenate(values), np.concatenate(labels)

    def _solve(
        self, stores: dict[str, Any], batches: Callable[[], Iterator], class_weight: dict[int, float] | None
    ) -> None:
        head = self.network.get_layer("closed_form")
        features, one_hot = self._values(head.input, stores, batches)
        weights = None if class_weight is None else np.array([class_weight[i] for i in one_hot.argmax(axis=1)])
        kernel, bias = ridge_head(features, one_hot, weights)
        head.kernel.assign(kernel)
        head.bias.assign(bias)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["adapted"] = np.array(self.adapted)

    def load_own_variables(self, store: Any) -> None:
        self.adapted = bool(np.array(store["adapted"]))


class _Uncached:
    """Looks like a store, computes every time."""

    def __init__(self, store: FeatureStore) -> None:
        self.look_up = store._extract


def _inputs_of(network: keras.Model, values: dict[str, Any]) -> dict[str, Any]:
    return {each.name: values[each.name] for each in network.inputs}


def _as_dict(inputs: Any) -> Any:
    return inputs if isinstance(inputs, (dict, list, tuple)) else {READINGS: inputs}


def _check(x: Any, steps: int | None) -> None:
    if not isinstance(x, (tf.data.Dataset, dict, np.ndarray, tf.Tensor)):
        raise InputError(f"fit: x is a {type(x).__name__}; give an array of readings or a tf.data.Dataset")
    if isinstance(x, tf.data.Dataset) and steps is None and x.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError("fit: the dataset never ends; give steps_per_epoch")


def _extractor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    run = tf.function(
        lambda readings: model(readings, training=False),
        input_signature=[tf.TensorSpec([None, None], tf.float32)],
    )

    def extract(readings: np.ndarray) -> np.ndarray:
        parts = [
            run(tf.constant(readings[i : i + EXTRACT_ROWS])).numpy() for i in range(0, len(readings), EXTRACT_ROWS)
        ]
        return np.concatenate(parts)

    return extract


def _batches(x: Any, y: Any, steps: int | None) -> Callable[[], Iterator[tuple[np.ndarray, np.ndarray]]]:
    """A way to walk through `(readings, one-hot)` of the training data as often as needed."""

    def walk() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        if isinstance(x, tf.data.Dataset):
            for element in x if steps is None else x.take(steps):
                inputs, *rest = element if isinstance(element, tuple) else (element,)
                yield np.asarray(_as_dict(inputs)[READINGS]), np.asarray(rest[0]) if rest else np.empty(0)
        else:
            readings = np.asarray(_as_dict(x)[READINGS], np.float32)
            for i in range(0, len(readings), EXTRACT_ROWS):
                part = slice(i, i + EXTRACT_ROWS)
                yield readings[part], np.empty(0) if y is None else np.asarray(y)[part]

    return walk


# Told of each branch: its name, how many series are done, how many there are.
OnFeatures = Callable[[str, int, int], None]


def _bars(verbose: int | str, callbacks: Any) -> OnFeatures:
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


def _compute(
    stores: dict[str, FeatureStore], batches: Callable[[], Iterator], on_features: OnFeatures | None = None
) -> None:
    """Run the frozen branches over all series that have no features yet."""
    for branch, store in stores.items():
        absent = set().union(*(store.absent(readings) for readings, _ in batches()))
        done = 0
        for readings, _ in batches() if absent else ():
            done += store.add(readings)
            if on_features:
                on_features(branch, done, len(absent))
        store.flush()


def _with_features(x: Any, stores: dict[str, FeatureStore]) -> Any:
    """The same data with the features of every branch beside the readings."""
    if not isinstance(x, tf.data.Dataset):
        readings = np.asarray(_as_dict(x)[READINGS], np.float32)
        return {**_as_dict(x), **{feature_input(b): store.look_up(readings) for b, store in stores.items()}}

    def add(inputs: Any, *rest: Any) -> Any:
        inputs = _as_dict(inputs)
        for branch, store in stores.items():
            features = tf.numpy_function(store.look_up, [inputs[READINGS]], tf.float32, stateful=False)
            inputs = {**inputs, feature_input(branch): tf.ensure_shape(features, [None, store.width])}
        return (inputs, *rest) if rest else inputs

    return x.map(add).prefetch(2)


def _validation_with_features(data: Any, steps: int | None, stores: dict[str, FeatureStore]) -> Any:
    """Keras's `validation_data`, a dataset or a tuple of arrays, with the features beside the readings."""
    if data is None:
        return None
    inputs, *rest = (data,) if isinstance(data, tf.data.Dataset) else data
    _compute(stores, _batches(inputs, None, steps))
    inputs = _with_features(inputs, stores)
    return (inputs, *rest) if rest else inputs
