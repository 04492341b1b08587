import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from deepfeatiot_tf import InputError, LanguageFeatures, export_saved_model
from deepfeatiot_tf.serving import export
from deepfeatiot_tf.serving.class_names import read_class_names
from deepfeatiot_tf.serving.warmup import WARMUP_FILE
from tests.reference.small_gpt2 import write_folder

# What a client has: TensorFlow and the folder.
BARE = """
import sys
sys.modules["keras"] = sys.modules["deepfeatiot_tf"] = None  # to import them is an error
import numpy as np
import tensorflow as tf

serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answers = {}
for name, readings in np.load(sys.argv[2]).items():
    for output, value in serve(readings=tf.constant(readings)).items():
        answers[f"{name}/{output}"] = value.numpy()
np.savez(sys.argv[3], **answers)
"""


def served_in_a_bare_process(folder, readings, tmp_path, bare=BARE):
    np.savez(tmp_path / "in.npz", **readings)
    command = [sys.executable, "-I", "-c", bare, folder, tmp_path / "in.npz", tmp_path / "out.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.load(tmp_path / "out.npz", allow_pickle=True)


def test_readings_become_text_and_tokens_in_the_server(language_model, tmp_path):
    layer = LanguageFeatures.from_pretrained(write_folder(tmp_path / "small"), readings=6)
    model = language_model(layer)
    export_saved_model(model, tmp_path / "serving" / "1")
    readings = np.array([[21.5, np.nan, -0.25, 1e20, 1e-7], [np.nan] * 5], np.float32)
    served = served_in_a_bare_process(tmp_path / "serving" / "1", {"readings": readings}, tmp_path)
    live = model.predict(readings, verbose=0)
    np.testing.assert_allclose(served["readings/probabilities"], live, atol=1e-5)


def test_a_server_without_keras_and_us_answers_as_the_live_model_for_any_batch_and_length(
    model, exported, tmp_path, rng
):
    gaps = rng.normal(20, 5, (7, 300)).astype(np.float32)
    gaps[rng.random(gaps.shape) < 0.3] = np.nan
    gaps[3] = np.nan  # a series without readings
    readings = {
        "gaps": gaps,
        "short": rng.normal(size=(300, 1)).astype(np.float32),
        "one": gaps[:1],
        "huge": np.full((7, 1), 1e30, np.float32),
    }
    nothing = {"nothing": np.zeros((2, 0), np.float32)}
    answers = served_in_a_bare_process(exported, {**readings, **nothing}, tmp_path)
    names = np.array(model.class_names)
    for name, values in readings.items():
        live = np.asarray(model.predict_on_batch({"readings": values}))
        served = answers[f"{name}/probabilities"]
        np.testing.assert_allclose(served, live, atol=1e-5, rtol=0, err_msg=name)
        np.testing.assert_allclose(served.sum(axis=1), 1.0, atol=1e-5)
        measured = np.isfinite(values).any(axis=1)
        np.testing.assert_array_equal(
            answers[f"{name}/label"].astype(str), np.where(measured, names[served.argmax(axis=1)], "")
        )
        np.testing.assert_array_equal(
            answers[f"{name}/confidence"], np.where(measured, served.max(axis=1), np.float32(0))
        )
        second = np.sort(served, axis=1)[:, -2]
        np.testing.assert_array_equal(
            answers[f"{name}/runner_up_confidence"], np.where(measured, second, np.float32(0))
        )
    assert answers["nothing/label"].tolist() == [b"", b""]
    np.testing.assert_allclose(answers["nothing/probabilities"].sum(axis=1), 1.0, atol=1e-5)


def test_the_graph_holds_nothing_that_a_plain_server_lacks(exported):
    saved = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    ops = sorted({node.op for node in nodes})
    assert "MatMul" in ops  # the functions are looked into
    bound = ("xla", "cudnn", "pyfunc", "tensorrt", ">")  # a > stands in the names of other libraries' ops
    assert [op for op in ops if any(word in op.lower() for word in bound)] == []
    assert all("_XlaMustCompile" not in part.attr for part in [*nodes, *graph.library.function])
    assert {node.device for node in nodes if "GPU" in node.device} == set()


def test_variables_are_stored_once(model, exported):
    stored = (exported / "variables" / "variables.data-00000-of-00001").stat().st_size
    weights = sum(np.asarray(variable).nbytes for variable in model.variables)
    assert stored < 1.1 * weights


def test_the_folder_is_named_and_filled_as_tf_serving_wants_it(model, exported):
    assert exported.name == "1"
    assert read_class_names(exported / "assets" / "labels.txt") == model.class_names
    assert {each.name for each in exported.iterdir()} >= {"saved_model.pb", "variables", "assets.extra"}
    assert [each.name for each in exported.parent.iterdir()] == ["1"]


def test_the_server_warms_up_on_the_readings_that_were_given(quick_model, tmp_path):
    readings = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, 6.0]], np.float32)
    folder = export_saved_model(quick_model, tmp_path / "sensor_type" / "1", warmup=readings)
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(folder / "assets.extra/tf_serving_warmup_requests"))]
    assert [readings[:1].tobytes() in records[0], readings.tobytes() in records[1]] == [True, True]


