"""An exported folder behind KServe's model server, whose V1 protocol is TF Serving's REST predict protocol.

Run by `rest.py`, in an environment with TensorFlow and KServe and nothing of this library.

    python benchmarks/rest_server.py serving/sensor_type/1 --port 8501
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

sys.modules["keras"] = sys.modules["deepfeatiot_tf"] = None  # to import them is an error

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from kserve import Model, ModelServer  # noqa: E402


class SensorType(Model):
    """The signature of the folder, asked in row format; `null` is a missing reading, for KServe's JSON has no NaN."""

    def __init__(self, folder: str, threads: int) -> None:
        super().__init__("sensor_type")
        self.loaded = tf.saved_model.load(folder)
        self.serve = self.loaded.signatures["serving_default"]
        self.workers = ThreadPoolExecutor(threads)
        self.ready = True

    async def predict(self, payload: dict, headers: dict | None = None, response_headers: dict | None = None) -> dict:
        return await asyncio.get_running_loop().run_in_executor(self.workers, self.answer, payload)

    def answer(self, payload: dict) -> dict:
        readings = np.array([each["readings"] for each in payload["instances"]], np.float32)
        outputs = {name: value.numpy() for name, value in self.serve(readings=tf.constant(readings)).items()}
        return {"predictions": [{name: plain(v[i]) for name, v in outputs.items()} for i in range(len(readings))]}


def plain(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value.tolist()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    server = ModelServer(http_port=options.port, enable_grpc=False, enable_latency_logging=False)
    server.start([SensorType(options.folder, options.threads)])
