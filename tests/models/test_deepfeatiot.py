import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfeatiot_tf import DeepFeatIoT, InputError, SensorReadings, evaluate, load_model
from deepfeatiot_tf.models import solved_heads
from deepfeatiot_tf.models.lessons import lessons_of
from deepfeatiot_tf.models.training_data import batches_of
from deepfeatiot_tf.training.augmentation import with_noise
from deepfeatiot_tf.training.closed_form import ridge_head
from tests.reference.small_gpt2 import write_folder

FROZEN = ("randomized", "statistics")


def build(fleet, **options):
    return DeepFeatIoT(fleet.class_names, **{"kernels": 32, "head": "mlp", **options})


@pytest.fixture(scope="module")
def trained(fleet):
    """The whole network after two epochs, and its history."""
    model = build(fleet)
    model.compile()
    frozen = [np.array(v) for v in model.frozen["randomized"].weights]
    history = model.fit(fleet.to_dataset(shuffle=True), validation_data=fleet.to_dataset(), epochs=2, verbose=0)
    for before, after in zip(frozen, model.frozen["randomized"].weights, strict=True):
        np.testing.assert_array_equal(before, after)  # bit-identical after fit
    return model, history.history


def test_fit_is_kerass_fit(trained):
    _, history = trained
    measures = {f"{part}{name}" for part in ("", "val_") for name in ("accuracy", "loss", "macro_f1")}
    assert set(history) == {*measures, "learning_rate"}
    assert len(history["loss"]) == 2


def test_the_whole_graph_gives_what_training_on_stored_features_saw(trained, fleet):
    model, history = trained
    _, accuracy, macro_f1 = model.evaluate(fleet.to_dataset(), verbose=0)
    assert accuracy == pytest.approx(history["val_accuracy"][-1], abs=1e-6)
    assert macro_f1 == pytest.approx(history["val_macro_f1"][-1], abs=1e-6)


def test_predictions_are_probabilities_whatever_comes_in(trained, fleet):
    model, _ = trained
    readings = np.full((4, 30), np.nan, "float32")
    readings[1, :] = 1e30
    readings[2, 0] = 7.0
    readings[3, :24] = fleet.values[1]
    probabilities = model.predict(readings, verbose=0)
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    # Padding behind a series changes nothing, nor does its company in the batch.
    np.testing.assert_allclose(probabilities[3:], model.predict(fleet.values[1:2], verbose=0), atol=1e-5)


def test_saved_and_loaded_model_is_the_same(trained, fleet, tmp_path):
    model, _ = trained
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.annealed
    for found, saved in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(found, saved)
    # Traced for series of this length, as the loaded one will be: a graph for any length rounds otherwise.
    model.make_predict_function(force=True)
    np.testing.assert_array_equal(loaded.predict(fleet.values, verbose=0), model.predict(fleet.values, verbose=0))
    assert loaded.class_names == ("high", "low")
    assert loaded.get_config() == model.get_config()
    assert loaded.optimizer.iterations == model.optimizer.iterations


def test_a_further_fit_keeps_the_standardization_of_the_first(fleet, tmp_path):
    model = build(fleet, branches=("statistics",))
    model.compile()
    model.fit(fleet.to_dataset(), epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    loaded.fit(fleet.take(range(10)).to_dataset(), epochs=1, verbose=0)
    for name in ("mean", "inverse"):
        first, later = (getattr(m.network.get_layer("statistics_standardized"), name) for m in (model, loaded))
        np.testing.assert_array_equal(first, later)


def test_without_the_store_training_is_the_same(fleet):
    losses = []
    for cache in (None, False):
        model = build(fleet, branches=FROZEN)
        model.compile()
        history = model.fit(fleet.to_dataset(), epochs=2, verbose=0, feature_cache=cache)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_closed_form_head_is_solved_by_one_fit(fleet, one_hot, tmp_path):
    model = build(fleet, branches=FROZEN, head="closed_form")
    model.compile()
    assert not model.trainable_variables
    history = model.fit(fleet.values, one_hot, epochs=50, verbose=0, validation_split=0.2)
    assert history.history["accuracy"] == [1.0]  # one pass, not fifty
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(fleet.values, verbose=0), model.predict(fleet.values, verbose=0))


