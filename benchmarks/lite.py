"""What a gateway needs: size of the `.tflite` file, time and memory to answer one series, beside the SavedModel.

Every measurement runs in a process of its own, on one thread, that has the runtime and the file and nothing of this
library: `ai-edge-litert` where the Python given has it (TensorFlow is then not imported), else TensorFlow's own
interpreter. Writes one row per model, runtime and length of the series.

    python -m venv litert && litert/bin/pip install ai-edge-litert
    python benchmarks/lite.py --lite-python litert/bin/python
    python benchmarks/lite.py --kernels 100 --lengths 168 --series 20 -o lite.csv
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from common import RESULTS, write_table

TRAINING_SENSORS = 800
LENGTHS = (168, 1000)

# Prints as JSON: milliseconds of each series, the likeliest class of each, and the peak memory in MB (Linux).
LITE = """
import json, sys, time
import numpy as np
try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    import tensorflow as tf
    Interpreter = tf.lite.Interpreter
run = Interpreter(sys.argv[1], num_threads=1).get_signature_runner()
answer = lambda series: run(readings=series[None])["probabilities"][0]
"""
SAVED = """
import json, sys, time
sys.modules["keras"] = None
import numpy as np
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
loaded = tf.saved_model.load(sys.argv[1])
serve = loaded.signatures["serving_default"]
answer = lambda series: serve(readings=tf.constant(series[None]))["probabilities"].numpy()[0]
"""
MEASURE = """
readings = np.load(sys.argv[2])
for series in readings[:5]:
    answer(series)
milliseconds, classes = [], []
for series in readings:
    start = time.perf_counter()
    probabilities = answer(series)
    milliseconds.append(1e3 * (time.perf_counter() - start))
    classes.append(int(probabilities.argmax()))
# Not ru_maxrss, which begins with that of the process that started this one.
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"ms": milliseconds, "classes": classes, "peak": peak, "tensorflow": "tensorflow" in sys.modules}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lite-python", default=sys.executable, help="Python with ai-edge-litert")
    parser.add_argument("--kernels", type=int, default=10_000, help="random kernels of the models")
    parser.add_argument("--lengths", type=int, nargs="+", default=list(LENGTHS), help="of the series")
    parser.add_argument("--series", type=int, default=200, help="to time")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "lite.csv")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (lite, saved) in export(Path(folder), options.kernels).items():
            for length in options.lengths:
                rows += compare(name, lite, saved, length, Path(folder), options)
    write_table([{**row, "kernels": options.kernels} for row in rows], options.output)


def export(work: Path, kernels: int) -> dict[str, tuple[Path, Path]]:
    """A `.tflite` file and a SavedModel of each kind of model."""
    import deepfeatiot_tf as dfi

    fleet = dfi.simulate_fleet(TRAINING_SENSORS, seed=1, length=168)
    solved = dfi.DeepFeatIoT(fleet.class_names, head="closed_form", kernels=kernels)
    solved.compile()
    solved.fit(fleet.to_dataset(), verbose=0, feature_cache=work / "features")
    # What a network costs does not depend on its training.
    network = dfi.DeepFeatIoT(fleet.class_names, head="mlp", kernels=kernels)
    models = {"closed-form head": solved, "full network": network}
    return {
        name: (dfi.export_tflite(model, work / f"{i}.tflite"), dfi.export_saved_model(model, work / str(i) / "1"))
        for i, (name, model) in enumerate(models.items())
    }


def compare(name: str, lite: Path, saved: Path, length: int, work: Path, options: argparse.Namespace) -> list[dict]:
    """A row for each of the two."""
    from deepfeatiot_tf import simulate_fleet

    fleet = simulate_fleet(options.series, length=length, start=TRAINING_SENSORS, missing=0.05)
    np.save(work / "readings.npy", fleet.values)
    of_lite = measured(options.lite_python, LITE, lite, work / "readings.npy")
    of_saved = measured(sys.executable, SAVED, saved, work / "readings.npy")
    same = float(np.mean(np.array(of_lite["classes"]) == of_saved["classes"]))
    runtime = "TensorFlow Lite interpreter" if of_lite["tensorflow"] else "LiteRT, without TensorFlow"
    sizes = {lite: lite.stat().st_size, saved: sum(each.stat().st_size for each in saved.rglob("*") if each.is_file())}
    rows = []
    for what, path, found in ((runtime, lite, of_lite), ("SavedModel, TensorFlow", saved, of_saved)):
        quantiles = {f"p{q}_ms": float(np.percentile(found["ms"], q)) for q in (50, 99)}
        row = {"model": name, "runtime": what, "length": length, "size_mb": sizes[path] / 1e6, **quantiles}
        rows.append({**row, "peak_rss_mb": found["peak"], "same_labels": same})
        print(rows[-1], flush=True)
    return rows


def measured(python: str, opening: str, model: Path, readings: Path) -> dict:
    environment = {**os.environ, "PYTHONPATH": ""}
    command = [python, "-c", opening + MEASURE, model, readings]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
