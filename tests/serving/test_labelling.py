import keras
import numpy as np
import pytest

from deepfeatiot_tf import CollectiveClassifier, InputError, SensorReadings, predict
from deepfeatiot_tf.serving.classifier import Classifier
from deepfeatiot_tf.serving.labelling import Labeller

COLUMNS = ["id", "label", "confidence", "runner_up", "runner_up_confidence"]


class Signs:
    """Tells positive from negative series, and remembers the shapes it was asked for."""

    def __init__(self, **kwargs):
        self.shapes = []
        self.classifier = Classifier(
            ("negative", "positive", "zero"),
            self.probabilities,
            **{"compiles": True, "ignores_padding": True, **kwargs},
        )

    def probabilities(self, readings, metadata):
        self.shapes.append(readings.shape)
        sign = np.sign(np.nansum(readings, axis=1))
        return np.stack([0.3 - 0.2 * sign, 0.3 + 0.2 * sign, 0.4 + 0 * sign], axis=1).astype(np.float32)


def series(n, time, value=1.0):
    return SensorReadings(np.full((n, time), value, np.float32))


def test_every_sensor_gets_its_likeliest_label_and_the_next(model, fleet):
    frame = predict(model, fleet)
    probabilities = np.asarray(model.predict_on_batch({"readings": fleet.values}))
    names = np.array(model.class_names)
    order = np.argsort(-probabilities, axis=1)
    assert list(frame.columns) == COLUMNS
    assert frame["id"].tolist() == fleet.ids.tolist()
    assert frame["label"].tolist() == names[order[:, 0]].tolist()
    assert frame["runner_up"].tolist() == names[order[:, 1]].tolist()
    np.testing.assert_allclose(frame["confidence"], probabilities.max(axis=1), atol=1e-6)
    assert (frame["runner_up_confidence"] <= frame["confidence"]).all()


def test_the_batch_size_changes_nothing(model, fleet):
    whole = predict(model, fleet)
    parts = predict(model, fleet, batch_size=9)  # the last of them has one series
    assert whole[["id", "label", "runner_up"]].equals(parts[["id", "label", "runner_up"]])
    np.testing.assert_allclose(whole["confidence"], parts["confidence"], atol=1e-6)


def test_an_exported_folder_labels_as_the_live_model(model, exported, fleet):
    live, served = predict(model, fleet), predict(exported, fleet)
    assert live[["id", "label", "runner_up"]].equals(served[["id", "label", "runner_up"]])
    np.testing.assert_allclose(live["confidence"], served["confidence"], atol=1e-5)


def test_a_sensor_that_measured_nothing_has_no_label_and_no_confidence():
    values = np.array([[1.0, 2.0], [np.nan, np.nan]], np.float32)
    frame = Labeller(Signs().classifier, 256)(SensorReadings(values))
    assert frame.iloc[1].tolist() == ["1", "", 0.0, "", 0.0]
    assert frame.iloc[0]["label"] == "positive"


def test_metadata_is_blank_where_an_exported_graph_takes_it_for_blank():
    readings = SensorReadings(np.full((3, 2), np.nan, np.float32), metadata=[" \t", "\u00a0", "\u200b"])
    frame = Labeller(Signs(reads_metadata=True).classifier, 256)(readings)
    assert frame["label"].tolist() == ["", "", "zero"]


def test_no_sensors_give_an_empty_table_with_the_same_columns():
    frame = Labeller(Signs().classifier, 256)(series(3, 5).take(np.arange(0)))
    assert list(frame.columns) == COLUMNS
    assert len(frame) == 0


def test_a_stream_of_parts_asks_for_one_shape_so_that_nothing_is_compiled_twice():
    signs = Signs()
    label = Labeller(signs.classifier, 32)
    for rows in (100, 100, 7, 1):
        frame = label(series(rows, 168))
        assert frame["label"].tolist() == ["positive"] * rows
    assert set(signs.shapes) == {(32, 168)}


def test_a_few_sensors_are_not_padded_to_a_whole_batch():
    signs = Signs()
    Labeller(signs.classifier, 256)(series(3, 168))
    assert signs.shapes == [(3, 168)]


def test_lengths_that_vary_from_part_to_part_share_few_shapes():
    signs = Signs()
    label = Labeller(signs.classifier, 4)
    for time in range(1000, 1200):
        label(series(4, time))
    assert len(set(signs.shapes)) <= 8
    assert max(width for _, width in signs.shapes) < 1.07 * 1200


def test_the_paper_variant_sees_no_padding_behind_a_series_because_it_would_count_it():
    signs = Signs(ignores_padding=False)
    label = Labeller(signs.classifier, 4)
    label(series(6, 99))
    assert set(signs.shapes) == {(4, 99)}


def test_an_exported_model_compiles_nothing_and_gets_its_readings_as_they_are():
    signs = Signs(compiles=False)
    Labeller(signs.classifier, 4)(series(6, 99))
    assert signs.shapes == [(4, 99), (2, 99)]


def test_long_series_are_asked_for_a_few_at_a_time_because_memory_grows_with_readings():
    signs = Signs(compiles=False)
    Labeller(signs.classifier, 256)(series(3, 100_000))
    assert signs.shapes == [(1, 100_000)] * 3


def test_a_model_that_lost_its_numbers_is_named_with_the_first_sensor():
    lost = Classifier(("a", "b"), lambda x, _: np.where(x[:, :2] > 1, np.nan, 0.5), True, True)
    readings = SensorReadings(np.array([[1.0, 1.0], [2.0, 2.0]]), ids=["x", "y"], name="fleet.csv")
    with pytest.raises(InputError, match=r"fleet\.csv: the model gave no finite probabilities for id y"):
        Labeller(lost, 256)(readings)


def test_a_model_without_class_names_is_refused(fleet):
    inputs = keras.Input((None,), name="readings")
    with pytest.raises(InputError, match="class_names"):
        predict(keras.Model(inputs, inputs), fleet)
    with pytest.raises(InputError, match=r"a CollectiveClassifier is no Keras model; give one"):
        predict(CollectiveClassifier(keras.Model(inputs, inputs)), fleet)


def test_a_batch_of_nothing_is_refused(fleet):
    with pytest.raises(InputError, match="batch_size is 0"):
        Labeller(Signs().classifier, 0)


def test_a_folder_without_a_model_is_named(fleet, tmp_path):
    with pytest.raises(InputError, match="no exported model; give the folder of a version"):
        predict(tmp_path, fleet)


def test_a_damaged_export_is_named(fleet, tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "labels.txt").write_text("a\nb\n")
    (tmp_path / "saved_model.pb").write_bytes(b"\x00damaged")
    with pytest.raises(InputError, match="cannot be opened as a SavedModel"):
        predict(tmp_path, fleet)
