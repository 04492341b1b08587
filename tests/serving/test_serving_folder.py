"""The files in `serving/` belong to what is exported."""

import json
import re
import runpy
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import yaml

from deepfeatiot_tf import export_saved_model, predict

FOLDER = Path(__file__).parents[2] / "serving"


@pytest.fixture(scope="module")
def serve(exported):
    loaded = tf.saved_model.load(str(exported))
    signature = loaded.signatures["serving_default"]
    signature.owner = loaded
    return signature


@contextmanager
def rest_server(signatures):
    """Answers as TF Serving does in row format; gives the URL and the paths that were asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(self.path)
            signature = signatures[body.get("signature_name", "serving_default")]
            inputs = {
                name: tf.constant([each[name] for each in body["instances"]], spec.dtype)
                for name, spec in signature.structured_input_signature[1].items()
            }
            outputs = {name: value.numpy() for name, value in signature(**inputs).items()}
            rows = [{name: plain(v[i]) for name, v in outputs.items()} for i in range(len(body["instances"]))]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"predictions": rows}).encode())

        def log_message(self, *arguments):
            pass

    def plain(value):
        return value.decode() if isinstance(value, bytes) else value.tolist()

    running = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    running.server_close()


def write_table(path, readings, labelled=False):
    lines = ["id," + ("label," if labelled else "") + ",".join(f"r{i}" for i in range(readings.values.shape[1]))]
    for number, (name, series) in enumerate(zip(readings.ids, readings.values, strict=True)):
        label = [readings.labels[number]] if labelled else []
        lines.append(",".join([name, *label, *("" if np.isnan(x) else repr(float(x)) for x in series)]))
    path.write_text("\n".join(lines))


def test_the_documented_signature_is_the_exported_one(serve):
    table = re.findall(
        r"^\| (in|out) \| `(\w+)` \| (\w+) \| `\[(.*?)\]`", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    documented = {name: (dtype, len(shape.split(","))) for way, name, dtype, shape in table if way == "out"}
    outputs = {name: (spec.dtype.name, spec.shape.rank) for name, spec in serve.structured_outputs.items()}
    assert documented == outputs
    inputs = {name: spec.dtype.name for name, spec in serve.structured_input_signature[1].items()}
    assert inputs.items() <= {name: dtype for way, name, dtype, _ in table if way == "in"}.items()
    assert {name for way, name, *_ in table if way == "in"} == {"readings", "metadata", "metadata_embedding"}


def test_the_request_file_is_one_that_the_model_answers(serve):
    instances = json.loads((FOLDER / "request.json").read_text())["instances"]
    readings = np.array([each["readings"] for each in instances], np.float32)
    assert np.isnan(readings).any()
    assert (serve(readings=tf.constant(readings))["confidence"].numpy() > 0).all()


def test_the_rest_client_prints_what_the_model_says(serve, exported, fleet, tmp_path):
    short = fleet.take(np.arange(40))  # more than one request
    write_table(tmp_path / "fleet.csv", short)
    with rest_server({"serving_default": serve}) as (url, asked):
        command = [sys.executable, FOLDER / "rest_client.py", tmp_path / "fleet.csv", "--url", url, "--version", "1"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    labelled = predict(exported, short)
    assert [line.split(",")[:2] for line in printed[1:]] == labelled[["id", "label"]].to_numpy().tolist()
    assert asked == ["/v1/models/sensor_type/versions/1:predict"] * 2


def test_the_rest_client_has_a_table_named_beside_another(collective, tmp_path):
    classifier, beside, asked_about = collective
    write_table(tmp_path / "labelled.csv", beside, labelled=True)
    write_table(tmp_path / "fleet.csv", asked_about)
    loaded = tf.saved_model.load(str(export_saved_model(classifier, tmp_path / "sensor_type" / "1")))
    with rest_server(loaded.signatures) as (url, asked):
        command = [sys.executable, FOLDER / "rest_client.py", tmp_path / "fleet.csv", "--url", url]
        beside_labelled = [*command, "--beside", tmp_path / "labelled.csv"]
        printed = subprocess.run(beside_labelled, capture_output=True, text=True, check=True).stdout.splitlines()
        among = subprocess.run([*command, "--together"], capture_output=True, text=True, check=True).stdout.splitlines()
    names = np.array(classifier.model.class_names)
    told = names[classifier.predict(asked_about, beside=beside).argmax(axis=1)]
    assert [line.split(",")[0] for line in printed[1:]] == list(asked_about.ids)
    assert [line.split(",")[1] for line in printed[1:]] == list(told)
    assert [line.split(",")[1] for line in among[1:]] == list(names[classifier.predict(asked_about).argmax(axis=1)])
    assert len(asked) == 2


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    (tmp_path / "fleet.csv").write_text("id,r0\na,1\n")
    command = [sys.executable, FOLDER / "rest_client.py", tmp_path / "fleet.csv", "--url", "http://127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"http://127\.0\.0\.1:9: .*refused.*\n", done.stderr)


def test_the_grpc_client_gets_what_the_model_says(serve, fleet):
    """Against a server with TF Serving's own service definition, where `tensorflow-serving-api` is there."""
    pytest.importorskip("tensorflow_serving")
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):  # noqa: N802
            assert request.model_spec.name == "sensor_type"
            answer = predict_pb2.PredictResponse()
            for name, value in serve(readings=tf.constant(tf.make_ndarray(request.inputs["readings"]))).items():
                answer.outputs[name].CopyFrom(tf.make_tensor_proto(value.numpy()))
            return answer

    running = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), running)
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    try:
        found = runpy.run_path(str(FOLDER / "grpc_client.py"))["label"](fleet.values[:3], f"127.0.0.1:{port}")
    finally:
        running.stop(0)
    expected = serve(readings=tf.constant(fleet.values[:3]))
    assert found["label"].tolist() == expected["label"].numpy().tolist()
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-6)


def test_compose_mounts_files_that_are_there_and_the_model_where_its_config_looks(exported):
    service = yaml.safe_load((FOLDER / "docker-compose.yml").read_text())["services"]["serving"]
    mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
    assert all((FOLDER / place).exists() for place in mounts if not place.endswith("sensor_type"))
    config = (FOLDER / "models.config").read_text()
    assert f'base_path: "{mounts["./sensor_type"]}"' in config
    assert f'name: "{exported.parent.name}"' in config  # as the warm-up requests call it
    flags = dict(flag.split("=") for flag in service["command"])
    assert flags["--model_config_file"] == mounts["./models.config"]
    assert {f"{flags[name]}:{flags[name]}" for name in ("--port", "--rest_api_port")} == set(service["ports"])
    batching = yaml.safe_load((FOLDER / "docker-compose.batching.yml").read_text())["services"]["serving"]["command"]
    assert batching[: len(service["command"])] == service["command"]
    assert batching[-1] == f"--batching_parameters_file={mounts['./batching.config']}"


def test_batches_are_not_padded_because_padding_would_be_taken_for_readings():
    assert re.search(r"^pad_variable_length_inputs: false$", (FOLDER / "batching.config").read_text(), re.MULTILINE)


def test_nan_at_the_end_of_a_series_changes_no_answer_so_clients_may_pad(serve, fleet):
    padded = np.pad(fleet.values, ((0, 0), (0, 37)), constant_values=np.nan)
    plain, longer = (serve(readings=tf.constant(values))["probabilities"] for values in (fleet.values, padded))
    np.testing.assert_allclose(plain, longer, atol=1e-5)
