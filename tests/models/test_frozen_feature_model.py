import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfeatiot_tf import DeepFeatIoT, InputError
from deepfeatiot_tf.models.branch_features import with_features
from deepfeatiot_tf.training.feature_store import FeatureStore


def build(fleet):
    model = DeepFeatIoT(fleet.class_names, kernels=32, branches=("statistics",), head="mlp")
    model.compile()
    return model


def test_the_frozen_branch_runs_once_per_series_over_all_epochs(fleet, tmp_path, monkeypatch):
    computed = []
    add = FeatureStore.add
    monkeypatch.setattr(FeatureStore, "add", lambda self, rows: (computed.append(len(rows)), add(self, rows))[1])
    unseen = []
    look_up = FeatureStore.look_up

    def watched(self, rows):
        unseen.append(len([k for k in rows if k.tobytes() not in known]))
        return look_up(self, rows)

    known = {row.tobytes() for row in fleet.values}
    monkeypatch.setattr(FeatureStore, "look_up", watched)
    build(fleet).fit(fleet.to_dataset(shuffle=True), epochs=3, verbose=0, feature_cache=tmp_path)
    assert sum(computed) == len(fleet)
    assert not any(unseen)
    assert len(list(tmp_path.glob("statistics/*/*.rows.npy"))) == 1


def test_predict_reads_the_features_that_are_kept(fleet, tmp_path, monkeypatch):
    model = build(fleet)
    model.fit(fleet.take(np.arange(30)).to_dataset(), epochs=1, verbose=0, feature_cache=tmp_path)
    computed = []
    add = FeatureStore.add
    monkeypatch.setattr(FeatureStore, "add", lambda self, rows: computed.append(add(self, rows)) or computed[-1])
    whole = model.predict(fleet.values, verbose=0)
    assert not computed
    for given in (fleet.values, {"readings": fleet.values}, fleet.to_dataset(batch_size=7)):
        found = model.predict(given, verbose=0, feature_cache=tmp_path)
        np.testing.assert_allclose(found, whole, rtol=1e-5, atol=1e-6)
    assert sum(computed) == len(fleet) - 30
    silent = np.full_like(fleet.values, np.nan)
    given = model.predict(silent, verbose=0, feature_cache=tmp_path)
    np.testing.assert_allclose(given, model.predict(silent, verbose=0), rtol=1e-5, atol=1e-6)


def test_no_tuner_makes_the_epochs_of_a_users_own_dataset_wait(fleet):
    data = tf.data.Dataset.from_tensor_slices({"readings": fleet.values}).batch(8).prefetch(tf.data.AUTOTUNE)
    assert with_features(data, {}).options().autotune.enabled is False


def test_the_first_step_is_traced_once(fleet):
    traces = []

    def loss(true, probabilities):
        traces.append(1)
        return keras.losses.categorical_crossentropy(true, probabilities)

    model = DeepFeatIoT(fleet.class_names, branches=("statistics",), head="mlp")
    model.compile(loss=loss)
    model.fit(fleet.to_dataset(), epochs=2, verbose=0)
    assert len(traces) == 1


def test_augmented_readings_get_features_of_their_own(fleet, tmp_path):
    def shift(inputs, label):
        return {"readings": inputs["readings"] + tf.random.uniform([])}, label

    model = build(fleet)
    model.fit(fleet.to_dataset().map(shift), epochs=2, verbose=0, feature_cache=tmp_path)
    assert np.isfinite(model.predict(fleet.values, verbose=0)).all()


def test_sample_and_class_weights_pass_through(fleet, one_hot):
    model = build(fleet)
    model.fit(fleet.values, one_hot, class_weight={0: 1.0, 1: 0.0}, epochs=1, verbose=0)
    model.fit(fleet.values, one_hot, sample_weight=np.ones(40), epochs=1, verbose=0)


def test_validation_arrays_get_features_too(fleet, one_hot):
    history = build(fleet).fit(fleet.values, one_hot, validation_data=(fleet.values, one_hot), epochs=1, verbose=0)
    assert "val_loss" in history.history


def test_an_endless_dataset_needs_steps(fleet):
    model = build(fleet)
    with pytest.raises(InputError, match="steps_per_epoch"):
        model.fit(fleet.to_dataset().repeat(), verbose=0)
    model.fit(fleet.to_dataset().repeat(), steps_per_epoch=2, verbose=0)