def solved(fleet, **options):
    model = build(fleet, branches=("statistics",), head="closed_form", **options)
    model.compile()
    return model


def test_what_validation_split_holds_out_is_not_learned_from(fleet, one_hot):
    whole, part = solved(fleet, windows=()), solved(fleet, windows=())
    whole.fit(fleet.values, one_hot, verbose=0, validation_split=0.25)
    part.fit(fleet.values[:30], one_hot[:30], verbose=0)
    assert len(whole.left_out["closed_form"]) == 30
    np.testing.assert_array_equal(whole.predict(fleet.values, verbose=0), part.predict(fleet.values, verbose=0))
    with pytest.raises(InputError, match="give validation_data"):
        whole.fit(fleet.to_dataset(), validation_split=0.25)
    for share, message in ((1, "give a share"), (-0.2, "give a share"), (0.999, "leaves none to learn from")):
        with pytest.raises(InputError, match=message):
            whole.fit(fleet.values, one_hot, validation_split=share)


def test_rows_of_no_weight_are_not_learned_from(fleet, one_hot):
    labels, weights = one_hot.copy(), np.ones(len(fleet))
    labels[:10], weights[:10] = labels[:10, ::-1], 0.0  # wrong ones
    answers = []
    for data in ({"x": fleet.values, "y": labels, "sample_weight": weights}, {"x": _weighted(fleet, labels, weights)}):
        model = solved(fleet, windows=(), augmented_copies=1)
        model.fit(**data, verbose=0)
        answers.append(model.predict(fleet.values, verbose=0))
        assert (answers[-1].argmax(axis=1) == fleet.label_indices).all()
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_the_unit_of_the_weights_changes_nothing(fleet, one_hot):
    answers = []
    for weight in (1.0, 1e-5, 1e4):
        model = solved(fleet)
        model.fit(fleet.values, one_hot, sample_weight=np.full(len(fleet), weight), verbose=0)
        answers.append(model.predict(fleet.values, verbose=0))
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
    np.testing.assert_allclose(answers[2], answers[0], atol=1e-5)


def test_rows_of_no_weight_do_not_decide_whether_windows_are_learned_from():
    values, y = np.zeros((600, 24), "float32"), np.eye(2, dtype="float32")[np.arange(600) % 2]
    weights = np.repeat([1.0, 0.0], 300)
    assert lessons_of(batches_of(values, y, None), 2, None, 0, None).windows == ()
    assert lessons_of(batches_of(values, y, None, weights), 2, None, 0, None).windows == (2,)


@pytest.mark.parametrize("head", ["closed_form", "mlp"])
def test_a_first_fit_that_fails_leaves_nothing_half_learned(fleet, head, monkeypatch):
    def broken_off(*args):
        raise KeyboardInterrupt

    answers = []
    for fails in (False, True):
        keras.utils.set_random_seed(0)
        model = build(fleet, branches=("statistics",), head=head)
        model.compile()
        if fails:
            with monkeypatch.context() as patch:
                patch.setattr("deepfeatiot_tf.models.frozen_feature_model.solve_heads", broken_off)
                with pytest.raises(KeyboardInterrupt):
                    model.fit(fleet.take(range(5)).to_dataset(), verbose=0)
            assert not model.adapted
        model.fit(fleet.to_dataset(), epochs=1, verbose=0)
        answers.append(model.predict(fleet.values, verbose=0))
    np.testing.assert_allclose(*answers, atol=1e-5)


def test_copies_of_whole_numbers_are_those_of_the_same_readings(fleet, one_hot):
    counts = np.abs(np.nan_to_num(fleet.values)).round()
    answers = []
    for kind in ("float32", "uint8", "float64"):
        model = solved(fleet, windows=(), augmented_copies=2)
        model.fit(tf.data.Dataset.from_tensor_slices((counts.astype(kind), one_hot)).batch(16), verbose=0)
        answers.append(model.predict(counts, verbose=0))
    np.testing.assert_array_equal(answers[1], answers[0])
    np.testing.assert_array_equal(answers[2], answers[0])


def _weighted(fleet, labels, weights):
    return tf.data.Dataset.from_tensor_slices((fleet.values, labels, weights.astype("float32"))).batch(16)


