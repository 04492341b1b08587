"""A Keras model whose `fit` computes its frozen features once per series."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.layers import Blend, LaplacianFeatures, SampleSizeScale
from deepfeatiot_tf.training.cache_size import limit_cache
from deepfeatiot_tf.training.closed_form import ridge_head
from deepfeatiot_tf.training.feature_store import FeatureStore, default_folder, frozen_key
from deepfeatiot_tf.training.recipe import annealed, recipe_named
from deepfeatiot_tf.training.temperature import apply_temperature, fit_temperature, logits_of
from deepfeatiot_tf.training.windows import default_windows, windows_of

READINGS, METADATA = "readings", "metadata"
# The dense layers that are solved, and what a row has to have so that they learn from it.
SOLVED = {
    "closed_form": (READINGS, METADATA),
    "closed_form_readings": (READINGS,),
    "closed_form_metadata": (METADATA,),
}
# Rows that one call of a frozen branch computes: bounds memory, and fills the cores.
EXTRACT_ROWS = 256


def feature_input(branch: str) -> str:
    """Name of the network's input for the features of a frozen branch."""
    return f"{branch}_features"


class FrozenFeatureModel(keras.Model):
    """`network({readings, frozen features})`, one functional graph from raw readings and text to probabilities.

    In use (`predict`, `evaluate`, export) the whole graph runs. In `fit`, the frozen branches run once per series;
    their features are kept on disk, keyed by the content of what they read and of the branch, and training reads
    them from there. What `fit` trains, `save` saves and export serves are the same layers.

    `fit` takes what Keras's takes: arrays or a `tf.data.Dataset`. The first `fit` also takes the standardization of
    the frozen features from the training data, and solves a closed-form head, where the network has one. Where it
    blends such a head with what it learns by gradient, the end of `fit` weighs the two on the validation data.

    Inputs are `{"readings": float32 [batch, time]}`, and `"metadata"`, string `[batch]`, where a branch reads it. In
    use either of the two may then be left out.

    Args:
        frozen: for each frozen branch, a model from readings `[batch, time]`, or from metadata `[batch]`, to features
            `[batch, width]`; the name of its input says from which.
        network: a functional model from `{"readings": …, "<branch>_features": …}` to probabilities.
        name: of the model.

    Attributes:
        recipe: name of the recipe that `compile` takes unless told otherwise; see `training.recipe`.
        annealed: whether `fit` lets the learning rate fall over its epochs; see `training.recipe`. The weights to
            keep are then those of the last epoch.
        windows: into how many windows each series is cut for the closed-form heads, which learn from these as from
            further series; see `windows_of`. None for `default_windows`.
        left_out: by name of a closed-form head, float32 `[series, classes]`: what the series that it was solved on, in
            the order of the training data, would have got had each been left out. Filled by `fit`, not saved.
    """

    recipe = "deepfeatiot"

    def __init__(
        self, frozen: dict[str, keras.Model], network: keras.Model, name: str | None = None, **kwargs: Any
    ) -> None:
        inputs = {READINGS: keras.Input((None,), name=READINGS, dtype="float32")}
        if any(_source(model) == METADATA for model in frozen.values()):
            inputs[METADATA] = keras.Input((), name=METADATA, dtype="string")
        features = {feature_input(branch): model(inputs[_source(model)]) for branch, model in frozen.items()}
        outputs = network(_inputs_of(network, {**inputs, **features}))
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.input_spec = None  # Keras's own check knows no input that may be left out
        self.frozen = frozen
        self.network = network
        self.adapted = False
        self.annealed = False
        self.windows: tuple[int, ...] | None = None
        self.left_out: dict[str, np.ndarray] = {}

    @property
    def blend(self) -> Blend | None:
        """The layer that weighs a closed-form head and a network, where the model has both."""
        return next((layer for layer in self.network.layers if isinstance(layer, Blend)), None)

    @property
    def reads_metadata(self) -> bool:
        """Whether a branch reads the text about a sensor."""
        return any(_source(model) == METADATA for model in self.frozen.values())

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        given = _as_dict(inputs)
        if len(given) > 1 and all(feature_input(branch) in given for branch in self.frozen):
            return self.network(_inputs_of(self.network, given), training=training)
        if not self.reads_metadata:
            return super().call({READINGS: given[READINGS]}, training=training)
        rows = tf.shape(next(iter(given.values())))[0]
        whole = {READINGS: tf.fill([rows, 1], np.float32(np.nan)), METADATA: tf.fill([rows], ""), **given}
        return super().call({name: whole[name] for name in (READINGS, METADATA)}, training=training)

    def compile(
        self, optimizer: Any = None, loss: Any = None, metrics: Any = None, *, recipe: str | None = None, **kwargs: Any
    ) -> None:
        """As Keras's; what is not given is that of a recipe.

        Args:
            optimizer: as in `keras.Model.compile`.
            loss: as in `keras.Model.compile`.
            metrics: as in `keras.Model.compile`.
            recipe: one by name; see `training.recipe`. Default: that of the model.
            **kwargs: as in `keras.Model.compile`.

        Raises:
            ValueError: no such recipe.
        """
        chosen = recipe_named(recipe or self.recipe)
        self.annealed = optimizer is None and (recipe or self.recipe) == "robust"
        super().compile(
            optimizer=chosen["optimizer"] if optimizer is None else optimizer,
            loss=chosen["loss"] if loss is None else loss,
            metrics=chosen["metrics"] if metrics is None else metrics,
            **kwargs,
        )
        # As `_make_counters`, of the optimizer.
        self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict) -> None:
        """Compile as the saved model was."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(self, *args: Any, feature_cache: str | Path | bool | None = None, **kwargs: Any) -> keras.callbacks.History:
        """As Keras's `fit`, with the frozen features computed once per series.

        Args:
            *args: as in `keras.Model.fit`; `x` is an array of readings `[series, time]`, a dict with `"readings"` (and
                `"metadata"` where the model reads it), or a batched `tf.data.Dataset` of such.
            feature_cache: folder of the features. Default: `DEEPFEATIOT_CACHE`, else the user's cache folder; of more
                than 10 GiB there (`DEEPFEATIOT_CACHE_GIB`), what has not been used for longest is deleted. False
                trains without the store: frozen branches run in every step.
            **kwargs: as in `keras.Model.fit`. A callback that has a method `on_features(branch, done, series)` hears
                how far the features are computed.

        Returns:
            Keras's `History`.

        Raises:
            InputError: `x` is neither array nor dataset, an endless dataset without `steps_per_epoch`, or without the
                metadata that the model reads.
        """
        call = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs)
        call.apply_defaults()
        given = {name: value for name, value in call.arguments.items() if name != "self"}
        _check(given["x"], given["steps_per_epoch"])
        if isinstance(given["x"], tf.data.Dataset):
            given["shuffle"] = False  # the dataset decides; Keras warns otherwise
        batches = _batches(given["x"], given["y"], given["steps_per_epoch"])
        held_out = given["validation_data"], given["validation_steps"]
        stores = self._stores(feature_cache)
        lessons = batches if self.adapted else self._lessons(batches)
        if feature_cache is False:
            self._prepare(stores, lessons, given["class_weight"])
        else:
            _compute(stores, lessons, _bars(given["verbose"], given["callbacks"]))
            self._prepare(stores, lessons, given["class_weight"])
            given["x"] = _with_features(given["x"], stores)
            given["validation_data"] = _validation_with_features(
                given["validation_data"], given["validation_steps"], stores
            )
        self._make_counters(batches)
        if self.trainable_variables:
            if self.annealed:
                given["callbacks"] = [annealed(given["epochs"]), *(given["callbacks"] or ())]
            history = super().fit(**given)
            self._weigh(stores, *held_out)
            return history
        # Everything is solved; one pass reports the metrics and calls the callbacks.
        given["epochs"] = given["initial_epoch"] + 1
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The model does not have any trainable weights")
            return super().fit(**given)

    def solve(
        self, x: Any, y: Any = None, *, class_weight: dict[int, float] | None = None, feature_cache: Any = None
    ) -> None:
        """Solve the closed-form heads anew, on these series, and leave all else as it is.

        After a choice on a validation part, so that it is learned from, too.

        Args:
            x: as for `fit`.
            y: as for `fit`.
            class_weight: as for `fit`.
            feature_cache: as for `fit`.
        """
        _check(x, None)
        stores = self._stores(feature_cache)
        lessons = self._lessons(_batches(x, y, None))
        if feature_cache is not False:
            _compute(stores, lessons)
        self._solve_all(stores, lessons, class_weight)

    def _lessons(self, batches: Batches) -> Batches:
        """What closed-form heads learn from: the training data, and windows of its series where there are to be any."""
        if not any(READINGS in SOLVED.get(layer.name, ()) for layer in self.network.layers):
            return batches
        parts = self.windows
        if parts is None:
            parts = default_windows(sum(len(series) for _, _, series in batches()))
        return _with_windows(batches, parts) if parts else batches

    def _make_counters(self, batches: Batches) -> None:
        """Let the metrics make their variables, which they do at the first labels that they see.

        Left to the first step, they would make them inside its graph, which TensorFlow then traces twice.
        """
        labels = next((labels[:1] for _, labels, _ in batches()), np.empty(0))
        if labels.size:
            with self.distribute_strategy.scope():
                self.compute_metrics(None, labels, np.zeros((1, self.output_shape[-1]), np.float32))
                self.reset_metrics()

    def _stores(self, feature_cache: Any) -> dict[str, _Branch]:
        folder = default_folder() if feature_cache in (None, True, False) else Path(str(feature_cache))
        if feature_cache in (None, True):
            limit_cache(folder)
        stores = {
            branch: _Branch(
                _source(model),
                FeatureStore(folder / branch / frozen_key(model), _extractor(model), model.output.shape[-1]),
            )
            for branch, model in self.frozen.items()
        }
        if feature_cache is False:
            return {branch: _Branch(each.source, _Uncached(each.store)) for branch, each in stores.items()}
        return stores

    def _prepare(self, stores: dict[str, _Branch], batches: Batches, class_weight: dict[int, float] | None) -> None:
        """What the first `fit` takes from the training data: standardization, closed-form head."""
        if self.adapted:
            return
        for branch, each in stores.items():
            for layer in self.network.layers:
                if layer.name == f"{branch}_standardized":
                    layer.adapt(each.look_up(inputs)[_has(inputs, each.source)] for inputs, _, _ in batches())
        for layer in self.network.layers:
            if isinstance(layer, SampleSizeScale):
                layer.adapt(sum(len(np.unique(series)) for _, _, series in batches()))
            if isinstance(layer, LaplacianFeatures):
                inputs = layer.input if isinstance(layer.input, list) else [layer.input]
                needs = (READINGS,) if len(inputs) == 1 else (READINGS, METADATA)
                layer.adapt(*self._values(inputs, needs, stores, batches)[:-1])
        self._solve_all(stores, batches, class_weight)
        self.adapted = True

    def _values(
        self, tensors: Sequence[keras.KerasTensor], needs: Sequence[str], stores: dict[str, _Branch], batches: Batches
    ) -> list[np.ndarray]:
        """What tensors of the network are for the rows `[rows, width]`, their one-hot labels, and the rows' series.

        Of a model that reads metadata, only for the rows that have all of the inputs in `needs`; where these are not
        readings, without windows.
        """
        part = keras.Model({each.name: each for each in self.network.inputs}, list(tensors))
        values = []
        for inputs, one_hot, series in batches():
            rows = np.isin(np.arange(len(series)), np.unique(series, return_index=True)[1]) | (READINGS in needs)
            for name in needs if self.reads_metadata else ():
                rows &= _has(inputs, name)
            looked_up = {feature_input(branch): each.look_up(inputs) for branch, each in stores.items()}
            found = part(_inputs_of(part, {READINGS: inputs[READINGS], **looked_up}))
            values.append([np.array(each)[rows] for each in (*tf.nest.flatten(found), one_hot, series)])
        every = [np.concatenate(each) for each in zip(*values, strict=True)]
        if not len(every[-1]):
            raise InputError(f"fit: no series has {' and '.join(needs)} to learn from; leave the text encoder out")
        return every

    def _solve_all(self, stores: dict[str, _Branch], batches: Batches, class_weight: dict[int, float] | None) -> None:
        for layer in self.network.layers:
            if layer.name in SOLVED:
                self._solve(layer, stores, batches, class_weight)

    def _weigh(self, stores: dict[str, _Branch], validation_data: Any, steps: int | None) -> None:
        """What solved and learned answers count for in a blend, once the latter are as sure as they are right."""
        if self.blend is None or validation_data is None:
            return
        x, y = (validation_data, None) if isinstance(validation_data, tf.data.Dataset) else validation_data[:2]
        solved, learned, one_hot, _ = self._values(self.blend.input, (), stores, _batches(x, y, steps))
        logits = logits_of(learned)
        temperature = fit_temperature(one_hot.argmax(axis=1), logits)
        apply_temperature(self.network.get_layer("logits"), temperature)
        self.blend.adapt(solved, softmax(logits / temperature, axis=1), one_hot)

    def _solve(
        self,
        head: keras.layers.Dense,
        stores: dict[str, _Branch],
        batches: Batches,
        class_weight: dict[int, float] | None,
    ) -> None:
        features, one_hot, series = self._values([head.input], SOLVED[head.name], stores, batches)
        weights = None if class_weight is None else np.array([class_weight[i] for i in one_hot.argmax(axis=1)])
        kernel, bias, self.left_out[head.name] = ridge_head(features, one_hot, weights, series)
        head.kernel.assign(kernel)
        head.bias.assign(bias)

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["adapted"] = np.array(self.adapted)

    def load_own_variables(self, store: Any) -> None:
        self.adapted = bool(np.array(store["adapted"]))


class _Branch:
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
        return self.store.look_up(_taken(inputs, self.source))


class _Uncached:
    """Looks like a store, computes every time."""

    def __init__(self, store: FeatureStore) -> None:
        self.look_up = store._extract


def _source(frozen: keras.Model) -> str:
    return frozen.inputs[0].name


def _inputs_of(network: keras.Model, values: dict[str, Any]) -> dict[str, Any]:
    return {each.name: values[each.name] for each in network.inputs}


def _as_dict(inputs: Any) -> dict[str, Any]:
    if isinstance(inputs, (list, tuple)):
        (inputs,) = inputs
    return inputs if isinstance(inputs, dict) else {READINGS: inputs}


def _taken(inputs: dict[str, Any], name: str) -> Any:
    if name not in inputs:
        ways = " or build the model with text_encoder=None" if name == METADATA else ""
        raise InputError(f"fit: the data has no {name!r}, which the model reads; give it as inputs[{name!r}]{ways}")
    return inputs[name]


def _has(inputs: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Bool `[batch]`: which rows have readings, or metadata."""
    values = _taken(inputs, name)
    if name == READINGS:
        return np.isfinite(values).any(axis=1)
    return np.array([bool(text.strip()) for text in values], bool)


