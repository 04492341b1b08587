"""Models that read metadata, served: with the text in the graph, and with embeddings from the client."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from deepfeatiot_tf import DeepFeatIoT, InputError, SensorReadings, TextFeatures, export_saved_model, predict
from tests.reference.small_bert import WIDTH, write_folder
from tests.serving.test_export import BARE, served_in_a_bare_process

TEXTS = np.array(["temp °c", "", "  ", "Umidità [%]", "hum", "湿", "temp °c"], object)


@pytest.fixture(scope="module")
def readings():
    values = np.random.default_rng(0).normal(20, 5, (7, 30)).astype(np.float32)
    values[2:4] = np.nan  # one of them without metadata, too
    return SensorReadings(values, metadata=TEXTS, name="told")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    encoder = TextFeatures.from_pretrained(write_folder(tmp_path_factory.mktemp("bert") / "small"))
    return DeepFeatIoT(["humidity", "temperature", "wind"], branches=("statistics",), head="mlp", text_encoder=encoder)


@pytest.fixture(scope="module")
def served(reader, tmp_path_factory):
    return export_saved_model(reader, tmp_path_factory.mktemp("serving") / "sensor_type" / "1")


def probabilities(model, readings):
    return np.asarray(model.predict(readings.to_dataset(), verbose=0))


def test_a_server_without_keras_and_us_reads_the_text_as_the_live_model(reader, served, readings, tmp_path):
    bare = BARE.replace("readings=tf.constant(readings)", "readings=tf.constant(readings), metadata=tf.constant(TEXTS)")
    bare = bare.replace("answers = {}", f"TEXTS = {[text.encode() for text in TEXTS]}\nanswers = {{}}")
    answers = served_in_a_bare_process(served, {"all": readings.values}, tmp_path, bare)
    live = probabilities(reader, readings)
    np.testing.assert_allclose(answers["all/probabilities"], live, atol=1e-5)
    known = np.array([True, True, False, True, True, True, True])
    names = np.array(reader.class_names)[live.argmax(axis=1)]
    np.testing.assert_array_equal(answers["all/label"].astype(str), np.where(known, names, ""))


def test_no_op_of_another_library_is_needed(served):
    saved = saved_model_pb2.SavedModel.FromString((served / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    bound = ("xla", "cudnn", "pyfunc", ">", "wordpiece", "regexsplit", "casefold", "normalizeutf8")
    assert not [node.op for node in nodes if any(word in node.op.lower() for word in bound)]


def test_an_export_that_takes_embeddings_has_no_encoder_and_answers_alike(reader, served, readings, tmp_path):
    slim = export_saved_model(reader, tmp_path / "slim" / "1", embeddings=True)
    loaded = tf.saved_model.load(str(slim))
    embedding = reader.text_encoder(tf.constant(list(TEXTS)))
    assert embedding.shape[1] == WIDTH
    answers = loaded.signatures["serving_default"](readings=tf.constant(readings.values), metadata_embedding=embedding)
    np.testing.assert_allclose(answers["probabilities"], probabilities(reader, readings), atol=1e-5)
    assert answers["label"].numpy()[2] == b""
    weights = [(folder / "variables" / "variables.data-00000-of-00001").stat().st_size for folder in (slim, served)]
    assert weights[0] < weights[1]
    with pytest.raises(InputError, match="takes embeddings of metadata"):
        predict(slim, readings)


def test_an_export_that_takes_embeddings_takes_the_text_for_its_ngrams(reader, readings, tmp_path):
    solved = DeepFeatIoT(reader.class_names, branches=("statistics",), text_encoder=reader.text_encoder)
    loaded = tf.saved_model.load(str(export_saved_model(solved, tmp_path / "1", embeddings=True)))
    answers = loaded.signatures["serving_default"](
        readings=tf.constant(readings.values),
        metadata=tf.constant(list(TEXTS)),
        metadata_embedding=reader.text_encoder(tf.constant(list(TEXTS))),
    )
    np.testing.assert_allclose(answers["probabilities"], probabilities(solved, readings), atol=1e-5)


def test_ngrams_are_served_without_us_and_are_no_embedding(readings, tmp_path):
    model = DeepFeatIoT(["humidity", "temperature", "wind"], branches=("statistics",), text_encoder="ngrams")
    with pytest.raises(InputError, match="has no text encoder"):
        export_saved_model(model, tmp_path / "slim", embeddings=True)
    folder = export_saved_model(model, tmp_path / "serving" / "1")
    bare = BARE.replace("readings=tf.constant(readings)", "readings=tf.constant(readings), metadata=tf.constant(TEXTS)")
    bare = bare.replace("answers = {}", f"TEXTS = {[text.encode() for text in TEXTS]}\nanswers = {{}}")
    answers = served_in_a_bare_process(folder, {"all": readings.values}, tmp_path, bare)
    np.testing.assert_allclose(answers["all/probabilities"], probabilities(model, readings), atol=1e-5)


def test_labels_are_those_of_the_live_model_and_empty_only_where_nothing_is_known(reader, served, readings):
    live, exported = predict(reader, readings), predict(served, readings, batch_size=3)
    assert live[["id", "label", "runner_up"]].equals(exported[["id", "label", "runner_up"]])
    assert (live["label"] == "").tolist() == [False, False, True, False, False, False, False]


def test_without_metadata_there_are_labels_where_there_are_readings(reader, readings):
    bare = SensorReadings(readings.values)
    blank = SensorReadings(readings.values, metadata=[""] * len(readings))
    assert predict(reader, bare).equals(predict(reader, blank))


def test_warm_up_requests_hold_what_the_signature_takes(served):
    record = next(iter(tf.data.TFRecordDataset(str(served / "assets.extra/tf_serving_warmup_requests")))).numpy()
    assert b"metadata" in record
    assert b"readings" in record


def test_embeddings_need_a_model_that_reads_metadata(quick_model, tmp_path):
    with pytest.raises(InputError, match="reads no metadata"):
        export_saved_model(quick_model, tmp_path / "1", embeddings=True)