def test_copies_are_left_out_with_their_series_though_the_data_are_shuffled(fleet, monkeypatch):
    seen = {}

    def ridge(features, one_hot, weights, series, class_weight):
        seen.update(one_hot=one_hot, series=series)
        return ridge_head(features, one_hot, weights, series, class_weight)

    monkeypatch.setattr(solved_heads, "ridge_head", ridge)
    solved(fleet, windows=(), augmented_copies=2).fit(fleet.to_dataset(shuffle=True), verbose=0)
    for number in range(len(fleet)):
        mine = seen["one_hot"][seen["series"] == number]
        assert len(mine) == 3
        assert (mine == mine[0]).all()


def test_labels_that_are_not_one_hot_are_refused(fleet):
    with pytest.raises(InputError, match="one-hot"):
        solved(fleet).fit(fleet.values, fleet.label_indices, verbose=0)
    with pytest.raises(InputError, match="one-hot"):
        solved(fleet, units={}).fit(fleet.values, fleet.label_indices, verbose=0)


def test_classes_without_a_weight_count_once(fleet, one_hot):
    for data in ((fleet.values, one_hot), (fleet.to_dataset(),)):
        model = solved(fleet)
        model.fit(*data, class_weight={0: 2.0}, verbose=0)
        assert evaluate(model, fleet).metrics["accuracy"] == 1.0


@pytest.mark.parametrize("several", [lambda one: one, lambda one: [one], keras.callbacks.CallbackList])
def test_callbacks_come_as_keras_takes_them(fleet, one_hot, several):
    one = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(epoch))
    heard: list[int] = []
    given = several([one]) if several is keras.callbacks.CallbackList else several(one)
    solved(fleet).fit(fleet.values, one_hot, callbacks=given, verbose=0)
    assert heard == [0]


def test_a_second_fit_of_a_solved_head_says_that_it_learns_nothing(fleet, one_hot):
    model = solved(fleet)
    model.fit(fleet.values, one_hot, verbose=0)
    with pytest.warns(UserWarning, match="solved already"):
        model.fit(fleet.values, one_hot, verbose=0)


def test_a_folder_of_features_that_cannot_be_made_is_named(fleet, one_hot, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="feature_cache=False"):
        solved(fleet).fit(fleet.values, one_hot, verbose=0, feature_cache=tmp_path / "file" / "cache")


@pytest.mark.parametrize(("windows", "rows"), [(None, 120), ((), 40), ((2, 3), 239)])  # one third has a gap
def test_a_closed_form_head_learns_from_windows_too(fleet, tmp_path, windows, rows):
    model = build(fleet, branches=("statistics",), head="closed_form", windows=windows)
    model.compile()
    model.fit(fleet.to_dataset(shuffle=True), verbose=0, feature_cache=tmp_path)
    (shard,) = tmp_path.glob("statistics/*/*.rows.npy")
    assert len(np.load(shard)) == rows
    assert model.left_out["closed_form"].shape == (len(fleet), 2)
    assert model.from_config(model.get_config()).windows == windows
    assert model.learned_windows == ((2,) if windows is None else windows)


@pytest.mark.parametrize(("copies", "rows"), [(0, 40), (1, 80), (4, 200)])
def test_a_closed_form_head_learns_from_augmented_copies_too(fleet, tmp_path, copies, rows):
    model = build(fleet, branches=("statistics",), head="closed_form", windows=(), augmented_copies=copies)
    model.compile()
    model.fit(fleet.to_dataset(shuffle=True), verbose=0, feature_cache=tmp_path)
    assert sum(len(np.load(shard)) for shard in tmp_path.glob("statistics/*/*.rows.npy")) == rows
    assert model.left_out["closed_form"].shape == (len(fleet), 2)
    assert model.from_config(model.get_config()).augmented_copies == copies


def test_series_too_short_for_copies_are_learned_from_without(fleet, caplog):
    short = SensorReadings(fleet.values[:, :6], labels=fleet.labels)
    solved(short, augmented_copies=2).fit(short.to_dataset(), verbose=0)
    assert "too short for augmented copies" in caplog.text