def _check(x: Any, steps: int | None) -> None:
    if not isinstance(x, (tf.data.Dataset, dict, np.ndarray, tf.Tensor)):
        raise InputError(f"fit: x is a {type(x).__name__}; give an array of readings or a tf.data.Dataset")
    if isinstance(x, tf.data.Dataset) and steps is None and x.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError("fit: the dataset never ends; give steps_per_epoch")


def _extractor(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    source = model.inputs[0]
    dtype = source.dtype
    run = tf.function(lambda rows: model(rows, training=False), input_signature=[tf.TensorSpec(source.shape, dtype)])

    def extract(rows: np.ndarray) -> np.ndarray:
        parts = [
            run(tf.constant(rows[i : i + EXTRACT_ROWS], source.dtype)).numpy()
            for i in range(0, len(rows), EXTRACT_ROWS)
        ]
        return np.concatenate(parts)

    return extract


# A way to walk, as often as needed, through batches: inputs by name, one-hot labels, the number of each row's series.
Batches = Callable[[], Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]]


def _batches(x: Any, y: Any, steps: int | None) -> Batches:
    """The training data; every row is a series of its own."""

    def parts() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        if isinstance(x, tf.data.Dataset):
            for element in x if steps is None else x.take(steps):
                inputs, *rest = element if isinstance(element, tuple) else (element,)
                arrays = {name: np.asarray(value) for name, value in _as_dict(inputs).items()}
                yield arrays, np.asarray(rest[0]) if rest else np.empty(0)
        else:
            arrays = _arrays(x)
            for i in range(0, len(arrays[READINGS]), EXTRACT_ROWS):
                part = slice(i, i + EXTRACT_ROWS)
                batch = {name: array[part] for name, array in arrays.items()}
                yield batch, np.empty(0) if y is None else np.asarray(y)[part]

    def walk() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]:
        done = 0
        for inputs, one_hot in parts():
            series = done + np.arange(len(next(iter(inputs.values()))))
            yield inputs, one_hot, series
            done += len(series)

    return walk


