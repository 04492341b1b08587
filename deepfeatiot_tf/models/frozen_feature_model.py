"""A Keras model whose `fit` computes its frozen features once per series."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.layers import Blend, LaplacianFeatures, SampleSizeScale
from deepfeatiot_tf.models.branch_features import (
    Branch,
    Uncached,
    compute_features,
    extractor,
    feature_input,
    is_stored,
    progress_bars,
    source_of,
    validation_with_features,
    with_features,
)
from deepfeatiot_tf.models.training_data import (
    METADATA,
    READINGS,
    WEIGHTS,
    Batches,
    as_dict,
    augmented_copies_of,
    batches_of,
    check_data,
    check_weights,
    counted,
    has,
    held_out,
    one_after_the_other,
    remembered,
    whole_rows,
    with_further,
    with_wrong_metadata,
)
from deepfeatiot_tf.training.cache_size import limit_cache
from deepfeatiot_tf.training.closed_form import ridge_head
from deepfeatiot_tf.training.feature_store import FeatureStore, default_folder, frozen_key
from deepfeatiot_tf.training.other_sites import other_sites
from deepfeatiot_tf.training.recipe import annealed, recipe_named
from deepfeatiot_tf.training.temperature import apply_temperature, fit_temperature, logits_of
from deepfeatiot_tf.training.windows import default_windows, windows_of

# The dense layers that are solved, and what a row has to have so that they learn from it.
SOLVED = {
    "closed_form": (READINGS, METADATA),
    "closed_form_readings": (READINGS,),
    "closed_form_metadata": (METADATA,),
}
# Rows with wrong metadata that a head learns from, at most: with 20,000 features each they take a third of a gigabyte.
WRONG_ROWS = 2000


class FrozenFeatureModel(keras.Model):
    """`network({readings, frozen features})`, one functional graph from raw readings and text to probabilities.

    In use (`predict`, `evaluate`, export) the whole graph runs. In `fit`, the frozen branches run once per series;
    their features are kept on disk, keyed by the content of what they read and of the branch, and training reads
    them from there. What `fit` trains, `save` saves and export serves are the same layers.

    `fit` takes arrays or a `tf.data.Dataset`, as Keras's does, with one-hot labels. The first `fit` also takes the
    standardization of the frozen features from the training data, and solves a closed-form head, where the network has
    one. Where it blends such a head with what it learns by gradient, the end of `fit` weighs the two on the validation
    data. Weights of samples, or of classes, count in the head that is solved as in what is trained; a sample of
    the weight 0 has no part in the standardization and the kernel, either.

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
        augmented_copies: of each series, from which the closed-form heads learn as from further series, when features
            are standardized, and the kernel is adapted, without them; see `augmented`. 0 by default.
        class_units: the unit of the readings of each class, `""` where there is no other, if closed-form heads are to
            learn from copies as another site would report them, too; see `other_sites`. None: they are not.
        wrong_metadata: what rows with the metadata of other series count for, beside the right ones, when the
            closed-form head that reads both is solved. 0: there are none.
        learned_windows: what `windows` came to in the last `fit`; not saved.
        temperature: by which the logits of what is learned by gradient were divided after it was; not saved.
        left_out: by name of a closed-form head, float32 `[series, classes]`: what the series that it was solved on, in
            the order of the training data (a shuffled dataset has none that could be known), would have got had each
            been left out. Filled by `fit`, not saved.
        cross_validated: the same by cross-validation; see `SolvedHead`.
    """

    recipe = "robust"

    def __init__(
        self, frozen: dict[str, keras.Model], network: keras.Model, name: str | None = None, **kwargs: Any
    ) -> None:
        inputs = {READINGS: keras.Input((None,), name=READINGS, dtype="float32")}
        if any(source_of(model) == METADATA for model in frozen.values()):
            inputs[METADATA] = keras.Input((), name=METADATA, dtype="string")
        features = {feature_input(branch): model(inputs[source_of(model)]) for branch, model in frozen.items()}
        outputs = network(_inputs_of(network, {**inputs, **features}))
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.input_spec = None  # Keras's own check knows no input that may be left out
        self.frozen = frozen
        self.network = network
        self.adapted = False
        self.annealed = False
        self.windows: tuple[int, ...] | None = None
        self.augmented_copies = 0
        self.class_units: tuple[str, ...] | None = None
        self.wrong_metadata = 0.0
        self.learned_windows: tuple[int, ...] = ()
        self.temperature = 1.0
        self.left_out: dict[str, np.ndarray] = {}
        self.cross_validated: dict[str, np.ndarray] = {}

    @property
    def blend(self) -> Blend | None:
        """The layer that weighs a closed-form head and a network, where the model has both."""
        return next((layer for layer in self.network.layers if isinstance(layer, Blend)), None)

    @property
    def reads_metadata(self) -> bool:
        """Whether a branch reads the text about a sensor."""
        return any(source_of(model) == METADATA for model in self.frozen.values())

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        given = as_dict(inputs)
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
            recipe: one by name; see `training.recipe`. Default: that of the model. That of robust models anneals the
                learning rate over the epochs of each `fit`, whatever rate is set; give an optimizer to have your own.
            **kwargs: as in `keras.Model.compile`. Default `jit_compile=False`, where Keras would choose XLA on a GPU:
                XLA refuses the text that data may carry, read or not. The random kernels are one XLA program anyway.

        Raises:
            ValueError: no such recipe.
        """
        chosen = recipe_named(recipe or self.recipe)
        self.annealed = optimizer is None and (recipe or self.recipe) == "robust"
        kwargs.setdefault("jit_compile", False)
        super().compile(
            optimizer=chosen["optimizer"] if optimizer is None else optimizer,
            loss=chosen["loss"] if loss is None else loss,
            metrics=chosen["metrics"] if metrics is None else metrics,
            **kwargs,
        )
        # As `_make_counters`, of the optimizer.
        self.optimizer.build(self.trainable_variables)

    def get_compile_config(self) -> dict:
        """As Keras's, and whether the learning rate is annealed, which is of the optimizer, not of the weights."""
        config = super().get_compile_config()
        return {**config, "annealed": self.annealed} if config else config  # none of a model that is not compiled

    def compile_from_config(self, config: dict) -> None:
        """Compile as the saved model was."""
        given = keras.saving.deserialize_keras_object(config)
        annealed_before = given.pop("annealed", False)
        self.compile(**given)
        self.annealed = annealed_before

    def fit(self, *args: Any, feature_cache: str | Path | bool | None = None, **kwargs: Any) -> keras.callbacks.History:
        """As Keras's `fit`, with the frozen features computed once per series.

        Args:
            *args: as in `keras.Model.fit`; `x` is an array of readings `[series, time]`, a dict with `"readings"` (and
                `"metadata"` where the model reads it), or a batched `tf.data.Dataset` of such. A dataset trains a
                network in less time: Keras's own pipeline of arrays waits after each epoch for TensorFlow's tuner
                (`readings.fixed_pipeline`).
            feature_cache: folder of the features. Default: `DEEPFEATIOT_CACHE`, else the user's cache folder; of more
                than 10 GiB there (`DEEPFEATIOT_CACHE_GIB`), what has not been used for longest is deleted. False
                trains without the store: frozen branches run in every step.
            **kwargs: as in `keras.Model.fit`. A callback that has a method `on_features(branch, done, series)` hears
                how far the features are computed. What `ModelCheckpoint` saves of a blend is the model before its two
                answers are weighed, which is done at the end.

        Returns:
            Keras's `History`.

        Raises:
            ValueError: the model is not compiled.
            InputError: `x` is neither array nor dataset, an endless dataset without `steps_per_epoch`, one that is not
                batched, one with `validation_split`, or without the metadata that the model reads; there are weights
                both of samples and of classes, or none above 0; the folder of features cannot be made; the labels are
                not one-hot.
        """
        if not self.compiled:  # before any feature is computed, and any head solved
            raise ValueError("fit: the model is not compiled; call compile() first")
        call = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs)
        call.apply_defaults()
        given = {name: value for name, value in call.arguments.items() if name != "self"}
        check_data(given["x"], given["steps_per_epoch"], given["validation_split"])
        check_weights(given["x"], given["sample_weight"], given["class_weight"])
        if isinstance(given["x"], tf.data.Dataset):
            given["shuffle"] = False  # the dataset decides; Keras warns otherwise
        if given["validation_split"] and given["validation_data"] is None:
            learned, given["validation_data"] = held_out(
                given["x"], given["y"], given["sample_weight"], given["validation_split"]
            )
            given["x"], given["y"], given["sample_weight"] = learned
            given["validation_split"] = 0.0
        given["callbacks"] = _callbacks(given["callbacks"])
        if self.adapted and not self.trainable_variables:
            warnings.warn("fit: the head of this model is solved already and stays; build a new one", stacklevel=2)
        batches = batches_of(given["x"], given["y"], given["steps_per_epoch"], given["sample_weight"])
        validation = given["validation_data"], given["validation_steps"]
        stores = self._stores(feature_cache)
        lessons, copies = (batches, None) if self.adapted else self._lessons(batches)
        if feature_cache is False:
            self._prepare(stores, lessons, copies, given["class_weight"])
        else:
            every = lessons if copies is None else one_after_the_other(lessons, copies)
            compute_features(stores, every, progress_bars(given["verbose"], given["callbacks"]))
            self._prepare(stores, lessons, copies, given["class_weight"])
            given["x"] = with_features(given["x"], stores)
            given["validation_data"] = validation_with_features(
                given["validation_data"], given["validation_steps"], stores
            )
        self._make_counters(batches)
        if self.trainable_variables:
            if self.annealed:
                given["callbacks"] = [annealed(given["epochs"]), *given["callbacks"]]
            history = super().fit(**given)
            self._weigh(stores, *validation)
            return history
        # Everything is solved; one pass reports the metrics and calls the callbacks.
        given["epochs"] = given["initial_epoch"] + 1
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The model does not have any trainable weights")
            return super().fit(**given)

    def calibrate(self, temperature: float) -> None:
        """Divide the logits of what was learned by gradient by a temperature; see `fit_temperature`."""
        apply_temperature(self.network.get_layer("logits"), temperature)
        self.temperature = temperature

    def calibrate_like(self, other: FrozenFeatureModel) -> None:
        """Be as sure as another model of the same layout, which had validation data for it.

        Args:
            other: calibrated. Of a blend its share of the two answers is taken, too.

        Raises:
            ValueError: one of the two is a blend, and the other is none.
        """
        mine, theirs = self.blend, other.blend
        if mine is not None and theirs is not None:
            mine.share.assign(theirs.share)
        elif mine is not theirs:
            raise ValueError("calibrate_like is for two models with the same head, and one of these is a blend")
        self.calibrate(other.temperature)

    def _lessons(self, batches: Batches) -> tuple[Batches, Batches | None]:
        """What closed-form heads learn from: the training data, further rows of its series behind; augmented copies."""
        if not any(READINGS in SOLVED.get(layer.name, ()) for layer in self.network.layers):
            return batches, None
        batches = remembered(batches)
        parts = self.windows
        if parts is None:
            parts = default_windows(sum(len(series) for _, _, series in batches()))
        self.learned_windows = parts
        copies = augmented_copies_of(batches, self.augmented_copies) if self.augmented_copies else None

        def further(readings: np.ndarray, one_hot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            windows, rows = windows_of(readings, parts)
            if self.class_units is None:
                return windows, rows
            self._check_one_hot(one_hot, len(readings))
            elsewhere, others = other_sites(readings, [self.class_units[i] for i in one_hot.argmax(axis=1)])
            return np.concatenate([windows, elsewhere]), np.concatenate([rows, others])

        return batches if not parts and self.class_units is None else with_further(batches, further), copies

    def _make_counters(self, batches: Batches) -> None:
        """Let the metrics make their variables, which they do at the first labels that they see.

        Left to the first step, they would make them inside its graph, which TensorFlow then traces twice.
        """
        labels = next((labels[:1] for _, labels, _ in batches()), np.empty(0))
        if labels.size:
            with self.distribute_strategy.scope():
                self.compute_metrics(None, labels, np.zeros((1, self.output_shape[-1]), np.float32))
                self.reset_metrics()

    def _stores(self, feature_cache: Any) -> dict[str, Branch]:
        stores = {
            branch: Branch(source_of(model), Uncached(extractor(model), model.output.shape[-1]))
            for branch, model in self.frozen.items()
        }
        if feature_cache is False:
            return stores
        folder = default_folder() if feature_cache in (None, True) else Path(str(feature_cache))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"fit: the folder of features {folder} cannot be made ({error.strerror}); name another one, "
                "feature_cache= or DEEPFEATIOT_CACHE, or do without, feature_cache=False"
            ) from error
        for branch, model in self.frozen.items():
            if is_stored(model):
                store = FeatureStore(folder / branch / frozen_key(model), extractor(model), model.output.shape[-1])
                stores[branch] = Branch(source_of(model), store)
        if feature_cache in (None, True):
            limit_cache(folder)  # what was just opened counts as used
        return stores

    def _prepare(
        self,
        stores: dict[str, Branch],
        batches: Batches,
        copies: Batches | None,
        class_weight: dict[int, float] | None,
    ) -> None:
        """What the first `fit` takes from the training data: standardization, closed-form head."""
        if self.adapted:
            return
        counting = counted(batches)
        for branch, each in stores.items():
            for layer in self.network.layers:
                if layer.name == f"{branch}_standardized":
                    layer.adapt(
                        each.look_up(inputs)[
                            has(inputs, each.source) & (whole_rows(series) | (each.source == READINGS))
                        ]
                        for inputs, _, series in counting()
                    )
        for layer in self.network.layers:
            if isinstance(layer, SampleSizeScale):
                layer.adapt(sum(len(np.unique(series)) for _, _, series in counting()))
            if isinstance(layer, LaplacianFeatures):
                inputs = layer.input if isinstance(layer.input, list) else [layer.input]
                needs = (READINGS,) if len(inputs) == 1 else (READINGS, METADATA)
                layer.adapt(*self._values(inputs, needs, stores, counting)[:-2])
        for layer in self.network.layers:
            if layer.name in SOLVED:
                self._solve(layer, stores, batches, copies, class_weight)
        self.adapted = True

    def _values(
        self, tensors: Sequence[keras.KerasTensor], needs: Sequence[str], stores: dict[str, Branch], batches: Batches
    ) -> list[np.ndarray]:
        """What tensors of the network are for the rows `[rows, width]`, their one-hot labels, weights and series.

        Of a model that reads metadata, only for the rows that have all of the inputs in `needs`; for metadata alone,
        without windows, which have the text of their series.
        """
        part = keras.Model({each.name: each for each in self.network.inputs}, list(tensors))
        values = []
        for inputs, one_hot, series in batches():
            rows = whole_rows(series) if needs == (METADATA,) else np.ones(len(series), bool)
            for name in needs if self.reads_metadata else ():
                rows &= has(inputs, name)
            looked_up = {feature_input(branch): each.look_up(inputs) for branch, each in stores.items()}
            found = part(_inputs_of(part, {READINGS: inputs[READINGS], **looked_up}))
            self._check_one_hot(one_hot, len(series))
            weights = np.reshape(inputs.get(WEIGHTS, np.ones(len(series))), len(series))
            values.append([np.array(each)[rows] for each in (*tf.nest.flatten(found), one_hot, weights, series)])
        if not values:
            raise InputError("fit: the data has no series to learn from, or none of a weight above 0")
        every = [np.concatenate(each) for each in zip(*values, strict=True)]
        if not len(every[-1]):
            raise InputError(f"fit: no series has {' and '.join(needs)} to learn from; leave the text encoder out")
        return every

    def _check_one_hot(self, labels: np.ndarray, series: int) -> None:
        if labels.shape != (series, self.output_shape[-1]):
            raise InputError(
                f"fit: labels of shape {labels.shape} for {series} series; give them one-hot, "
                f"[series, {self.output_shape[-1]}]"
            )

    def _weigh(self, stores: dict[str, Branch], validation_data: Any, steps: int | None) -> None:
        """What solved and learned answers count for in a blend, once the latter are as sure as they are right."""
        if self.blend is None or validation_data is None:
            return
        x, y = (validation_data, None) if isinstance(validation_data, tf.data.Dataset) else validation_data[:2]
        solved, learned, one_hot, *_ = self._values(self.blend.input, (), stores, batches_of(x, y, steps))
        logits = logits_of(learned)
        self.calibrate(fit_temperature(one_hot.argmax(axis=1), logits))
        self.blend.adapt(solved, softmax(logits / self.temperature, axis=1), one_hot)

    def _solve(
        self,
        head: keras.layers.Dense,
        stores: dict[str, Branch],
        batches: Batches,
        copies: Batches | None,
        class_weight: dict[int, float] | None,
    ) -> None:
        needs = SOLVED[head.name]
        rows = [self._values([head.input], needs, stores, batches)]
        if copies is not None and READINGS in needs:
            rows.append(self._values([head.input], needs, stores, copies))
        count = sum(weights.sum() for *_, weights, _ in rows)
        if self.wrong_metadata and len(needs) == 2:
            rows.append(self._values([head.input], needs, stores, with_wrong_metadata(batches, WRONG_ROWS)))
            rows[-1][2] = rows[-1][2] * (self.wrong_metadata * count / rows[-1][2].sum())
        features, one_hot, weights, series = rows[0] if len(rows) == 1 else map(np.concatenate, zip(*rows, strict=True))
        del rows  # of a large fleet, half a gigabyte
        if class_weight is not None:
            weights = weights * [class_weight.get(i, 1.0) for i in one_hot.argmax(axis=1)]
        solved = ridge_head(features, one_hot, weights, series)
        head.kernel.assign(solved.kernel)
        head.bias.assign(solved.bias)
        self.left_out[head.name] = solved.left_out
        self.cross_validated[head.name] = solved.cross_validated

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["adapted"] = np.array(self.adapted)

    def load_own_variables(self, store: Any) -> None:
        self.adapted = bool(np.array(store["adapted"]))


def _callbacks(given: Any) -> list[keras.callbacks.Callback]:
    """As a list: Keras takes none, one, several, and a `CallbackList`."""
    return given.callbacks if isinstance(given, keras.callbacks.CallbackList) else keras.tree.flatten(given or [])


def _inputs_of(network: keras.Model, values: dict[str, Any]) -> dict[str, Any]:
    return {each.name: values[each.name] for each in network.inputs}
