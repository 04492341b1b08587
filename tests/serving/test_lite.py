import json
import runpy
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepfeatiot_tf import DeepFeatIoT, InputError, export_saved_model, export_tflite, predict
from deepfeatiot_tf.serving.lite import _converted
from tests.serving.test_export import FromTable


def interpreter(path):
    with pytest.warns(UserWarning, match="LiteRT"):  # TensorFlow says that it moves to a package of its own
        return tf.lite.Interpreter(str(path))


@pytest.fixture(scope="module")
def solved(fleet):
    """All that the default of the command line has: random kernels, statistics, their kernel, closed-form head."""
    model = DeepFeatIoT(fleet.class_names, head="closed_form", kernels=64)
    model.compile()
    model.fit(fleet.take(np.arange(48)).to_dataset(), verbose=0)
    return model


@pytest.fixture(scope="module")
def files(model, exported, solved, fleet, tmp_path_factory):
    """A SavedModel and a file for TFLite of each kind of model without text."""
    folder = tmp_path_factory.mktemp("lite")
    raw = DeepFeatIoT(fleet.class_names, variant="paper", branches=("randomized",), kernels=64)
    blended = DeepFeatIoT(fleet.class_names, head="blend", kernels=64)
    blended.compile()
    blended.fit(fleet.to_dataset(), validation_data=fleet.to_dataset(), epochs=1, verbose=0)
    return {
        "network": (exported, export_tflite(model, folder / "a.tflite", threshold=0.4, about={"precision": 0.9})),
        "closed form": (export_saved_model(solved, folder / "b" / "1"), export_tflite(solved, folder / "b.tflite")),
        "blend": (export_saved_model(blended, folder / "d" / "1"), export_tflite(blended, folder / "d.tflite")),
        "paper variant": (export_saved_model(raw, folder / "c" / "1"), export_tflite(raw, folder / "c.tflite")),
    }


@pytest.mark.parametrize("name", ["network", "closed form", "blend", "paper variant"])
def test_the_file_answers_as_the_saved_model_at_any_length(files, fleet, name):
    saved, lite = files[name]
    loaded = tf.saved_model.load(str(saved))
    serve, run = loaded.signatures["serving_default"], interpreter(lite).get_signature_runner()
    unseen = fleet.take(np.arange(48, 64)).values.copy()
    unseen[0, 3:40] = np.nan  # a gap
    unseen[1] = 20.1  # a sensor that is stuck
    unseen[2] = np.nan  # one that never measured
    unseen[3] *= 1e25
    for time in (96, 41, 7, 1):
        served = serve(readings=tf.constant(unseen[:, :time]))["probabilities"].numpy()
        mine = np.concatenate([run(readings=series[None, :time])["probabilities"] for series in unseen])
        np.testing.assert_allclose(mine, served, atol=1e-4, rtol=0, err_msg=f"{time} readings")
        assert mine.argmax(axis=1).tolist() == served.argmax(axis=1).tolist()


def test_a_fixed_length_takes_shorter_series_with_missing_readings_behind(files, fleet):
    """For runtimes that cannot resize: what a robust model says does not depend on the padding."""
    fixed = interpreter(files["network"][1])
    place = fixed.get_input_details()[0]["index"]
    fixed.resize_tensor_input(place, [1, 128])
    fixed.allocate_tensors()
    series = fleet.values[50:51]
    fixed.set_tensor(place, np.pad(series, ((0, 0), (0, 128 - series.shape[1])), constant_values=np.nan))
    fixed.invoke()
    free = interpreter(files["network"][1]).get_signature_runner()(readings=series)["probabilities"]
    np.testing.assert_allclose(fixed.get_tensor(fixed.get_output_details()[0]["index"]), free, atol=1e-5)


@pytest.mark.parametrize("name", ["network", "closed form", "blend", "paper variant"])
def test_only_ops_built_into_the_interpreter_are_used(files, name):
    ops = {op["op_name"] for op in interpreter(files[name][1])._get_ops_details()}
    assert not {op for op in ops if "flex" in op.lower() or "custom" in op.lower()}
    assert "FULLY_CONNECTED" in ops or "BATCH_MATMUL" in ops


def test_the_file_carries_class_names_and_threshold_where_unzip_finds_them(files, model):
    with zipfile.ZipFile(files["network"][1]) as archive:
        assert tuple(archive.read("labels.txt").decode().splitlines()) == model.class_names
        about = json.loads(archive.read("about.json"))
    assert (about["threshold"], about["precision"]) == (0.4, 0.9)


def test_the_client_for_gateways_says_what_the_server_says(solved, fleet, tmp_path, monkeypatch):
    """LiteRT's interpreter is TensorFlow's under another name."""
    threshold = float(np.median(predict(solved, fleet)["confidence"]))
    path = export_tflite(solved, tmp_path / "a.tflite", threshold=threshold)
    stand_in = ModuleType("ai_edge_litert.interpreter")
    stand_in.Interpreter = tf.lite.Interpreter
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", stand_in)
    client = runpy.run_path(str(Path(__file__).parents[2] / "serving" / "lite_client.py"))["SensorType"](str(path))
    some = fleet.take(np.arange(40, 64))
    expected = predict(solved, some, threshold=threshold)
    found = [client.label(series) for series in some.values]
    np.testing.assert_allclose([sure for _, sure in found], expected["confidence"], atol=1e-4)
    clear = np.abs(expected["confidence"] - threshold) > 1e-4
    labels = np.array([label for label, _ in found], object)
    assert labels[clear].tolist() == expected["label"][clear].tolist()
    assert "unknown" in labels
    assert client.label(np.full(5, np.nan, np.float32)) == ("", 0.0)


def test_a_model_that_reads_text_is_refused_in_one_line(language_model, tmp_path):
    with pytest.raises(InputError, match=r"reads readings as text .* no ops for text; train one without"):
        export_tflite(language_model(FromTable(trainable=False)), tmp_path / "a.tflite")
    assert list(tmp_path.iterdir()) == []


def test_a_layer_without_counterpart_is_refused_in_one_line(language_model, tmp_path):
    with pytest.raises(InputError, match=r"a\.tflite: a layer of the model has no counterpart in TFLite") as found:
        _converted(language_model(FromTable(trainable=False)), tmp_path / "a.tflite")
    assert "\n" not in str(found.value)


def test_another_ending_is_refused(quick_model, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.tflite"):
        export_tflite(quick_model, tmp_path / "model.lite")


def test_a_model_of_half_precision_is_written_in_float32(fleet, tmp_path):
    session = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = DeepFeatIoT(fleet.class_names, head="blend", kernels=64, branches=("statistics",))
    finally:
        keras.config.set_dtype_policy(session)
    model.compile()
    model.fit(fleet.to_dataset(), validation_data=fleet.to_dataset(), epochs=1, verbose=0)
    run = interpreter(export_tflite(model, tmp_path / "half.tflite")).get_signature_runner()
    found = np.concatenate([run(readings=series[None])["probabilities"] for series in fleet.values[:16]])
    np.testing.assert_allclose(found, model.predict(fleet.values[:16], verbose=0), atol=0.01)
