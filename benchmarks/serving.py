"""What labelling costs: throughput and memory against the number of sensors, and latency of one request.

Writes a table with one row per measurement. Every measurement runs in a process of its own: peak memory is a
process's, and a server has neither Keras nor this library in memory.

    python benchmarks/serving.py
    python benchmarks/serving.py --rows 200 400 --kernels 100 --requests 20 --output serving.csv
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from common import RESULTS, write_table

LENGTH = 168
TRAINING_SENSORS = 800

# What a client has: TensorFlow and the folder. Prints the milliseconds of each request.
SERVED = """
import sys, time
sys.modules["keras"] = None
import numpy as np
import tensorflow as tf

serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
readings = tf.constant(np.load(sys.argv[2])[:1])
for _ in range(10):
    serve(readings=readings)
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    serve(readings=readings)["label"].numpy()
    print(1e3 * (time.perf_counter() - start))
"""


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _run(["--step", "train", "--work", folder, "--kernels", str(options.kernels)])
        results = []
        for rows in options.rows:
            _write_fleet(work / "fleet.csv", rows)
            for how, model in (("model", "model.keras"), ("saved_model", "served/sensor_type/1")):
                found = _run(["--step", "label", "--work", folder, "--model", model])
                results.append({"measurement": f"predict_table of the {how}", "rows": rows, **found})
                print(results[-1], flush=True)
            (work / "fleet.csv").unlink()
        results.append({"measurement": "one request to the saved_model", "rows": 1, **_latency(work, options)})
        print(results[-1], flush=True)
    write_table([{**each, "length": LENGTH, "kernels": options.kernels} for each in results], options.output)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 50_000], help="sizes of the fleet")
    parser.add_argument("--kernels", type=int, default=10_000, help="random kernels of the model")
    parser.add_argument("--requests", type=int, default=300, help="single requests to time")
    parser.add_argument("--output", type=Path, default=RESULTS / "serving.csv")
    for internal in ("--step", "--work", "--model"):
        parser.add_argument(internal, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        steps = {"train": _train, "label": _label}
        steps[options.step](Path(options.work), options)
        sys.exit()
    return options


def _run(arguments: list[str]) -> dict:
    """This script's step in a process of its own; what its last line says."""
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _train(work: Path, options: argparse.Namespace) -> None:
    import deepfeatiot_tf as dfi

    fleet = dfi.simulate_fleet(TRAINING_SENSORS, seed=1, length=LENGTH)
    model = dfi.DeepFeatIoT(
        fleet.class_names, branches=("randomized", "statistics"), head="closed_form", kernels=options.kernels
    )
    model.compile()
    model.fit(fleet.to_dataset(), verbose=0, feature_cache=work / "features")
    model.save(work / "model.keras")
    dfi.export_saved_model(model, work / "served" / "sensor_type" / "1", warmup=fleet.values[:32])
    print(json.dumps({}))


def _write_fleet(path: Path, rows: int) -> None:
    from deepfeatiot_tf import simulate_fleet

    for start in range(0, rows, 10_000):
        fleet = simulate_fleet(min(10_000, rows - start), length=LENGTH, start=start)
        frame = pd.DataFrame(fleet.values, columns=[f"reading_{i}" for i in range(LENGTH)])
        frame.insert(0, "sensor", fleet.ids)
        frame.to_csv(path, mode="a", header=start == 0, index=False, float_format="%.7g")


def _label(work: Path, options: argparse.Namespace) -> None:
    import deepfeatiot_tf as dfi

    model = work / options.model
    started = time.perf_counter()
    opened = dfi.load_model(model) if model.suffix == ".keras" else model
    parts: list[tuple[float, int]] = []
    dfi.predict_table(
        opened,
        work / "fleet.csv",
        work / "labelled.csv",
        id="sensor",
        progress=lambda done: parts.append((time.perf_counter(), done)),
    )
    (first_at, first), (last_at, last) = parts[0], parts[-1]
    found = {
        "seconds": time.perf_counter() - started,
        # Once the model is open, traced and compiled.
        "series_per_second": (last - first) / (last_at - first_at) if last > first else None,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def _latency(work: Path, options: argparse.Namespace) -> dict:
    import numpy as np

    from deepfeatiot_tf import simulate_fleet

    np.save(work / "request.npy", simulate_fleet(1, length=LENGTH, missing=0.1).values)
    folder = work / "served" / "sensor_type" / "1"
    command = [sys.executable, "-I", "-c", SERVED, folder, work / "request.npy", str(options.requests)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    milliseconds = np.array([float(line) for line in done.stdout.split()])
    return {f"p{q}_ms": float(np.percentile(milliseconds, q)) for q in (50, 99)}


if __name__ == "__main__":
    main()
