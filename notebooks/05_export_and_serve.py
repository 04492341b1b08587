# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5. Export and serve
#
# From a trained model to a folder that TF Serving takes as it is: raw readings in, labels out, with nothing of this library at the
# other end. The notebook exports a model, looks at what was written, answers a request in TF Serving's REST format from the
# exported folder in a process that has TensorFlow and nothing else, and puts a second version beside the first.
#
# What is *not* run here: TF Serving itself, which comes as a Docker image. Commands for it are shown, and marked as not run. What its
# REST server does with a request, parse JSON, call the signature, write JSON, is done by ten lines of Python instead.
#
# The data are Swiss (an Alpine sensor network, eleven types) where the file is at hand, and a simulated fleet otherwise.

# %%
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

import deepfeatiot_tf as dfi

on_disk = dfi.list_datasets().set_index("name")["path"]
readings = dfi.load_dataset("swiss") if on_disk["swiss"] else dfi.simulate_fleet(320)
train, val, test = dfi.split(readings, seed=0)
tf.get_logger().setLevel("ERROR")
print("data:", readings)

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A8A8A"  # Okabe and Ito, and grey
os.chdir(tempfile.mkdtemp())

# %% [markdown]
# ## Train, save, export
# The `.keras` file is for those who go on training; the exported folder is for those who serve.

# %%
model = dfi.DeepFeatIoT(readings.class_names, head="closed_form")
model.compile()
model.fit(train.to_dataset(), verbose=0)
model.save("sensor_type.keras")
version = dfi.export_saved_model(model, "serving/sensor_type/1", warmup=train.values[:16])
for path in sorted(path for path in Path("serving").rglob("*") if path.is_file()):
    print(f"{path.stat().st_size / 1e6:8.3f} MB  {path}")

# %% [markdown]
# `serving/sensor_type` is the model, `1` its version. A server that watches the folder loads a version as soon as it is there, so it is
# written under another name and renamed when it is whole.

# %% [markdown]
# ## The signature
# What a client has to know. Batch and number of readings are free; `labels.txt` has the classes in the order of `probabilities`.

# %%
signature = tf.saved_model.load(version).signatures["serving_default"]
inputs = signature.structured_input_signature[1]
rows = [("input", name, spec.dtype.name, list(spec.shape)) for name, spec in inputs.items()]
rows += [("output", name, spec.dtype.name, list(spec.shape)) for name, spec in signature.structured_outputs.items()]
pd.DataFrame(rows, columns=["", "name", "dtype", "shape"])

# %%
print((version / "assets" / "labels.txt").read_text())

# %% [markdown]
# ## The same answers
# What is served is what was trained: the exported graph fills, scales and extracts features by itself.

# %%
served = signature(readings=tf.constant(test.values))
live = model.predict(test.to_dataset(), verbose=0)
print("largest difference of a probability:", np.abs(served["probabilities"].numpy() - live).max())
print(
    "same labels:",
    np.array_equal(np.char.decode(served["label"].numpy().astype(bytes)), dfi.predict(model, test)["label"]),
)

# %% [markdown]
# Other lengths, gaps, a single reading, nothing at all. Of a sensor without any reading nothing is known, so it has no label.

# %%
cases = {
    "the first day": test.values[:1, :24],
    "every fifth reading missing": np.where(np.arange(test.values.shape[1]) % 5 == 0, np.nan, test.values[:1]),
    "one reading": test.values[:1, :1],
    "no reading": np.full((1, 24), np.nan, np.float32),
}
answers = {what: signature(readings=tf.constant(values, tf.float32)) for what, values in cases.items()}
pd.DataFrame(
    {
        what: {"label": each["label"].numpy()[0].decode(), "confidence": round(float(each["confidence"][0]), 3)}
        for what, each in answers.items()
    }
).T.assign(truth=test.labels[0])

# %% [markdown]
# Any length is answered, for better or worse. Confidences were fitted on whole series; on a single reading they mean little.

# %% [markdown]
# ## A request in TF Serving's REST format
# Rows of one request have the same length; shorter series end in `NaN`. TF Serving takes the bare word `NaN`, which Python's `json`
# writes, though strict JSON has no such number.

# %%
few = test.take(range(3))
Path("request.json").write_text(
    json.dumps({"signature_name": "serving_default", "instances": few.values.astype(float).round(3).tolist()})
)
print(Path("request.json").read_text()[:180], "…")

# %% [markdown]
# A process with TensorFlow alone answers it. It stands for the server: it is started without this library on its path, and says
# which modules it has loaded.

# %%
stand_in = """
import json, sys
import tensorflow as tf
request = json.load(open("request.json"))
signature = tf.saved_model.load(sys.argv[1]).signatures[request["signature_name"]]
found = {name: value.numpy().tolist() for name, value in signature(tf.constant(request["instances"], tf.float32)).items()}
text = lambda value: value.decode() if isinstance(value, bytes) else value
rows = [dict(zip(found, map(text, row))) for row in zip(*found.values())]
json.dump({"predictions": rows}, open("response.json", "w"), indent=1)
print("of this library:", [name for name in sys.modules if name.startswith("deepfeatiot")])
"""
Path("stand_in.py").write_text(stand_in)
bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
done = subprocess.run(
    [sys.executable, "stand_in.py", str(version)], capture_output=True, text=True, env=bare, check=True
)
print(done.stdout)
response = json.loads(Path("response.json").read_text())
print(json.dumps(response["predictions"][0], indent=1))
print("truth:", *few.labels)

