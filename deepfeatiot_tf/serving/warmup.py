"""Requests that TF Serving runs itself before it takes traffic, so that no client waits for the first one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

WARMUP_FILE = Path("assets.extra", "tf_serving_warmup_requests")

# The fields of TF Serving's messages that a request needs, under their numbers there (model.proto,
# predict.proto and prediction_log.proto in `tensorflow_serving/apis/`). The package tensorflow-serving-api
# has them all, for the price of gRPC and a pinned TensorFlow. A message and its bytes look alike on the
# wire: TensorProto is `bytes` here.
_SCHEMA = """
name: "warmup.proto" package: "tensorflow.serving" syntax: "proto3"
message_type {
  name: "ModelSpec"
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "signature_name" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL }
}
message_type {
  name: "PredictRequest"
  field {
    name: "model_spec" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
    type_name: ".tensorflow.serving.ModelSpec"
  }
  field {
    name: "inputs" number: 2 type: TYPE_MESSAGE label: LABEL_REPEATED
    type_name: ".tensorflow.serving.PredictRequest.InputsEntry"
  }
  nested_type {
    name: "InputsEntry"
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_BYTES label: LABEL_OPTIONAL }
    options { map_entry: true }
  }
}
message_type {
  name: "PredictLog"
  field {
    name: "request" number: 1 type: TYPE_MESSAGE label: LABEL_OPTIONAL
    type_name: ".tensorflow.serving.PredictRequest"
  }
}
message_type {
  name: "PredictionLog"
  field {
    name: "predict_log" number: 6 type: TYPE_MESSAGE label: LABEL_OPTIONAL
    type_name: ".tensorflow.serving.PredictLog"
  }
}
"""


def write_warmup(folder: Path, name: str, requests: list[tuple[str, dict[str, np.ndarray]]]) -> None:
    """Put warm-up requests into the SavedModel `folder`.

    Args:
        folder: of the SavedModel.
        name: of the model, as the server knows it.
        requests: of each, the signature that it calls, and the value of each input.
    """
    path = folder / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in requests:
            file.write(prediction_log(name, signature, inputs))


def prediction_log(name: str, signature: str, inputs: dict[str, np.ndarray]) -> bytes:
    """A PredictionLog message of one request."""
    # A pool of its own: the default one may hold the messages of tensorflow-serving-api.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(_SCHEMA, descriptor_pb2.FileDescriptorProto()))
    log = message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.serving.PredictionLog"))()
    request = log.predict_log.request
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    for key, value in inputs.items():
        request.inputs[key] = tf.make_tensor_proto(value).SerializeToString()
    return log.SerializeToString(deterministic=True)
