import keras
import numpy as np
import pytest

from deepfeatiot_tf import DeepFeatIoT
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import KerasSystem, keras_system, run_protocol
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


@pytest.fixture
def readings():
    rng = np.random.default_rng(0)
    labels = np.repeat(["high", "low"], 20)
    values = np.where(labels == "high", 2.0, -2.0)[:, np.newaxis] + rng.normal(size=(40, 4))
    return SensorReadings(values, labels=labels, name="fleet")


def build(class_names, seed, metrics=("accuracy",)):
    inputs = keras.Input((4,), name="readings")
    start = keras.initializers.RandomNormal(seed=seed)
    outputs = keras.layers.Dense(len(class_names), activation="softmax", kernel_initializer=start)(inputs)
    model = keras.Model({"readings": inputs}, outputs)
    model.compile(keras.optimizers.Adam(0.1), "categorical_crossentropy", metrics=list(metrics))
    model.class_names = class_names
    return model


def test_a_keras_model_runs_through_a_protocol(readings):
    system = KerasSystem(build, epochs=10, batch_size=8)
    cells = run_protocol(system, readings, seeds=[0]).cells
    assert cells.loc[0, "accuracy"] > 0.9
    assert cells.loc[0, "epochs"] == 10
    assert set(system.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}


@pytest.mark.parametrize("fresh", [False, True])
def test_fresh_features_are_computed_in_each_fit_and_not_kept(readings, monkeypatch, tmp_path, fresh):
    monkeypatch.setenv("DEEPFEATIOT_CACHE", str(tmp_path))

    def solved(class_names, seed):
        model = DeepFeatIoT(class_names, branches=("statistics",), seed=seed)
        model.compile()
        return model

    system = KerasSystem(solved, epochs=1, selects=False, fresh_features=fresh)
    system.fit(readings, None)
    assert bool(list(tmp_path.rglob("*.npy"))) is not fresh
    assert system.predict(readings).shape == (40, 2)


def test_metadata_that_the_model_does_not_take_is_left_out(readings):
    described = SensorReadings(readings.values, labels=readings.labels, metadata=["Messwert"] * 40)
    system = KerasSystem(build, epochs=1)
    system.fit(described, described)
    assert system.predict(described).shape == (40, 2)


def test_one_seed_gives_one_result(readings):
    system = KerasSystem(build, epochs=2)
    first, again, other = (run_protocol(system, readings, seeds=[s]).cells.loc[0, "log_loss"] for s in (3, 3, 4))
    assert first == again != other


class Jump(keras.callbacks.Callback):
    """Sets the weights at the end of each epoch, before they are judged on the validation part."""

    def __init__(self, scales):
        super().__init__()
        self.scales = scales

    def on_train_batch_end(self, batch, logs=None):
        scale = self.scales[min(self.params.get("epoch", 0), len(self.scales) - 1)]
        self.model.set_weights([scale * np.array([[1.0, -1]] * 4, dtype=np.float32), np.zeros(2, np.float32)])

    def on_epoch_begin(self, epoch, logs=None):
        self.params["epoch"] = epoch


@pytest.mark.parametrize(
    ("scales", "patience", "epochs", "best"),
    [
        ([-1, 1, -2, -3], None, 4, 2),  # never stopped early: the best of all
        ([1, -1, -2, 2], 2, 3, 1),  # two epochs without a better one
    ],
)
def test_the_best_epoch_is_kept_and_training_stops_after_patience(readings, scales, patience, epochs, best):
    system = KerasSystem(build, epochs=4, patience=patience, fit_options={"callbacks": [Jump(scales)]})
    facts = system.fit(readings, readings, seed=0)
    parameters = system.model.count_params()
    assert facts == {"epochs": epochs, "best_epoch": best, "parameters": parameters, "earlier_seconds": 0}
    assert system.model.get_weights()[0][0, 0] == scales[best - 1]