# %% [markdown]
# ## Commands for a server (not run here)
#
# ```bash
# docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD/serving/sensor_type:/models/sensor_type" \
#     -e MODEL_NAME=sensor_type tensorflow/serving
#
# curl http://localhost:8501/v1/models/sensor_type                 # is it there, which versions?
# curl -d @request.json http://localhost:8501/v1/models/sensor_type:predict
# ```
#
# In Python, with the standard library (not run either):

# %%
client = '''
import json
from urllib.request import Request, urlopen

def label(readings, url="http://localhost:8501/v1/models/sensor_type:predict"):
    """A label for each row of readings [batch, time], NaN for missing."""
    body = json.dumps({"instances": [[float(value) for value in row] for row in readings]}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=10) as answer:
        return [row["label"] for row in json.load(answer)["predictions"]]
'''
compile(client, "client.py", "exec")  # it is Python, at least
print(client)

# %% [markdown]
# ## Warm-up
# The first request of each kind is slow, because TensorFlow prepares the graph then. The folder carries requests that TF Serving runs
# itself before it takes traffic; here the same is done by hand.

# %%
with_requests = version / "assets.extra" / "tf_serving_warmup_requests"
print(sum(1 for _ in tf.data.TFRecordDataset(str(with_requests))), "requests in", with_requests)


def milliseconds(call, values):
    start = time.perf_counter()
    call(readings=tf.constant(values))
    return 1000 * (time.perf_counter() - start)


fresh = tf.saved_model.load(version).signatures["serving_default"]
alone = [milliseconds(fresh, test.values[i : i + 1]) for i in range(41)]
figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
axis.plot(range(1, len(alone) + 1), alone, color=BLUE, marker="o", markersize=4, linewidth=0.8)
axis.set_yscale("log")
axis.set_xlabel("request number, one series each, after loading")
axis.set_ylabel("time of the answer (ms)")
axis.grid(alpha=0.3, which="both")
print(f"first {alone[0]:.0f} ms, then {np.median(alone[1:]):.1f} ms (median of {len(alone) - 1})")

# %% [markdown]
# ## Batches
# A server that gathers requests into batches answers more of them per second, up to some size of the batch, and each of them later.

# %%
sizes = (1, 2, 4, 8, 16, 32, 64)
times = []
for size in sizes:
    batch = np.resize(test.values, (size, test.values.shape[1]))
    milliseconds(fresh, batch)
    times.append(min(milliseconds(fresh, batch) for _ in range(7)))
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
left.plot(sizes, times, color=BLUE, marker="o")
left.set_ylabel("time of a batch (ms, best of 7)")
right.plot(sizes, 1000 * np.array(sizes) / times, color=ORANGE, marker="s")
right.set_ylabel("series per second")
for axis in (left, right):
    axis.set_xscale("log", base=2)
    axis.set_xticks(sizes, sizes)
    axis.set_ylim(0)
    axis.set_xlabel("series in the batch")
    axis.grid(alpha=0.3)

# %% [markdown]
# ## A rolling update
# A second version, with other random kernels, trained on the validation part as well. Named by the folder of the model,
# it becomes the next version beside the first, which goes on serving.

# %%
both = dfi.SensorReadings(
    np.concatenate([train.values, val.values]),
    ids=[*train.ids, *val.ids],
    labels=[*train.labels, *val.labels],
    class_names=readings.class_names,
)
successor = dfi.DeepFeatIoT(readings.class_names, head="closed_form", seed=1)
successor.compile()
successor.fit(both.to_dataset(), verbose=0)
second = dfi.export_saved_model(successor, "serving/sensor_type", warmup=train.values[:16])
print(sorted(str(path) for path in Path("serving/sensor_type").iterdir()))

# %% [markdown]
# Before traffic goes over: do both say the same, on readings without labels, as they come from the field? (Here: the test part,
# whose labels are not looked at.)

# %%
old, new = dfi.predict(version, test), dfi.predict(second, test)
print(f"{np.mean(old['label'] == new['label']):.1%} of {len(test)} sensors have the same label")
figure, axis = plt.subplots(figsize=(4.4, 4), layout="constrained")
same = (old["label"] == new["label"]).to_numpy()
axis.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
axis.scatter(old["confidence"][same], new["confidence"][same], s=20, color=BLUE, label=f"same label ({same.sum()})")
axis.scatter(
    old["confidence"][~same],
    new["confidence"][~same],
    s=40,
    color=ORANGE,
    marker="s",
    label=f"another ({(~same).sum()})",
)
axis.set_xlabel("confidence of version 1")
axis.set_ylabel("confidence of version 2")
_ = axis.legend(loc="lower right")

# %% [markdown]
# TF Serving loads the newest version and drops the one before when the new one is ready. To keep both, and to go back without a
# copy, tell it which (not run here):
#
# ```
# model_config_list { config {
#   name: "sensor_type"  base_path: "/models/sensor_type"  model_platform: "tensorflow"
#   model_version_policy { specific { versions: 1 versions: 2 } }
#   version_labels { key: "stable" value: 1 }
#   version_labels { key: "canary" value: 2 }
# } }
# ```
#
# Clients then ask `/v1/models/sensor_type/labels/stable:predict`, or `/versions/2:predict`. Switching is a change of one number in this
# file. A version that exists is never overwritten:

# %%
try:
    dfi.export_saved_model(successor, "serving/sensor_type/1")
except dfi.InputError as error:
    print(error)