def test_the_folder_of_a_model_takes_the_next_version(quick_model, tmp_path):
    (tmp_path / "sensor_type" / "7").mkdir(parents=True)
    (tmp_path / "sensor_type" / "notes").mkdir()
    assert export_saved_model(quick_model, tmp_path / "sensor_type") == tmp_path / "sensor_type" / "8"


def test_a_version_that_exists_is_never_written_over(quick_model, exported):
    before = (exported / "saved_model.pb").read_bytes()
    with pytest.raises(InputError, match="this version exists"):
        export_saved_model(quick_model, exported)
    assert (exported / "saved_model.pb").read_bytes() == before


def test_the_live_model_keeps_xla_and_cudnn_after_export(model, exported):
    layers = list(model._flatten_layers())
    assert {layer.jit_compile for layer in layers if layer.name == "random_kernels"} == {True}
    assert {layer.use_cudnn for layer in layers if hasattr(layer, "use_cudnn")} == {"auto"}


def test_a_full_disk_leaves_no_half_version_that_a_server_would_load(quick_model, tmp_path, monkeypatch):
    def fill(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "write_warmup", fill)
    with pytest.raises(InputError, match=r"sensor_type/1: cannot be written .*No space left"):
        export_saved_model(quick_model, tmp_path / "sensor_type" / "1")
    assert list((tmp_path / "sensor_type").iterdir()) == []


def test_a_file_in_place_of_the_folder_is_said_in_one_line(quick_model, tmp_path):
    (tmp_path / "serving").write_text("")
    with pytest.raises(InputError, match="serving"):
        export_saved_model(quick_model, tmp_path / "serving" / "1")


@keras.saving.register_keras_serializable("tests")
class InPython(keras.layers.Layer):
    def call(self, readings):
        means = tf.numpy_function(lambda x: x.mean(axis=1, keepdims=True), [readings], tf.float32)
        return tf.ensure_shape(means, [None, 1])

    def compute_output_shape(self, shape):
        return (shape[0], 1)


def test_a_branch_that_needs_python_is_refused_and_leaves_nothing(language_model, tmp_path):
    with pytest.raises(InputError, match="cannot be served: its graph holds PyFunc"):
        export_saved_model(language_model(InPython(trainable=False)), tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


@keras.saving.register_keras_serializable("tests")
class FromTable(keras.layers.Layer):
    def build(self, shape):
        source = tf.lookup.KeyValueTensorInitializer([0, 1], [-2.5, 2.5], tf.int64, tf.float32)
        self.table = tf.lookup.StaticHashTable(source, 0.0)

    def call(self, readings):
        return self.table.lookup(tf.cast(readings[:, :1] > 0, tf.int64))

    def compute_output_shape(self, shape):
        return (shape[0], 1)


def test_lookup_tables_of_a_branch_are_served_with_it(language_model, tmp_path):
    model = language_model(FromTable(trainable=False))
    folder = export_saved_model(model, tmp_path / "1")
    readings = np.array([[3.0], [-3.0]], np.float32)
    served = tf.saved_model.load(str(folder)).signatures["serving_default"](readings=tf.constant(readings))
    np.testing.assert_allclose(served["probabilities"], model({"readings": readings}), atol=1e-6)
    assert not np.allclose(served["probabilities"][0], served["probabilities"][1])


def test_label_names_survive_as_they_are(quick_model, tmp_path):
    names = ("Temperatur °C", "湿度", " two  words\t", *quick_model.class_names[3:])
    quick_model.class_names = names
    folder = export_saved_model(quick_model, tmp_path / "1")
    assert read_class_names(folder / "assets" / "labels.txt") == names
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    labels = serve(readings=tf.random.stateless_normal([200, 8], [0, 0], 10.0, 30.0))["label"].numpy()
    assert {label.decode() for label in labels} <= set(names)


@pytest.mark.parametrize("names", [(), ("", "b"), ("a\nb", "c"), ("a\r", "c")])
def test_class_names_that_are_no_lines_of_text_are_refused(quick_model, names, tmp_path):
    quick_model.class_names = names
    with pytest.raises(InputError, match="class"):
        export_saved_model(quick_model, tmp_path / "1")
    assert list(Path(tmp_path).iterdir()) == []


def test_a_table_is_named_together_without_us(collective, tmp_path):
    classifier, beside, asked_about = collective
    folder = export_saved_model(classifier, tmp_path / "sensor_type" / "1", together_threshold=0.9)
    values = np.concatenate([beside.values, asked_about.values])
    known = np.array([*beside.labels[:-1], f" {beside.labels[-1]}", *[" "] * len(asked_about)])
    bare = BARE.replace("serving_default", "together").replace(
        "serve(readings=tf.constant(readings))",
        "serve(readings=tf.constant(readings), known_label=tf.constant([each.encode() for each in KNOWN]))",
    )
    served = served_in_a_bare_process(folder, {"table": values}, tmp_path, bare.replace("KNOWN", repr(list(known))))
    probabilities = served["table/probabilities"]
    np.testing.assert_allclose(probabilities[80:], classifier.predict(asked_about, beside=beside), atol=1e-5)
    assert json.loads((folder / "assets.extra" / "about.json").read_text())["together"] == {"threshold": 0.9}
    labels = served["table/label"].astype(str)
    assert list(labels[:80]) == list(beside.labels)
    np.testing.assert_array_equal(labels[80:] == "unknown", probabilities[80:].max(axis=1) < 0.9)
    alone = tf.saved_model.load(str(folder)).signatures["serving_default"](readings=tf.constant(asked_about.values))
    np.testing.assert_allclose(
        alone["probabilities"], classifier.model.predict(asked_about.values, verbose=0), atol=1e-5
    )


def test_a_label_that_the_model_does_not_know_is_an_error(collective, tmp_path):
    classifier, beside, _ = collective
    folder = export_saved_model(classifier, tmp_path / "sensor_type" / "1")
    together = tf.saved_model.load(str(folder)).signatures["together"]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"known_label has a label.*wind"):
        together(readings=tf.constant(beside.values[:2]), known_label=tf.constant(["wind", ""]))