def test_other_inputs_are_refused_in_one_line(fleet):
    with pytest.raises(InputError, match="list"):
        build(fleet).fit([[1.0]], verbose=0)


def test_what_cannot_be_fitted_is_told_before_anything_is_solved(fleet):
    y = np.eye(len(fleet.class_names), dtype="float32")[fleet.label_indices]
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",))
    with pytest.raises(ValueError, match="not compiled"):
        model.fit(fleet.values, y, verbose=0)
    model.compile()
    with pytest.raises(InputError, match="no 'readings'"):
        model.fit({"reading": fleet.values}, y, verbose=0)
    with pytest.raises(InputError, match="no series"):
        model.fit(fleet.to_dataset().take(0), verbose=0)
    assert not model.adapted
    model.fit(fleet.values, y, sample_weight=np.ones((len(fleet), 1)), verbose=0)
    assert model.adapted


def test_one_series_an_element_is_told_to_come_in_batches(fleet):
    with pytest.raises(InputError, match=r"dataset\.batch\(32\)"):
        build(fleet).fit(fleet.to_dataset().unbatch(), verbose=0)


def test_weights_of_samples_beside_those_of_classes_are_told_before_anything_is_solved(fleet, one_hot):
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",))
    model.compile()
    weighted = tf.data.Dataset.from_tensor_slices(({"readings": fleet.values}, one_hot, np.ones(40))).batch(8)
    with pytest.raises(InputError, match="samples and of classes"):
        model.fit(weighted, class_weight={0: 1.0, 1: 2.0}, verbose=0)
    with pytest.raises(InputError, match="samples and of classes"):
        model.fit(fleet.values, one_hot, sample_weight=np.ones(40), class_weight={0: 1.0, 1: 2.0}, verbose=0)
    for class_weight, message in (
        ({0: np.nan, 1: 1.0}, "class_weight of class 0 is nan"),
        ({1: -1.0}, "class_weight of class 1 is -1"),
        ({7: 1.0}, "class_weight has a class 7"),
        ({0: 0.0, 1: 0.0}, "0 for every class"),
    ):
        with pytest.raises(InputError, match=message):
            model.fit(fleet.values, one_hot, class_weight=class_weight, verbose=0)
    with pytest.raises(InputError, match="a weight that is no number from 0 up"):
        model.fit(fleet.values, one_hot, sample_weight=-np.ones(40), verbose=0)
    assert not model.adapted


TWO_REPLICAS = """
import numpy as np, tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from deepfeatiot_tf import DeepFeatIoT, SensorReadings

kinds = np.arange(40) % 2
values = np.random.default_rng(0).normal(size=(40, 24)) + 5 * kinds[:, None]
fleet = SensorReadings(values, labels=[f"kind {kind}" for kind in kinds], metadata=["a"] * 40)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",), text_encoder="ngrams")
    model.compile()
print(np.shape(model.evaluate(fleet.to_dataset(batch_size=7), verbose=0)))
model.fit(fleet.to_dataset(batch_size=8), validation_data=fleet.to_dataset(batch_size=7), verbose=0)
print(model.evaluate(fleet.to_dataset(batch_size=7), verbose=0, return_dict=True)["accuracy"])
"""