def test_a_type_is_told_in_another_unit_by_a_head_that_learned_from_it(fleet):
    def accuracy_elsewhere(units):
        model = build(here, branches=("statistics",), head="closed_form", windows=(), units=units)
        model.compile()
        model.fit(here.to_dataset(), verbose=0)
        assert len(next(iter(model.left_out.values()))) == len(here)  # copies are left out with their series
        assert model.from_config(model.get_config()).get_config()["units"] == units
        return (model.predict(fahrenheit, verbose=0).argmax(axis=1) == here.label_indices[::2]).mean()

    rng = np.random.default_rng(2)
    warm = rng.normal(20, 2, (40, 24)).round(1).astype("float32")
    warm[1::2] = rng.normal(75, 3, (20, 24)).round(1)
    here = SensorReadings(warm, labels=["air temperature", "humidity"] * 20)
    fahrenheit = (warm[::2] * 1.8 + 32).round(1)
    assert accuracy_elsewhere(None) < 0.5
    assert accuracy_elsewhere({"air temperature": "degC"}) == 1


def test_noisier_readings_are_told_by_a_head_that_learned_from_noise(tmp_path):
    """Two kinds that differ only in how often a reading is repeated, which noise undoes."""

    def sensors(seed):
        rng = np.random.default_rng(seed)
        moves = rng.choice([-0.1, 0.0, 0.1], (80, 60), p=[0.1, 0.8, 0.1])
        moves[:40] = rng.choice([-0.1, 0.1], (40, 60))
        return SensorReadings((20 + moves.cumsum(axis=1)).round(1), labels=np.repeat(["lively", "still"], 40))

    fleet, others = sensors(0), sensors(1)
    noisy = SensorReadings(np.array([with_noise(each, 1) for each in others.values]), labels=others.labels)
    accuracy = {}
    for copies in (0, 4):
        model = build(fleet, branches=("statistics",), head="closed_form", windows=(), augmented_copies=copies)
        model.compile()
        model.fit(fleet.to_dataset(), verbose=0, feature_cache=tmp_path)
        accuracy[copies] = evaluate(model, noisy).metrics["accuracy"]
    assert accuracy[0] <= 0.6
    assert accuracy[4] >= 0.7


def test_features_are_standardized_and_the_kernel_adapted_without_copies(fleet, tmp_path):
    weights, heads = [], []
    for copies in (0, 4):
        model = build(fleet, branches=("statistics",), head="closed_form", augmented_copies=copies)
        model.compile()
        model.fit(fleet.to_dataset(), verbose=0, feature_cache=tmp_path)
        solved = model.network.get_layer("closed_form")
        weights.append([np.array(each) for each in model.weights if "closed_form/" not in each.path])
        heads.append(np.array(solved.kernel))
    for without, beside in zip(*weights, strict=True):
        np.testing.assert_array_equal(without, beside)
    assert np.abs(heads[0] - heads[1]).max() > 0


def test_copies_of_batches_in_which_no_series_has_readings_are_passed_over(fleet):
    values = np.concatenate([fleet.values, np.full_like(fleet.values, np.nan)])
    silent = SensorReadings(values, labels=np.concatenate([fleet.labels] * 2))
    model = build(silent, branches=("statistics",), head="closed_form", augmented_copies=1)
    model.compile()
    model.fit(silent.to_dataset(batch_size=len(fleet)), verbose=0, feature_cache=False)
    assert evaluate(model, fleet).metrics["accuracy"] == 1.0


def test_arrays_and_datasets_are_equivalent(fleet, one_hot):
    predictions = []
    for data in (
        {"x": fleet.values, "y": one_hot},
        {"x": {"readings": fleet.values}, "y": one_hot},
        {"x": fleet.to_dataset()},
    ):
        model = build(fleet, branches=FROZEN, head="closed_form")
        model.compile()
        model.fit(**data, verbose=0)
        predictions.append(model.predict(fleet.values, verbose=0))
    np.testing.assert_allclose(predictions[0], predictions[1], atol=1e-6)
    np.testing.assert_allclose(predictions[0], predictions[2], atol=1e-4)