def _with_windows(batches: Batches, parts: Sequence[int]) -> Batches:
    """The same batches, each with windows of its series behind them."""

    def walk() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]]:
        for inputs, one_hot, series in batches():
            windows, rows = windows_of(inputs[READINGS], parts)
            more = {name: windows if name == READINGS else values[rows] for name, values in inputs.items()}
            yield (
                {name: np.concatenate([values, more[name]]) for name, values in inputs.items()},
                np.concatenate([one_hot, one_hot[rows]]),
                np.concatenate([series, series[rows]]),
            )

    return walk


def _arrays(x: Any) -> dict[str, np.ndarray]:
    inputs = _as_dict(x)
    arrays = {READINGS: np.asarray(inputs[READINGS], np.float32)}
    if METADATA in inputs:
        arrays[METADATA] = np.asarray(inputs[METADATA], object)
    return arrays


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


def _compute(stores: dict[str, _Branch], batches: Batches, on_features: OnFeatures | None = None) -> None:
    """Run the frozen branches over all series that have no features yet."""
    for branch, each in stores.items():
        absent = set().union(*(each.store.absent(_taken(inputs, each.source)) for inputs, *_ in batches()))
        done = 0
        for inputs, *_ in batches() if absent else ():
            done += each.store.add(inputs[each.source])
            if on_features:
                on_features(branch, done, len(absent))
        each.store.flush()


