"""Requests over REST under load: how many a second, how long each takes, what they leave in memory, how many fail.

The exported folder answers behind KServe's model server on loopback, whose V1 protocol is TF Serving's REST predict
protocol (no binary of TF Serving itself runs here). KServe has dependencies that this library's environment does not go
with: give it one of its own.

    python -m venv kserve && kserve/bin/pip install 'kserve==0.21.*' 'tensorflow==2.21.*'
    python benchmarks/rest.py --server-python kserve/bin/python
    python benchmarks/rest.py --server-python kserve/bin/python --kernels 100 --requests 200 -o rest.csv

Every label is compared with what the folder says in this process. 3,600 requests are an hour of one a second. Writes
one row per number of concurrent clients; memory is the server's resident set (Linux), read from the kernel.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, write_table

LENGTH = 168
TRAINING_SENSORS = 800
ASKED = 256  # different series, in turn
PLACE = "/v1/models/sensor_type:predict"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server-python", default=sys.executable, help="Python of the environment with KServe")
    parser.add_argument("--kernels", type=int, default=10_000, help="random kernels of the model")
    parser.add_argument("--requests", type=int, default=3600, help="of each load")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8], help="concurrent connections")
    parser.add_argument("--series", type=int, default=1, help="of one request")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "rest.csv")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        version = export(work, options.kernels)
        requests = write_requests(version, work / "requests.jsonl", options.series)
        server = Server(options.server_python, version)
        try:
            rows = [load(server, requests, clients, options) for clients in options.clients]
        finally:
            server.stop()
    write_table(rows, options.output)


def export(work: Path, kernels: int) -> Path:
    """A trained model, exported."""
    import deepfeatiot_tf as dfi

    fleet = dfi.simulate_fleet(TRAINING_SENSORS, seed=1, length=LENGTH)
    model = dfi.DeepFeatIoT(fleet.class_names, head="closed_form", kernels=kernels)
    model.compile()
    model.fit(fleet.to_dataset(), verbose=0, feature_cache=work / "features")
    return dfi.export_saved_model(model, work / "serving" / "sensor_type" / "1", threshold=0.5)


def write_requests(version: Path, path: Path, series: int) -> list[tuple[bytes, list[str]]]:
    """Request bodies in TF Serving's row format, gaps as null, and the labels that the folder gives in this process.

    They are written as a file, a request a line, and read back: what is sent is what a file holds.
    """
    import deepfeatiot_tf as dfi

    fleet = dfi.simulate_fleet(ASKED, length=LENGTH, start=TRAINING_SENSORS, missing=0.05)
    labels = dfi.predict(version, fleet)["label"].tolist()
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, ASKED, series):
            part = fleet.values[start : start + series]
            rows = [[None if np.isnan(x) else round(float(x), 4) for x in values] for values in part]
            body = {"signature_name": "serving_default", "instances": [{"readings": row} for row in rows]}
            file.write(json.dumps(body) + "\n")
    bodies = path.read_bytes().splitlines()
    return [(body, labels[i * series : (i + 1) * series]) for i, body in enumerate(bodies)]


class Server:
    """The server's process, once it answers."""

    def __init__(self, python: str, version: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        script = Path(__file__).with_name("rest_server.py")
        environment = {**os.environ, "PYTHONPATH": ""}
        command = [python, script, version, "--port", str(self.port)]
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        for _ in range(600):
            if self.process.poll() is not None:
                self.log.seek(0)
                sys.exit(f"the server ended before it answered: {self.log.read().decode()[-2000:]}")
            try:
                self.get()
                return
            except OSError:
                time.sleep(0.2)
        sys.exit("the server does not answer")

    def get(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", "/v1/models/sensor_type")
        connection.getresponse().read()

    @property
    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


def load(server: Server, requests: list[tuple[bytes, list[str]]], clients: int, options: argparse.Namespace) -> dict:
    """Send the requests over so many connections at once."""
    ask(server.port, requests[:20])
    before = server.memory_mb
    share = [list(islice(cycle(requests), i, options.requests, clients)) for i in range(clients)]
    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = [each for part in pool.map(lambda mine: ask(server.port, mine), share) for each in part]
    seconds = time.perf_counter() - started
    milliseconds = np.array([each for each, _, _ in found])
    row = {
        "server": "KServe, V1 protocol",
        "clients": clients,
        "requests": len(found),
        "series_per_request": options.series,
        "length": LENGTH,
        "kernels": options.kernels,
        "requests_per_second": len(found) / seconds,
        **{f"p{q}_ms": float(np.percentile(milliseconds, q)) for q in (50, 99)},
        "errors": sum(status != 200 for _, status, _ in found),
        "other_labels": sum(other for _, _, other in found),
        "memory_before_mb": before,
        "memory_after_mb": server.memory_mb,
    }
    print(row, flush=True)
    return row


def ask(port: int, requests: list[tuple[bytes, list[str]]]) -> list[tuple[float, int, int]]:
    """Of each request over one connection: milliseconds, HTTP status, labels other than expected."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    found = []
    for body, labels in requests:
        started = time.perf_counter()
        connection.request("POST", PLACE, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        milliseconds = 1e3 * (time.perf_counter() - started)
        said = [each["label"] for each in json.loads(text)["predictions"]] if answer.status == 200 else []
        found.append((milliseconds, answer.status, sum(a != b for a, b in zip(said, labels, strict=False))))
    connection.close()
    return found


if __name__ == "__main__":
    main()