def test_metadata_in_the_dataset_is_no_obstacle(fleet):
    told = type(fleet)(fleet.values, labels=fleet.labels, metadata=["roof"] * len(fleet))
    model = build(told, branches=("statistics",))
    model.compile()
    # Keras would choose XLA on a GPU, which refuses text.
    assert model.get_compile_config()["jit_compile"] is False
    model.fit(told.to_dataset(), validation_data=told.to_dataset(), epochs=1, verbose=0)
    assert model.predict(told.to_dataset(), verbose=0).shape == (40, 2)


@pytest.mark.parametrize(
    ("options", "branches"),
    [
        ({"variant": "paper"}, {"local", "global", "randomized"}),
        ({"fusion": "concat", "branches": ("local", "statistics")}, {"local", "statistics"}),
        ({"branches": ("randomized",), "dilation": (1, 8)}, {"randomized"}),
    ],
)
def test_every_branch_can_be_switched(fleet, options, branches):
    model = build(fleet, **options)
    assert {name.removesuffix("_features") for name in model.frozen} == branches - {"local", "global"}
    for learned in ("local", "global"):
        assert any(layer.name == learned for layer in model.network.layers) == (learned in branches)
    again = DeepFeatIoT.from_config(model.get_config())
    assert again.count_params() == model.count_params()
    np.testing.assert_array_equal(again(fleet.values[:2]), model(fleet.values[:2]))


def test_published_layout_has_the_published_widths(fleet):
    model = DeepFeatIoT(fleet.class_names, variant="paper")
    names = ("local", "global", "local_dft", "global_dft", "randomized_dft")
    width = {name: model.network.get_layer(name).output.shape[-1] for name in names}
    assert model.frozen["randomized"].output.shape[-1] == 20_000
    assert (width["local"], width["global"]) == (256, 128)
    assert (width["local_dft"], width["global_dft"], width["randomized_dft"]) == (64, 64, 64)
    assert model.network.get_layer("randomized_dft").widths == (1024, 64)
    assert not any("standardized" in layer.name for layer in model.network.layers)


def test_every_transform_ends_in_the_width_asked_for(fleet):
    model = build(fleet, dft_width=16)
    transforms = [layer for layer in model.network.layers if layer.name.endswith("_dft")]
    assert [layer.output.shape[-1] for layer in transforms] == [16] * 4
    assert model.network.get_layer("randomized_dft").widths == (256, 16)


def test_compile_defaults_of_the_paper_variant_are_the_papers(fleet):
    model = build(fleet, branches=("statistics",), variant="paper", sampling="published")
    model.compile()
    optimizer = model.optimizer
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert optimizer.amsgrad
    assert optimizer.clipvalue == 1
    rates = [float(optimizer._learning_rate(step)) for step in (0, 99, 100, 250)]
    np.testing.assert_allclose(rates, [1e-3, 1e-3, 1e-3 / 1.1, 1e-3 / 1.2], rtol=1e-5)
    assert isinstance(model.loss, keras.losses.CategoricalFocalCrossentropy)


def test_a_language_layer_is_one_more_frozen_branch(fleet):
    @keras.saving.register_keras_serializable("tests")
    class Length(keras.layers.Layer):
        def call(self, readings):
            return keras.ops.cast(keras.ops.shape(readings)[1], "float32") + 0 * readings[:, :1]

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 1)

    model = build(fleet, branches=("statistics",), language=Length())
    assert set(model.frozen) == {"statistics", "language"}
    assert DeepFeatIoT.from_config(model.get_config()).count_params() == model.count_params()
    assert build(fleet, head="closed_form", branches=(), language=Length(), windows=(2,)).windows == (2,)
    solved = build(fleet, head="closed_form", branches=("statistics",), language=Length())
    solved.compile()
    solved.fit(fleet.to_dataset(), verbose=0, feature_cache=False)
    assert solved.learned_windows == (2,)  # which it read, too


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("checkpoint") / "small")


