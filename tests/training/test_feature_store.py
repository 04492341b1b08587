import keras
import numpy as np
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.training.feature_store import FeatureStore, frozen_key


class Counting:
    """A frozen branch that says how many series it was asked for."""

    def __init__(self):
        self.asked = 0

    def __call__(self, readings):
        self.asked += len(readings)
        return np.stack([readings.sum(axis=1), readings.max(axis=1)], axis=1).astype("float32")


@pytest.fixture
def readings(rng):
    return rng.normal(size=(10, 6)).astype("float32")


def test_each_series_is_computed_once_even_in_another_process(tmp_path, readings):
    branch = Counting()
    store = FeatureStore(tmp_path, branch, 2)
    store.add(readings[:6])
    store.add(readings)  # the first six again
    store.add(readings[[3, 3]])
    store.flush()
    assert branch.asked == 10
    reopened = FeatureStore(tmp_path, branch, 2)
    np.testing.assert_array_equal(reopened.look_up(readings[::-1]), Counting()(readings[::-1]))
    assert branch.asked == 10


def test_series_that_are_not_kept_are_computed_when_asked_for(tmp_path, readings):
    branch = Counting()
    store = FeatureStore(tmp_path, branch, 2)
    store.add(readings[:5])
    np.testing.assert_array_equal(store.look_up(readings), Counting()(readings))
    assert branch.asked == 10
    assert not list(tmp_path.iterdir())  # nothing flushed yet: nothing half-written either


@pytest.mark.parametrize("left", [50, 0])
def test_a_damaged_shard_is_computed_again(tmp_path, readings, left):
    store = FeatureStore(tmp_path, Counting(), 2)
    store.add(readings)
    store.flush()
    for rows in tmp_path.glob("*.rows.npy"):
        rows.write_bytes(rows.read_bytes()[:left])
    branch = Counting()
    np.testing.assert_array_equal(FeatureStore(tmp_path, branch, 2).look_up(readings), Counting()(readings))
    assert branch.asked == 10


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path, readings):
    (tmp_path / "statistics").write_text("mine")
    store = FeatureStore(tmp_path / "statistics" / "key", Counting(), 2)
    store.add(readings)
    with pytest.raises(InputError, match="the folder cannot be made"):
        store.flush()


def test_a_full_disk_leaves_no_part_of_a_shard(tmp_path, readings, monkeypatch):
    store = FeatureStore(tmp_path, Counting(), 2)
    store.add(readings)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(InputError, match="No space"):
        store.flush()
    assert not list(tmp_path.iterdir())


def test_a_text_is_the_same_as_str_and_as_bytes(tmp_path):
    asked = []

    def extract(texts):
        asked.extend(texts)
        return np.array([[len(text)] for text in texts], "float32")

    store = FeatureStore(tmp_path, extract, 1)
    store.add(np.array(["Umidità", "", "P10"], object))
    found = store.look_up(np.array([b"P10", "Umidità".encode(), b""], object))
    np.testing.assert_array_equal(found[:, 0], [3, 7, 0])
    assert len(asked) == 3


def test_missing_readings_are_part_of_the_content(tmp_path, readings):
    branch = Counting()
    store = FeatureStore(tmp_path, branch, 2)
    gap = readings.copy()
    gap[:, 2] = np.nan
    store.add(readings)
    store.add(gap)
    assert branch.asked == 20


def slice_of(channels, part):
    readings = keras.Input((None, channels))
    return keras.Model(readings, keras.layers.GlobalMaxPooling1D()(readings[..., part]))


def test_the_key_tells_graphs_apart_not_their_names():
    same, again = slice_of(3, slice(0, 2)), slice_of(3, slice(0, 2))
    assert [layer.name for layer in same.layers] != [layer.name for layer in again.layers]
    assert frozen_key(same) == frozen_key(again)
    # The layers are the same with the same settings; what they are given is not.
    assert frozen_key(same) != frozen_key(slice_of(3, slice(1, 3)))


def test_the_key_tells_weights_apart(rng):
    readings = keras.Input((4,))
    model = keras.Model(readings, keras.layers.Dense(2)(readings))
    before = frozen_key(model)
    model.set_weights([rng.normal(size=(4, 2)), np.zeros(2)])
    assert frozen_key(model) != before


def mean_of(function):
    class Mean(keras.layers.Layer):
        def call(self, readings):
            return function(readings)

        def compute_output_shape(self, shape):
            return (shape[0], 1)

    readings = keras.Input((4,))
    return keras.Model(readings, Mean()(readings))


def test_the_key_tells_the_code_of_a_users_layer_apart():
    def halved(x):
        return keras.ops.mean(x, axis=1, keepdims=True) / 2

    plain = frozen_key(mean_of(lambda x: keras.ops.mean(x, axis=1, keepdims=True)))
    assert plain == frozen_key(mean_of(lambda x: keras.ops.mean(x, axis=1, keepdims=True)))
    assert plain != frozen_key(mean_of(halved))
    assert frozen_key(mean_of(lambda x: halved(x))) != frozen_key(mean_of(lambda x: -halved(x)))


def test_the_key_tells_vocabularies_apart():
    def reader(words):
        texts = keras.Input((), dtype="string")
        words_of = keras.layers.TextVectorization(output_mode="multi_hot")
        words_of.adapt(words)
        return keras.Model(texts, words_of(texts))

    assert frozen_key(reader(["warm", "wet"])) == frozen_key(reader(["warm", "wet"]))
    assert frozen_key(reader(["warm", "wet", "wet"])) != frozen_key(reader(["warm", "warm", "wet"]))
