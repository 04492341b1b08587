import json

import numpy as np
import pytest
import tensorflow as tf

from deepfeatiot_tf import InputError, export_saved_model, predict
from deepfeatiot_tf.serving.about import ABOUT_FILE


@pytest.fixture(scope="module")
def middling(model, fleet):
    """A confidence that some sensors of the fleet are above and some below."""
    return float(np.median(np.asarray(model.predict_on_batch({"readings": fleet.values})).max(axis=1)))


@pytest.fixture(scope="module")
def careful(model, middling, tmp_path_factory):
    folder = tmp_path_factory.mktemp("careful") / "1"
    return export_saved_model(model, folder, threshold=middling, about={"precision": 0.95})


def test_a_sensor_below_the_threshold_is_unknown_and_its_likeliest_type_the_runner_up(model, fleet, middling):
    free, held = predict(model, fleet), predict(model, fleet, threshold=middling)
    refused = free["confidence"] < np.float32(middling)
    assert 0 < refused.sum() < len(fleet)
    assert (held["label"] == "unknown").tolist() == refused.tolist()
    assert held["runner_up"][refused].tolist() == free["label"][refused].tolist()
    assert held["runner_up_confidence"][refused].tolist() == free["confidence"][refused].tolist()
    assert held[~refused].equals(free[~refused])
    assert held["confidence"].equals(free["confidence"])


def test_the_exported_graph_refuses_as_the_live_model_does(model, careful, fleet, middling):
    served = tf.saved_model.load(str(careful)).signatures["serving_default"](readings=tf.constant(fleet.values))
    live = predict(model, fleet, threshold=middling)
    # A confidence at the very threshold may fall on either side by rounding.
    clear = np.abs(live["confidence"] - middling) > 1e-5
    for column in ("label", "runner_up"):
        assert served[column].numpy().astype(str)[clear].tolist() == live[column][clear].tolist()
    for column in ("confidence", "runner_up_confidence"):
        np.testing.assert_allclose(served[column].numpy()[clear], live[column][clear], atol=1e-5)
    np.testing.assert_allclose(served["probabilities"].numpy().sum(axis=1), 1.0, atol=1e-5)


def test_the_folder_says_its_threshold_and_labelling_with_it_keeps_to_it(careful, fleet, middling):
    about = json.loads((careful / ABOUT_FILE).read_text())
    assert about["threshold"] == pytest.approx(middling)
    assert about["precision"] == 0.95
    frame = predict(careful, fleet)
    assert (frame["label"] == "unknown").tolist() == (frame["confidence"] < np.float32(middling)).tolist()
    assert "unknown" not in set(predict(careful, fleet, threshold=0.0)["label"])


def test_a_sensor_that_measured_nothing_stays_without_label_because_nothing_was_refused(careful):
    readings = tf.constant(np.full((1, 3), np.nan, np.float32))
    served = tf.saved_model.load(str(careful)).signatures["serving_default"](readings=readings)
    assert served["label"].numpy().tolist() == [b""]
    assert served["confidence"].numpy().tolist() == [0.0]


def test_a_class_called_unknown_would_be_ambiguous(quick_model, fleet, tmp_path):
    quick_model.class_names = ("unknown", *quick_model.class_names[1:])
    for use in (
        lambda: predict(quick_model, fleet, threshold=0.5),
        lambda: export_saved_model(quick_model, tmp_path / "1", threshold=0.5),
    ):
        with pytest.raises(InputError, match="a class is called 'unknown'"):
            use()
    assert "unknown" in set(quick_model.class_names)
    assert list(tmp_path.iterdir()) == []


def test_a_threshold_is_a_confidence(model, fleet):
    with pytest.raises(InputError, match="give a confidence from 0 to 1"):
        predict(model, fleet, threshold=95)


def test_a_damaged_file_about_the_model_is_named(quick_model, fleet, tmp_path):
    folder = export_saved_model(quick_model, tmp_path / "1")
    assert json.loads((folder / ABOUT_FILE).read_text())["threshold"] == 0.0
    (folder / ABOUT_FILE).write_text("{")
    with pytest.raises(InputError, match=r"about\.json: damaged"):
        predict(folder, fleet)