def test_two_replicas_take_text_and_batches_that_do_not_part_evenly():
    run = subprocess.run([sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True)
    assert run.stdout.split("\n")[1] == "1.0", run.stderr[-2000:]


def test_samples_of_no_weight_move_nothing(fleet, one_hot):
    def fitted(values, labels, weights):
        model = DeepFeatIoT(fleet.class_names, branches=("statistics",), windows=())
        model.compile()
        model.fit(values, labels, sample_weight=weights, verbose=0)
        return model.predict(fleet.values, verbose=0)

    odd = np.float32(1000) * fleet.values[:10]
    weights = np.r_[np.ones(40), np.zeros(10)]
    beside = fitted(np.concatenate([fleet.values, odd]), np.concatenate([one_hot, one_hot[:10]]), weights)
    np.testing.assert_allclose(beside, fitted(fleet.values, one_hot, np.ones(40)), atol=1e-5)
    with pytest.raises(InputError, match="weight above 0"):
        fitted(fleet.values, one_hot, np.zeros(40))


def test_weights_loaded_leave_the_learning_rate_to_the_users_optimizer(fleet, tmp_path):
    model = build(fleet)
    model.fit(fleet.to_dataset(), epochs=1, verbose=0)
    model.save_weights(tmp_path / "of.weights.h5")
    other = build(fleet)
    other.compile(optimizer="sgd")
    other.load_weights(tmp_path / "of.weights.h5")
    assert other.adapted
    assert not other.annealed


def test_a_model_given_the_weights_of_a_fitted_one_takes_nothing_from_its_data(fleet):
    model = build(fleet)
    model.fit(fleet.to_dataset(), epochs=1, verbose=0)
    other = model.from_config(model.get_config())
    other.compile(keras.optimizers.SGD(0.0))
    other.set_weights(model.get_weights())
    assert other.adapted
    other.fit(fleet.take(range(6)).to_dataset(), epochs=1, verbose=0)
    np.testing.assert_allclose(
        other.predict(fleet.values, verbose=0), model.predict(fleet.values, verbose=0), atol=1e-6
    )


@pytest.mark.parametrize("spoil", [lambda y: np.zeros_like(y), lambda y: np.ones_like(y)])
def test_labels_of_no_class_or_of_several_are_told(fleet, one_hot, spoil):
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",))
    model.compile()
    with pytest.raises(InputError, match="the labels of a series sum to"):
        model.fit(fleet.values, spoil(one_hot), verbose=0)
    with pytest.raises(InputError, match="the labels of a series sum to"):
        model.fit(fleet.values, one_hot, validation_data=(fleet.values, spoil(one_hot)), verbose=0)
    assert not model.adapted
    model.fit(fleet.values, one_hot.tolist(), validation_data=(fleet.values, one_hot.tolist()), verbose=0)
    assert model.adapted


def test_ragged_readings_are_told_to_be_padded(fleet, one_hot):
    ragged = tf.data.Dataset.from_tensor_slices((tf.RaggedTensor.from_tensor(fleet.values), one_hot)).batch(8)
    with pytest.raises(InputError, match="ragged; pad the shorter series with NaN"):
        build(fleet).fit(ragged, verbose=0)


def test_fewer_steps_than_batches_are_told(fleet):
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",))
    model.compile()
    with pytest.warns(UserWarning, match="learn from the first 2 of 5 batches"):
        model.fit(fleet.to_dataset(batch_size=8), steps_per_epoch=2, verbose=0)


def test_a_solved_head_is_judged_however_seldom_it_is_asked_for(fleet):
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",))
    model.compile()
    data = fleet.to_dataset()
    assert "val_loss" in model.fit(data, validation_data=data, validation_freq=2, verbose=0).history


@pytest.mark.parametrize("head", ["mlp", "closed_form"])
def test_labels_that_are_not_one_hot_are_told_with_the_series_that_were_given(fleet, head):
    model = DeepFeatIoT(fleet.class_names, kernels=32, branches=("randomized",), head=head)
    model.compile()
    with pytest.raises(InputError, match=r"labels of shape \(40,\) for 40 series; give them one-hot, \[series, "):
        model.fit(fleet.values, fleet.label_indices, verbose=0)
    assert not model.adapted


def test_fewer_labels_than_series_are_told(fleet, one_hot):
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",))
    model.compile()
    with pytest.raises(InputError, match="for 40 series"):
        model.fit(fleet.values, one_hot[:30], verbose=0)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data.repeat(), "never ends; give validation_steps"),
        (lambda data: data.unbatch(), r"dataset\.batch\(32\)"),
        (lambda data: "fleet.csv", "validation_data is a str"),
    ],
)
def test_validation_data_that_cannot_be_walked_through_are_told(fleet, spoil, words):
    model = build(fleet)
    with pytest.raises(InputError, match=words):
        model.fit(fleet.to_dataset(), validation_data=spoil(fleet.to_dataset()), verbose=0)
    assert not model.adapted


@pytest.mark.parametrize("odd", [[np.nan, 0], [2, -1]])
def test_a_label_that_is_no_one_hot_is_found(fleet, one_hot, odd, tmp_path):
    labels = one_hot.copy()
    labels[7] = odd
    model = DeepFeatIoT(fleet.class_names, kernels=32, branches=("statistics",))
    model.compile()
    with pytest.raises(InputError, match="give them one-hot"):
        model.fit(fleet.values, labels, verbose=0, feature_cache=tmp_path)
    model.fit(fleet.values, labels, sample_weight=np.arange(len(labels)) != 7, verbose=0, feature_cache=tmp_path)
    assert np.isfinite(model.predict(fleet.values, verbose=0)).all()