def test_paper_protocol_selects_by_accuracy_and_honest_by_loss(readings):
    # Epoch 2 is as right as epoch 1 and surer: better by loss, but by accuracy equal, so the first stays.
    options = {"callbacks": [Jump([0.001, 1])]}
    system = KerasSystem(build, epochs=2, fit_options=options)
    assert system.fit(readings, readings, protocol="honest")["best_epoch"] == 2
    assert system.fit(readings, readings, protocol="paper")["best_epoch"] == 1


def test_patience_does_not_stop_the_paper_protocol(readings):
    system = KerasSystem(build, epochs=4, patience=1, fit_options={"callbacks": [Jump([1, -1, -2, -3])]})
    assert system.fit(readings, readings, protocol="paper")["epochs"] == 4


class Kill(keras.callbacks.Callback):
    """Ends the process, as far as `fit` can tell, in the middle of an epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if self.params.get("epoch") == 3:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.params["epoch"] = epoch


def test_a_killed_cell_goes_on_from_its_last_saved_epoch(readings, tmp_path, monkeypatch):
    monkeypatch.setattr(keras_system, "SAVE_SECONDS", 0.0)
    table = tmp_path / "results" / "cells.csv"
    unbroken = run_protocol(KerasSystem(build, epochs=6), readings, seeds=[0]).cells
    with pytest.raises(KeyboardInterrupt):
        run_protocol(
            KerasSystem(build, epochs=6, fit_options={"callbacks": [Kill()]}), readings, seeds=[0], table=table
        )
    (state,) = table.parent.glob("cells.*.unfinished.npz")
    cells = run_protocol(KerasSystem(build, epochs=6), readings, seeds=[0], table=table).cells
    assert cells.loc[0, "log_loss"] == unbroken.loc[0, "log_loss"]
    assert cells.loc[0, "epochs"] == 6
    assert not state.exists()


def test_what_a_fit_notes_for_itself_does_not_hide_its_file(readings, tmp_path):
    paths = []

    class Notes(KerasSystem):
        _time = 0

        def fit(self, train, *args, **options):
            paths.append(self.unfinished)
            self._time = train.values.shape[1]
            raise KeyboardInterrupt

    system = Notes(build)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run_protocol(system, readings, seeds=[0], table=tmp_path / "cells.csv")
    assert paths[0] == paths[1]


@pytest.mark.parametrize("change", [{"validation": 0.3}, {"batch_size": 16}, {"settings": {"rate": 1}}, {"seeds": [1]}])
def test_only_the_same_training_goes_on_from_it(readings, tmp_path, change):
    paths = []

    class Watched(KerasSystem):
        def fit(self, *args, **options):
            paths.append(self.unfinished)
            raise KeyboardInterrupt

    for how in ({}, {}, change):
        options = {"seeds": [0], **how}
        system = Watched(build, batch_size=options.pop("batch_size", 8))
        with pytest.raises(KeyboardInterrupt):
            run_protocol(system, readings, table=tmp_path / "cells.csv", **options)
        assert system.unfinished is None
    assert paths[0] == paths[1] != paths[2]


def test_a_callback_may_make_what_the_best_epoch_is_best_by(readings):
    class Falling(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_my_loss"] = -epoch

    system = KerasSystem(build, epochs=3, monitor="val_my_loss", fit_options={"callbacks": [Falling()]})
    assert system.fit(readings, readings)["best_epoch"] == 3


def test_without_a_validation_part_the_last_epoch_is_taken(readings):
    facts = KerasSystem(build, epochs=3).fit(readings, None)
    assert (facts["epochs"], facts["best_epoch"]) == (3, 3)


def test_a_model_that_reports_no_accuracy_is_refused_after_one_epoch_not_after_all(readings):
    system = KerasSystem(lambda names, seed: build(names, seed, metrics=()), epochs=1000)
    with pytest.raises(InputError, match=r"'val_accuracy', .* reports only loss, val_loss"):
        system.fit(readings, readings, protocol="paper")


def test_predicting_before_fitting_is_refused(readings):
    with pytest.raises(InputError, match="call fit first"):
        KerasSystem(build).predict(readings)
