"""Ask TF Serving over gRPC what sensors measure: smaller messages than REST, and NaN is a number like others.

pip install tensorflow-serving-api
python serving/grpc_client.py localhost:8500
"""

import sys

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def label(readings: np.ndarray, address: str, model: str = "sensor_type") -> dict[str, np.ndarray]:
    """What each series measures, by the names of the signature's outputs.

    Args:
        readings: float32 `[series, time]`; NaN for missing.
        address: of the server, `host:8500`.
        model: its name.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "serving_default"
    request.inputs["readings"].CopyFrom(tf.make_tensor_proto(readings, tf.float32))
    with grpc.insecure_channel(address) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = service.Predict(request, timeout=60)
    return {name: tf.make_ndarray(tensor) for name, tensor in answer.outputs.items()}


if __name__ == "__main__":
    day = 20 + 5 * np.sin(np.linspace(0, 14 * np.pi, 168, dtype=np.float32))
    day[10:13] = np.nan
    found = label(day[None], sys.argv[1] if len(sys.argv) > 1 else "localhost:8500")
    print(found["label"][0].decode(), f"{found['confidence'][0]:.3f}")