def _with_features(x: Any, stores: dict[str, _Branch]) -> Any:
    """The same data with the features of every branch beside the readings, and without the text."""
    if not isinstance(x, tf.data.Dataset):
        arrays = _arrays(x)
        features = {feature_input(branch): each.look_up(arrays) for branch, each in stores.items()}
        return {READINGS: arrays[READINGS], **features}

    def add(inputs: Any, *rest: Any) -> Any:
        inputs = _as_dict(inputs)
        taken = {READINGS: inputs[READINGS]}
        for branch, each in stores.items():
            features = tf.numpy_function(each.store.look_up, [inputs[each.source]], tf.float32, stateful=False)
            taken[feature_input(branch)] = tf.ensure_shape(features, [None, each.store.width])
        return (taken, *rest) if rest else taken

    return x.map(add).prefetch(2)


def _validation_with_features(data: Any, steps: int | None, stores: dict[str, _Branch]) -> Any:
    """Keras's `validation_data`, a dataset or a tuple of arrays, with the features beside the readings."""
    if data is None:
        return None
    inputs, *rest = (data,) if isinstance(data, tf.data.Dataset) else data
    _compute(stores, _batches(inputs, None, steps))
    inputs = _with_features(inputs, stores)
    return (inputs, *rest) if rest else inputs
