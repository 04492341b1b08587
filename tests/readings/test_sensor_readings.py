import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import SensorReadings


@pytest.fixture
def readings() -> SensorReadings:
    return SensorReadings(
        [[1.0, 2.0, np.nan], [3.0, 4.0, 5.0], [6.0, np.nan, np.nan]],
        ids=["a", "b", "c"],
        labels=["wind", "rain", "wind"],
        metadata=["Vento", "", "WS 2"],
        class_names=["wind", "snow", "rain"],
    )


def test_values_are_float32_and_nan_is_kept_because_it_marks_a_missing_reading(readings):
    assert readings.values.dtype == np.float32
    assert np.isnan(readings.values).tolist() == [[False, False, True], [False] * 3, [False, True, True]]


def test_nothing_can_be_changed_because_parts_share_it(readings):
    for column in (readings.values, readings.labels, readings.ids, readings.metadata):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = column[1]
    with pytest.raises(AttributeError):
        readings.name = "other"


def test_the_array_it_was_made_from_is_copied_so_that_later_changes_do_not_reach_it():
    values = np.zeros((1, 2), dtype=np.float32)
    readings = SensorReadings(values)
    values[0, 0] = 9
    assert readings.values[0, 0] == 0


def test_classes_keep_the_given_order_even_without_rows_and_are_sorted_otherwise(readings):
    assert readings.class_names == ("wind", "snow", "rain")
    assert readings.label_indices.tolist() == [0, 2, 0]
    assert SensorReadings(np.zeros((2, 1)), labels=["b", "a"]).class_names == ("a", "b")


def test_take_keeps_rows_together_and_the_classes_by_mask_and_by_position(readings):
    for rows in ([2, 0], np.array([2, 0])):
        part = readings.take(rows)
        assert part.ids.tolist() == ["c", "a"]
        assert part.labels.tolist() == ["wind", "wind"]
        assert part.metadata.tolist() == ["WS 2", "Vento"]
        assert part.class_names == readings.class_names
    assert readings.take(readings.labels == "rain").ids.tolist() == ["b"]


def test_a_part_may_be_empty(readings):
    assert len(readings.take(np.zeros(3, dtype=bool))) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [1.0, 2.0]}, "shape"),
        ({"values": np.zeros((2, 0))}, "shape"),
        ({"values": [[np.inf]]}, "row 0, reading 0: infinite"),
        ({"values": [[1.0], [2.0]], "ids": ["x", "x"]}, "'x' stands on 2 rows"),
        ({"values": [[1.0]], "labels": ["a", "b"]}, "2 labels for 1 series"),
        ({"values": [[1.0]], "labels": ["a"], "class_names": ["b"]}, "'a' is not one of"),
        ({"values": [[1.0]], "labels": ["a"], "class_names": ["a", "b", "a"]}, "'a' twice"),
        ({"values": [[1.0]], "metadata": ["a\ud83d"]}, "metadata of row 0: .* is no text of Unicode"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        SensorReadings(**arguments)
    assert "\n" not in str(caught.value)


def test_unlabelled_readings_say_so_when_labels_are_needed():
    with pytest.raises(InputError, match="no labels"):
        _ = SensorReadings([[1.0]]).label_indices


def test_the_checksum_sees_values_labels_and_metadata_but_not_the_name(readings):
    def checksum(**changes):
        kept = {"values": readings.values, "labels": readings.labels, "metadata": readings.metadata}
        return SensorReadings(**{**kept, **changes}).checksum

    assert checksum() == checksum(name="other")
    assert checksum() != checksum(labels=["rain", "rain", "wind"])
    assert checksum() != checksum(metadata=["Vento", "", "WS 3"])
    assert checksum() != checksum(values=readings.values * 2)
    assert checksum() != checksum(metadata=None)


def test_a_dataset_gives_what_keras_fit_takes(readings):
    (features, one_hot), *rest = readings.to_dataset(batch_size=2).as_numpy_iterator()
    np.testing.assert_array_equal(features["readings"], readings.values[:2])
    assert [text.decode() for text in features["metadata"]] == ["Vento", ""]
    np.testing.assert_array_equal(one_hot, [[1, 0, 0], [0, 0, 1]])
    assert len(rest) == 1


def test_a_dataset_leaves_out_what_is_not_there():
    (features,) = SensorReadings([[1.0]]).to_dataset().as_numpy_iterator()
    assert list(features) == ["readings"]


def test_no_tuner_makes_the_end_of_a_pass_wait(readings):
    for data in (readings.to_dataset(), readings.to_dataset(shuffle=True).map(lambda *batch: batch)):
        assert data.options().autotune.enabled is False


def test_shuffling_gives_a_new_order_each_epoch_and_the_same_orders_for_the_same_seed():
    readings = SensorReadings(np.arange(64.0).reshape(64, 1))

    def epochs(seed):
        data = readings.to_dataset(batch_size=64, shuffle=True, seed=seed)
        return [next(data.as_numpy_iterator())["readings"].ravel().tolist() for _ in range(2)]

    first, second = epochs(0)
    assert first != second
    assert sorted(first) == sorted(second) == list(range(64))
    assert epochs(0) == [first, second]
    assert epochs(1) != [first, second]


def test_missing_metadata_is_blank_and_a_missing_label_is_named():
    values = np.zeros((3, 4))
    found = SensorReadings(values, metadata=pd.Series(["temp", None, np.nan]))
    assert found.metadata.tolist() == ["temp", "", ""]
    with pytest.raises(InputError, match="row 1 has no label"):
        SensorReadings(values, labels=["a", np.nan, "b"])


def test_labels_that_are_one_hot_are_refused():
    with pytest.raises(InputError, match=r"labels have shape \[2, 2\]; give one name per series"):
        SensorReadings(np.zeros((2, 3)), labels=np.eye(2))
