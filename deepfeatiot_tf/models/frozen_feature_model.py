"""A Keras model whose `fit` computes its frozen features once per series."""

from __future__ import annotations

import inspect
import itertools
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from deepfeatiot_tf.layers import Blend, FeatureStandardization
from deepfeatiot_tf.models.any_size import at_least, traced_once
from deepfeatiot_tf.models.branch_features import (
    branches_of,
    compute_features,
    feature_input,
    inputs_of,
    progress_bars,
    source_of,
    validation_with_features,
    with_features,
)
from deepfeatiot_tf.models.lessons import Lessons, lessons_of
from deepfeatiot_tf.models.solved_heads import SOLVED, NetworkRows, adapt_layers, forget_layers, solve_heads
from deepfeatiot_tf.models.training_data import (
    METADATA,
    READINGS,
    WEIGHTS,
    Batches,
    as_array,
    as_arrays,
    as_dict,
    batches_of,
    check_data,
    check_one_hot,
    check_rows,
    check_weights,
    counted,
    held_out,
    taken,
    tell_of_fewer_steps,
    whole_rows,
)
from deepfeatiot_tf.training.recipe import annealed, recipe_named
from deepfeatiot_tf.training.temperature import apply_temperature, fit_temperature, logits_of


class FrozenFeatureModel(keras.Model):
    """`network({readings, frozen features})`, one functional graph from raw readings and text to probabilities.

    In use (`predict`, `evaluate`, export) the whole graph runs, unless `predict` is told otherwise. In `fit`, the
    frozen branches run once per series; their features are kept on disk, keyed by the content of what they read and of
    the branch, and training reads them from there. What `fit` trains, `save` saves and export serves are the same
    layers.

    `fit` takes arrays or a `tf.data.Dataset`, as Keras's does, with one-hot labels. The first `fit` also takes the
    standardization of the frozen features from the training data, and solves a closed-form head, where the network has
    one. Where it blends such a head with what it learns by gradient, the end of `fit` weighs the two on the validation
    data. Weights of samples, or of classes, count in the head that is solved as in what is trained, those of samples in
    how sure it is, too, in whatever unit they are; a sample of the weight 0 has no part in the standardization and the
    kernel, either.

    Inputs are `{"readings": float32 [batch, time]}`, and `"metadata"`, string `[batch]`, where a branch reads it. In
    use either of the two may then be left out.

    Args:
        frozen: for each frozen branch, a model from readings `[batch, time]`, or from metadata `[batch]`, to features
            `[batch, width]`; the name of its input says from which.
        network: a functional model from `{"readings": …, "<branch>_features": …}` to probabilities.
        name: of the model.

    Raises:
        ValueError: a dtype is given.

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
        learned_classes: int `[series]`, the classes of these series in the order of the training data.
    """

    recipe = "robust"
    predict_function: Any

    def __init__(
        self, frozen: dict[str, keras.Model], network: keras.Model, name: str | None = None, **kwargs: Any
    ) -> None:
        if "dtype" in kwargs:
            raise ValueError(
                f"dtype is {kwargs['dtype']!r}; layers have that of the session: keras.config.set_dtype_policy before"
            )
        inputs = {READINGS: keras.Input((None,), name=READINGS, dtype="float32")}
        if any(source_of(model) == METADATA for model in frozen.values()):
            inputs[METADATA] = keras.Input((), name=METADATA, dtype="string")
        features = {feature_input(branch): model(inputs[source_of(model)]) for branch, model in frozen.items()}
        outputs = network(inputs_of(network, {**inputs, **features}))
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.input_spec = None  # Keras's own check knows no input that may be left out
        self.frozen = frozen
        self.network = network
        self.annealed = False
        self.windows: tuple[int, ...] | None = None
        self.augmented_copies = 0
        self.class_units: tuple[str, ...] | None = None
        self.wrong_metadata = 0.0
        self.learned_windows: tuple[int, ...] = ()
        self.temperature = 1.0
        self.left_out: dict[str, np.ndarray] = {}
        self.cross_validated: dict[str, np.ndarray] = {}
        self.learned_classes = np.empty(0, np.int64)

    @property
    def blend(self) -> Blend | None:
        """The layer that weighs a closed-form head and a network, where the model has both."""
        return next((layer for layer in self.network.layers if isinstance(layer, Blend)), None)

    @property
    def adapted(self) -> bool:
        """Whether a `fit`, of this model or of one whose weights it has, took from its data what is standardized."""
        return any(isinstance(layer, FeatureStandardization) and layer.adapted for layer in self.network.layers)

    @property
    def reads_metadata(self) -> bool:
        """Whether a branch reads the text about a sensor."""
        return any(source_of(model) == METADATA for model in self.frozen.values())

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> tf.Tensor:
        given = as_dict(inputs)
        if READINGS in given and len(given[READINGS].shape) == 2:  # Keras has something to say about others
            given = {**given, READINGS: at_least(tf.cast(given[READINGS], tf.float32), 1)}
        if len(given) > 1 and all(feature_input(branch) in given for branch in self.frozen):
            return self.network(inputs_of(self.network, given), training=training)
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
                batched or of ragged series, one with `validation_split`, or without the metadata that the model reads,
                the validation data alike; `validation_split` is no share, or leaves nothing; there are weights both of
                samples and of classes, below 0, or none above it; the folder of features cannot be made; the labels are
                not one-hot.
        """
        if not self.compiled:  # before any feature is computed, and any head solved
            raise ValueError("fit: the model is not compiled; call compile() first")
        call = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs)
        call.apply_defaults()
        given = {name: value for name, value in call.arguments.items() if name != "self"}
        given["x"], given["y"] = as_arrays(given["x"]), as_array(given["y"])
        given["sample_weight"] = as_array(given["sample_weight"])
        check_data(given["x"], given["steps_per_epoch"], given["validation_split"])
        check_rows(given["x"], given["y"], given["sample_weight"])
        check_weights(given["x"], given["sample_weight"], given["class_weight"], self.output_shape[-1])
        if given["class_weight"]:  # Keras finds none of a class that is left out, in a dataset
            every = dict.fromkeys(range(self.output_shape[-1]), 1.0)
            given["class_weight"] = {**every, **given["class_weight"]}
        if given["validation_data"] is not None:
            given["validation_data"] = self._judged_on(given["validation_data"], given["validation_steps"])
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
        if not self.adapted:
            tell_of_fewer_steps(given["x"], given["steps_per_epoch"])
        batches = batches_of(given["x"], given["y"], given["steps_per_epoch"], given["sample_weight"])
        self._check_first(batches)
        validation = given["validation_data"], given["validation_steps"]
        rows = NetworkRows(self.network, branches_of(self.frozen, feature_cache))
        lessons = Lessons(batches) if self.adapted else self._lessons(batches)
        if feature_cache is not False:
            compute_features(rows.branches, lessons.every, progress_bars(given["verbose"], given["callbacks"]))
        if not self.adapted:
            self._learn_frozen(rows, lessons, given["class_weight"])
        if feature_cache is not False:
            given["x"] = with_features(given["x"], rows.branches)
            given["validation_data"] = validation_with_features(*validation, rows.branches)
        self._make_counters()
        if self.trainable_variables:
            if self.annealed:
                given["callbacks"] = [annealed(given["epochs"]), *given["callbacks"]]
            history = super().fit(**given)
            self._weigh(rows, *validation)
            return history
        # Everything is solved; one pass reports the metrics and calls the callbacks.
        given["epochs"], given["validation_freq"] = given["initial_epoch"] + 1, 1
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The model does not have any trainable weights")
            return super().fit(**given)

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As Keras's; metadata may be an array of NumPy's text, which Keras's own does not take."""
        return super().evaluate(as_arrays(x), *args, **kwargs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        *,
        feature_cache: str | Path | bool | None = False,
    ) -> Any:
        """As Keras's; metadata may be an array of NumPy's text, which Keras's own does not take.

        Args:
            x: as in `keras.Model.predict`.
            batch_size: as there.
            verbose: as there.
            steps: as there.
            callbacks: as there.
            feature_cache: the folder of features, as of `fit`: what is in it is not computed again, what is not is
                added. `x` then has all that the model reads. Default False: the whole graph runs, nothing is kept.

        Raises:
            InputError: the folder cannot be made, or `x` has not all that the model reads.
        """
        x = as_arrays(x)
        if feature_cache is not False:
            branches = branches_of(self.frozen, feature_cache)
            compute_features(branches, batches_of(x, None, steps), progress_bars(verbose, callbacks))
            x = with_features(x, branches)
        return super().predict(x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks)

    def make_predict_function(self, force: bool = False) -> None:
        """As Keras's, traced once for batches of any size."""
        if self.predict_function is None or force:
            super().make_predict_function(force)
            if not self.run_eagerly:
                self.predict_function = traced_once(self.predict_function)

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

    def _judged_on(self, data: Any, steps: int | None) -> Any:
        """The validation data, looked at before anything is learned."""
        x, *rest = data if isinstance(data, (tuple, list)) else (data,)
        x = as_arrays(x)
        check_data(x, steps, 0.0, ("validation_data", "validation_steps"))
        rest = [as_array(each) for each in rest]
        y, sample_weight = (*rest, None, None)[:2]
        check_rows(x, y, sample_weight)
        self._check_first(batches_of(x, y, steps, sample_weight))
        return (x, *rest) if rest else x

    def _check_first(self, batches: Batches) -> None:
        """The first batch has what the model reads, and labels that it can learn from."""
        for inputs, one_hot, series in itertools.islice(batches(), 1):
            for source in {source_of(model) for model in self.frozen.values()}:
                taken(inputs, source)
            if one_hot.size:  # Keras has something to say about no labels at all
                check_one_hot(one_hot, len(series), self.output_shape[-1], inputs.get(WEIGHTS))

    def _lessons(self, batches: Batches) -> Lessons:
        """What closed-form heads learn from; without one that reads readings, the training data as it is."""
        if not any(READINGS in SOLVED.get(layer.name, ()) for layer in self.network.layers):
            return Lessons(batches)
        return lessons_of(batches, self.output_shape[-1], self.windows, self.augmented_copies, self.class_units)

    def _learn_frozen(self, rows: NetworkRows, lessons: Lessons, class_weight: dict[int, float] | None) -> None:
        """What the first `fit` takes from the training data: standardization, kernels, closed-form heads."""
        try:
            adapt_layers(rows, lessons.series)
            heads = solve_heads(rows, lessons, class_weight, self.wrong_metadata)
        except BaseException:  # interrupted, too: half of it would pass for all in the next `fit`
            forget_layers(self.network)
            raise
        self.learned_windows = lessons.windows
        self.left_out = {name: head.left_out for name, head in heads.items()}
        self.cross_validated = {name: head.cross_validated for name, head in heads.items()}
        if heads:
            self.learned_classes = np.concatenate(
                [one_hot[whole_rows(series)].argmax(axis=1) for _, one_hot, series in lessons.series()]
            )

    def _make_counters(self) -> None:
        """Let the metrics make their variables, which they do at the first labels that they see.

        Left to the first step, they would make them inside its graph, which TensorFlow then traces twice.
        """
        classes = self.output_shape[-1]
        labels, answers = np.eye(1, classes, dtype=np.float32), np.full((1, classes), 1 / classes, np.float32)
        with self.distribute_strategy.scope():
            self.compute_metrics(None, labels, answers)
            self.reset_metrics()

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        # Over several replicas Keras takes the mean of a first batch, to see what to build by; text has none, nor have
        # parts of two sizes. All is built already, but the counters of a model that was not fitted.
        if self._compile_metrics is not None and not self._compile_metrics.built:
            self._make_counters()

    def _weigh(self, rows: NetworkRows, validation_data: Any, steps: int | None) -> None:
        """What solved and learned answers count for in a blend, once the latter are as sure as they are right."""
        if self.blend is None or validation_data is None:
            return
        given = (validation_data,) if isinstance(validation_data, tf.data.Dataset) else validation_data
        x, y, sample_weight = (*given, None, None)[:3]
        batches = counted(batches_of(x, y, steps, sample_weight))
        solved, learned, one_hot, weights, _ = rows.values(self.blend.input, batches)
        logits = logits_of(learned)
        self.calibrate(fit_temperature(one_hot.argmax(axis=1), logits, weights))
        self.blend.adapt(solved, softmax(logits / self.temperature, axis=1), one_hot, weights)

    def load_own_variables(self, store: Any) -> None:
        """What was said of series left out was not said by the heads that are loaded."""
        self.left_out, self.cross_validated = {}, {}


def _callbacks(given: Any) -> list[keras.callbacks.Callback]:
    """As a list: Keras takes none, one, several, and a `CallbackList`."""
    return given.callbacks if isinstance(given, keras.callbacks.CallbackList) else keras.tree.flatten(given or [])