def test_a_pretrained_language_model_goes_with_the_saved_model(fleet, checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "gone")
    model = build(fleet, branches=("statistics",), language=folder)
    model.compile()
    before = [np.array(weight) for weight in model.language.weights]
    heard = []
    listener = keras.callbacks.Callback()
    listener.on_features = lambda *progress: heard.append(progress)
    model.fit(fleet.to_dataset(), epochs=2, verbose=0, callbacks=[listener], feature_cache=tmp_path / "cache")
    assert heard[-2:] == [("language", 32, 40), ("language", 40, 40)]
    for old, new in zip(before, model.language.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    model.save(tmp_path / "model.keras")
    shutil.rmtree(folder)
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(fleet.values, verbose=0), model.predict(fleet.values, verbose=0))
    assert loaded.language.describe() == model.language.describe()
    # Nothing is computed again by a model that is the same.
    loaded.fit(fleet.to_dataset(), verbose=0, callbacks=[listener], feature_cache=tmp_path / "cache")
    assert len(heard) == 4


def test_the_published_layout_reads_the_published_text(fleet, checkpoint):
    texts = {
        variant: build(fleet, branches=("randomized",), variant=variant, language=str(checkpoint)).language
        for variant in ("robust", "paper")
    }
    assert texts["robust"].describe()["text"].startswith("plain")
    assert texts["paper"].describe()["text"].startswith("published")


def test_a_language_model_that_cannot_be_had_is_said(fleet, tmp_path):
    with pytest.raises(InputError, match="nowhere: no language encoder"):
        build(fleet, language=tmp_path / "nowhere")


def test_half_precision_trains_and_predicts_finite_numbers(fleet):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build(fleet, branches=FROZEN)
        model.compile()
        history = model.fit(fleet.to_dataset(), epochs=1, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(history.history["loss"]).all()
    assert np.isfinite(model.predict(fleet.values, verbose=0)).all()


def test_half_precision_leaves_the_published_layout_its_raw_readings(fleet):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = build(fleet, variant="paper", branches=("local", "global"))
        frozen = build(fleet, variant="paper", branches=("randomized",))
    finally:
        keras.config.set_dtype_policy("float32")
    assert np.isfinite(model.predict(fleet.values[:2, :5] * 1e5, verbose=0)).all()
    assert np.isfinite(frozen.predict(fleet.values[:2] * 1e7, verbose=0)).all()


def test_mirrored_strategy_trains_the_same_model(fleet):
    import tensorflow as tf

    device = "GPU:0" if tf.config.list_physical_devices("GPU") else "CPU:0"
    with tf.distribute.MirroredStrategy([device]).scope():
        model = build(fleet, branches=FROZEN)
        model.compile()
    history = model.fit(fleet.to_dataset(), validation_data=fleet.to_dataset(), epochs=1, verbose=0)
    assert np.isfinite(history.history["val_loss"]).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"variant": "raw"}, "variant"),
        ({"branches": ("lokal",)}, "branch"),
        ({"branches": ()}, "no branch"),
        ({"fusion": "sum"}, "fusion"),
        ({"language": 2}, "language"),
        ({"windows": (1,)}, "windows"),
        ({"augmented_copies": -1}, "augmented_copies"),
        ({"units": {"low": "degC"}, "head": "mlp"}, "closed-form head"),
        ({"units": {"lower": "degC"}, "head": "closed_form", "branches": ("statistics",)}, "class in units is 'lower'"),
        ({"units": {"low": "K"}, "head": "closed_form", "branches": ("statistics",)}, "unit 'K' is none of"),
        ({"augmented_copies": 1.5, "head": "closed_form", "branches": ("statistics",)}, "0 to 4"),
        ({"augmented_copies": 5, "head": "closed_form", "branches": ("statistics",)}, "0 to 4"),
        ({"augmented_copies": 1, "head": "mlp"}, "closed-form head"),
        ({"windows": (2,), "head": "mlp"}, "closed-form head"),
        ({"head": "closed_form", "branches": ("local", "statistics")}, "closed_form"),
        ({"head": "closed_form", "variant": "paper", "branches": ("randomized",)}, "closed_form"),
    ],
)
def test_impossible_options_are_refused(fleet, options, says):
    with pytest.raises(ValueError, match=says):
        build(fleet, **options)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="two or more"):
        DeepFeatIoT(["only"])


def test_a_class_that_stands_twice_and_names_in_one_text_are_refused():
    with pytest.raises(ValueError, match="'on' twice"):
        DeepFeatIoT(["on", "off", "on"])
    with pytest.raises(ValueError, match="give a sequence of names"):
        DeepFeatIoT("temperature")