def test_a_class_name_may_begin_with_a_space(collective, tmp_path, monkeypatch):
    classifier, beside, _ = collective
    names = (f" {classifier.model.class_names[0]}", *classifier.model.class_names[1:])
    for model in (classifier.model, classifier.second):
        monkeypatch.setattr(model, "class_names", names)
    folder = export_saved_model(classifier, tmp_path / "sensor_type" / "1")
    together = tf.saved_model.load(str(folder)).signatures["together"]
    told = together(readings=tf.constant(beside.values[:2]), known_label=tf.constant([names[0], f"{names[1]} "]))
    assert [each.decode() for each in told["label"].numpy()] == list(names[:2])


def test_a_request_of_no_sensors_gets_no_answers(collective, tmp_path):
    classifier, beside, _ = collective
    folder = export_saved_model(classifier, tmp_path / "sensor_type" / "1")
    together = tf.saved_model.load(str(folder)).signatures["together"]
    assert together(readings=tf.constant(beside.values[:0]), known_label=tf.constant([], tf.string))["label"].shape == (
        0,
    )


def test_where_all_sensors_are_labelled_there_is_nothing_to_ask(collective, tmp_path):
    classifier, beside, _ = collective
    folder = export_saved_model(classifier, tmp_path / "sensor_type" / "1", together_threshold=1.0)
    signatures = tf.saved_model.load(str(folder)).signatures
    told = signatures["together"](readings=tf.constant(beside.values), known_label=tf.constant(list(beside.labels)))
    assert [each.decode() for each in told["label"].numpy()] == list(beside.labels)
    assert set(told["confidence"].numpy()) == {1.0}  # which a threshold of 1 lets pass


def test_a_server_tries_both_ways_of_asking(collective, tmp_path):
    folder = export_saved_model(collective[0], tmp_path / "sensor_type" / "1")
    records = [each.numpy() for each in tf.data.TFRecordDataset(str(folder / WARMUP_FILE))]
    assert [b"together" in each for each in records] == [False, False, True, True]
    assert [b"known_label" in each for each in records] == [False, False, True, True]


def test_what_else_the_export_says_does_not_replace_its_threshold(quick_model, tmp_path):
    about = {"threshold": 0.9, "precision": 0.95}
    folder = export_saved_model(quick_model, tmp_path / "1", threshold=0.2, about=about)
    told = json.loads((folder / "assets.extra" / "about.json").read_text())
    assert (told["threshold"], told["precision"]) == (0.2, 0.95)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"together_threshold": 0.9}, "together_threshold is of a CollectiveClassifier"),
        ({"warmup": np.zeros(24, np.float32)}, r"warmup has the shape \[24\]; give readings \[batch, time\]"),
    ],
)
def test_options_that_the_export_has_no_use_for_are_refused(quick_model, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        export_saved_model(quick_model, tmp_path / "1", **options)
    assert not list(tmp_path.iterdir())
