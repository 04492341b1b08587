import errno

import keras
import numpy as np
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.training import RunCheckpoint
from deepfeatiot_tf.training.epoch_order import EpochOrder


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    labels = np.array([f"class {i % 3}" for i in range(48)])
    values = rng.normal(size=(48, 4)) + (np.arange(48) % 3)[:, None]
    everything = SensorReadings(values, labels=labels)
    return everything.take(np.arange(36)), everything.take(np.arange(36, 48))


def build(rate: float = 0.05) -> keras.Model:
    """Everything that a resumption can get wrong: dropout, batch statistics, optimizer slots, a schedule."""
    readings = keras.Input((4,), name="readings")
    x = keras.layers.Dense(8, kernel_initializer=keras.initializers.GlorotUniform(1))(readings)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5, seed=2)(x)
    output = keras.layers.Dense(3, "softmax", kernel_initializer=keras.initializers.GlorotUniform(3))(x)
    model = keras.Model({"readings": readings}, output)
    decay = keras.optimizers.schedules.InverseTimeDecay(rate, 2, 0.5)
    model.compile(keras.optimizers.Adam(decay, amsgrad=True), "categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(parts, checkpoint, epochs, model=None):
    model = model or build()
    order = EpochOrder(0)
    done = checkpoint.restore(model)
    model.fit(
        order.dataset(parts[0], batch_size=8),
        validation_data=parts[1].to_dataset(),
        initial_epoch=done,
        epochs=done if checkpoint.finished else epochs,
        callbacks=[order, checkpoint],
        shuffle=False,
        verbose=0,
    )
    return model


def assert_same(model, other):
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_resumed_run_ends_as_an_unbroken_one(parts, tmp_path):
    unbroken = RunCheckpoint(tmp_path / "unbroken.npz")
    model = fit(parts, unbroken, epochs=6)
    fit(parts, RunCheckpoint(tmp_path / "broken.npz"), epochs=3)
    resumed = RunCheckpoint(tmp_path / "broken.npz")
    assert_same(fit(parts, resumed, epochs=6), model)
    assert resumed.history == unbroken.history
    assert (resumed.best_epoch, resumed.best_value) == (unbroken.best_epoch, unbroken.best_value)
    assert resumed.earlier_seconds > unbroken.earlier_seconds == 0


def test_a_training_in_half_precision_is_resumed(parts, tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = fit(parts, RunCheckpoint(tmp_path / "unbroken.npz"), epochs=4)
        fit(parts, RunCheckpoint(tmp_path / "broken.npz", every_seconds=0), epochs=2)
        assert_same(fit(parts, RunCheckpoint(tmp_path / "broken.npz"), epochs=4), model)
    finally:
        keras.config.set_dtype_policy("float32")


def test_the_weights_of_the_best_epoch_are_in_the_model_at_the_end(parts):
    checkpoint = RunCheckpoint()
    model = fit(parts, checkpoint, epochs=8)
    found = model.evaluate(parts[1].to_dataset(), return_dict=True, verbose=0)
    assert found["loss"] == pytest.approx(min(checkpoint.history["val_loss"]), rel=1e-5)
    assert checkpoint.best_epoch == int(np.argmin(checkpoint.history["val_loss"]))


def test_training_stops_when_patience_has_run_out_and_stays_stopped(parts, tmp_path):
    path = tmp_path / "state.npz"
    model = build(rate=100.0)  # so fast that it soon gets worse
    checkpoint = RunCheckpoint(path, patience=2)
    fit(parts, checkpoint, epochs=50, model=model)
    assert checkpoint.epochs == checkpoint.best_epoch + 3 < 50
    again = RunCheckpoint(path, patience=2)
    assert_same(fit(parts, again, epochs=50), model)
    assert again.history == checkpoint.history


def test_another_training_begins_again(parts):
    checkpoint = RunCheckpoint(patience=2)
    fit(parts, checkpoint, epochs=50, model=build(rate=100.0))
    other, alone = build(), build()
    other.fit(parts[0].to_dataset(), validation_data=parts[1].to_dataset(), epochs=3, callbacks=[checkpoint], verbose=0)
    assert checkpoint.epochs == 3
    assert checkpoint.best_epoch < 3
    fresh = RunCheckpoint(patience=2)
    alone.fit(parts[0].to_dataset(), validation_data=parts[1].to_dataset(), epochs=3, callbacks=[fresh], verbose=0)
    assert_same(other, alone)


def test_accuracy_is_better_when_higher(parts):
    checkpoint = RunCheckpoint(monitor="val_accuracy")
    fit(parts, checkpoint, epochs=4)
    assert checkpoint.best_value == max(checkpoint.history["val_accuracy"])


def test_a_loss_that_is_no_number_is_never_the_best():
    checkpoint = RunCheckpoint()
    checkpoint.set_model(build())
    for epoch, loss in enumerate([float("nan"), 2.0, float("nan"), 3.0]):
        checkpoint.on_epoch_end(epoch, {"val_loss": loss})
    assert (checkpoint.best_epoch, checkpoint.best_value) == (1, 2.0)


def test_a_measure_that_is_not_there_is_named(parts):
    with pytest.raises(InputError, match=r"'val_nonsense', but the model reports only .*val_loss"):
        fit(parts, RunCheckpoint(monitor="val_nonsense"), epochs=1)


def test_a_measure_that_is_not_there_after_every_epoch_is_named():
    checkpoint = RunCheckpoint()
    checkpoint.set_model(build())
    checkpoint.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
    with pytest.raises(InputError, match=r"'val_loss', but the model reports only loss; .* after every epoch"):
        checkpoint.on_epoch_end(1, {"loss": 0.9})


def test_saves_keep_their_distance_but_the_end_is_always_saved(parts, tmp_path):
    path = tmp_path / "state.npz"
    fit(parts, RunCheckpoint(path, every_seconds=3600), epochs=3)
    assert RunCheckpoint(path).restore(build()) == 3


def test_a_full_disk_leaves_the_last_state_and_nothing_half_written(parts, tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    fit(parts, RunCheckpoint(path), epochs=1)

    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        fit(parts, RunCheckpoint(path), epochs=2)
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]
    assert RunCheckpoint(path).restore(build()) == 1


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut off"])
def test_a_damaged_state_is_one_line_that_says_what_to_do(tmp_path, content):
    path = tmp_path / "state.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"not a training state .* delete it to start again"):
        RunCheckpoint(path).restore(build())


def test_the_state_of_another_model_is_refused(parts, tmp_path):
    path = tmp_path / "state.npz"
    fit(parts, RunCheckpoint(path), epochs=1)
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    other.compile("adam", "mse")
    with pytest.raises(InputError, match="the state of another model"):
        RunCheckpoint(path).restore(other)


def test_without_a_monitor_the_last_epoch_is_kept(parts):
    checkpoint = RunCheckpoint(monitor=None, patience=1)
    fit(parts, checkpoint, epochs=4)
    assert checkpoint.best_epoch == 3
    assert not checkpoint.finished


def test_without_a_monitor_an_epoch_without_a_loss_is_not_kept(parts):
    checkpoint = RunCheckpoint(monitor=None)
    checkpoint.set_model(build())
    for epoch, loss in enumerate((1.0, np.nan)):
        checkpoint.on_epoch_end(epoch, {"loss": loss})
    assert checkpoint.best_epoch == 0


@pytest.mark.parametrize(
    ("monitor", "higher"),
    [("val_loss", False), ("val_mean_squared_error", False), ("val_f1_score", True), ("auc", True)],
)
def test_losses_and_errors_are_best_low_and_metrics_high(monitor, higher):
    assert RunCheckpoint(monitor=monitor).higher is higher