def test_a_weight_that_is_no_number_is_found(fleet, one_hot, tmp_path):
    labels, weights = one_hot, np.ones(len(fleet))
    weights[3] = np.nan
    model = DeepFeatIoT(fleet.class_names, kernels=32, branches=("statistics",))
    model.compile()
    with pytest.raises(InputError, match="a weight that is no number"):
        model.fit(fleet.values, labels, sample_weight=weights, verbose=0, feature_cache=tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            lambda x, y: {"x": x[..., None], "y": y},
            r"readings have the shape \[40, 24, 1\]; give them as \[series, time",
        ),
        (lambda x, y: {"x": x[0], "y": y}, r"readings have the shape \[24\]"),
        (lambda x, y: {"x": x, "y": np.vstack([y, y])}, r"labels of shape \(80, 2\) for 40 series"),
        (lambda x, y: {"x": x, "y": y, "sample_weight": [1.0] * 39}, r"weights of shape \(39,\) for 40 series"),
        (lambda x, y: {"x": x, "y": y, "validation_data": (x[:3], y[:2])}, r"labels of shape \(2, 2\) for 3 series"),
    ],
)
def test_arrays_that_do_not_have_a_row_for_each_series_are_found_before_anything_is_learned(
    fleet, one_hot, given, message
):
    model = build(fleet)
    with pytest.raises(InputError, match=message):
        model.fit(**given(fleet.values, one_hot), verbose=0)
    assert not model.adapted


def test_a_series_of_no_length_is_as_one_of_no_reading(fleet, tmp_path):
    model = DeepFeatIoT(fleet.class_names, kernels=32, windows=())
    model.compile()
    model.fit(fleet.to_dataset(), verbose=0, feature_cache=tmp_path)
    empty, missing = (np.full((2, time), np.nan, np.float32) for time in (0, 1))
    np.testing.assert_array_equal(model.predict(empty, verbose=0), model.predict(missing, verbose=0))


def test_a_network_takes_series_of_no_length_after_others(fleet):
    model = DeepFeatIoT(fleet.class_names, branches=("local", "global"), head="mlp")
    missing = np.full((2, 1), np.nan, np.float32)
    model.predict_on_batch({"readings": fleet.values})
    np.testing.assert_allclose(
        model.predict_on_batch({"readings": missing[:, :0]}), model.predict_on_batch({"readings": missing}), atol=1e-6
    )


@pytest.mark.parametrize("kind", ["float64", "float16", "int64"])
def test_a_batch_of_numbers_of_another_kind_is_as_one_of_float32(fleet, kind):
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",), head="mlp")
    whole = np.nan_to_num(fleet.values).round()
    np.testing.assert_array_equal(
        model.predict_on_batch({"readings": whole.astype(kind)}), model.predict_on_batch({"readings": whole})
    )


def test_batches_of_any_size_are_predicted_by_one_trace(fleet, monkeypatch):
    traces = []
    call = DeepFeatIoT.call
    model = DeepFeatIoT(fleet.class_names, branches=("statistics",), head="mlp")
    monkeypatch.setattr(DeepFeatIoT, "call", lambda *args, **kwargs: (traces.append(1), call(*args, **kwargs))[1])
    whole = model.predict(fleet.values, batch_size=15, verbose=0)  # the last batch is smaller
    np.testing.assert_allclose(model.predict(fleet.values, batch_size=20, verbose=0), whole, atol=1e-6)
    model.predict(fleet.values[:, :20], verbose=0)
    assert len(traces) == 1
    for part in (fleet.values[:3], fleet.values[:5, :20]):
        model.predict_on_batch(part)
    assert len(traces) == 2  # Keras hands a batch alone over otherwise


def test_numbers_may_be_numpys(fleet, tmp_path):
    one, two = np.arange(1, 3)
    options = {"kernels": 32, "dilation": one, "windows": np.array([2, 4]), "seed": two, "branches": ("randomized",)}
    model = DeepFeatIoT(fleet.class_names, **options)
    plain = DeepFeatIoT(fleet.class_names, **{**options, "dilation": 1, "windows": (2, 4), "seed": 2})
    assert model.get_config() == plain.get_config()
    model.save(tmp_path / "model.keras")
    assert model.windows == (2, 4)
    with pytest.raises(ValueError, match="windows is 2; give a sequence of numbers"):
        DeepFeatIoT(fleet.class_names, windows=2)
