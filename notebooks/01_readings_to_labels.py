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
# # From raw readings to labels
#
# A fleet of sensors has lost its metadata: what does each of them measure? This notebook reads a fleet, looks at it, trains
# `DeepFeatIoT` on it twice with plain Keras calls, looks at what it gets wrong, and exports it for TF Serving.
#
# It uses the Swiss experiment data (SwissEx) of the paper where the file is at hand (`DEEPFEATIOT_DATA`), and a simulated fleet
# otherwise. Everything takes about two minutes on two CPU cores.

# %%
import logging
import os
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
logging.getLogger("tensorflow").setLevel(logging.ERROR)

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, Markdown

import deepfeatiot_tf as dfi

if os.environ.get("DEEPFEATIOT_DATA"):
    readings = dfi.load_dataset("swiss")
else:
    readings = dfi.simulate_fleet(480)
readings

# %% [markdown]
# ## A first look
# One series per class. Units and levels differ by orders of magnitude, and a level is often the best hint there is: nothing
# here is normalised away.

# %%
columns = 4
rows = -(-len(readings.class_names) // columns)
figure, axes = plt.subplots(rows, columns, figsize=(12, 2.0 * rows), layout="constrained", squeeze=False)
for axis, name in zip(axes.flat, readings.class_names, strict=False):
    axis.plot(readings.values[readings.labels == name][0], linewidth=0.8)
    axis.set_title(f"{name} ({np.sum(readings.labels == name)})", fontsize=9)
for axis in axes[-1]:
    axis.set_xlabel("reading")
for axis in axes.flat[len(readings.class_names) :]:
    axis.remove()

# %% [markdown]
# ## Three parts
# Stratified by class; exact duplicates stay on one side; the test part is used once, at the end.

# %%
train, val, test = dfi.split(readings, seed=0)
len(train), len(val), len(test)

# %% [markdown]
# ## Frozen features, solved in closed form
# Random kernels and summary statistics never learn. `fit` computes them once per series and solves a linear head on them: no
# epochs, a few seconds.

# %%
solved = dfi.DeepFeatIoT(readings.class_names, head="closed_form")
solved.compile()
solved.fit(train.to_dataset(), verbose=0)
solved.evaluate(val.to_dataset(), verbose=0, return_dict=True)

# %% [markdown]
# ## The same features in the paper's network
# The dense feature transform (DFT) and the perceptron train by gradient. This is an ordinary Keras model with ordinary callbacks;
# the learned branches (`"local"`, `"global"`) are left out here, because their epochs take minutes on a CPU.

# %%
network = dfi.DeepFeatIoT(readings.class_names, branches=("randomized", "statistics"))
network.compile()
checkpoint = dfi.RunCheckpoint(patience=15)
history = network.fit(
    train.to_dataset(shuffle=True), validation_data=val.to_dataset(), epochs=40, callbacks=[checkpoint], verbose=0
)
figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
axis.plot(history.history["accuracy"], label="training")
axis.plot(history.history["val_accuracy"], label="validation")
axis.axvline(checkpoint.best_epoch, color="grey", linestyle=":", label="kept")
axis.set_xlabel("epoch")
axis.set_ylabel("accuracy")
_ = axis.legend()
# %% [markdown]
# ## Which one?
# Decided on the validation part, before the test part is looked at.

# %%
on_validation = {model.name + ", " + model.head: dfi.evaluate(model, val).metrics for model in (solved, network)}
{name: round(metrics["accuracy"], 3) for name, metrics in on_validation.items()}

# %%
best = max((solved, network), key=lambda model: dfi.evaluate(model, val).metrics["accuracy"])
report = dfi.evaluate(best, test)
Markdown(report.to_markdown({"protocol": "honest"}))

# %% [markdown]
# ## What it gets wrong
# Most confidently wrong first: often the label is what is wrong.

# %%
folder = Path(tempfile.mkdtemp())
report.save(folder / "report")
Image(folder / "report" / "misread.png")

# %%
Image(folder / "report" / "confusion.png")

# %% [markdown]
# ## Save, load, export
# One file for Keras, one folder for TF Serving: raw readings in, labels out, nothing but TensorFlow needed to run it.

# %%
import tensorflow as tf

best.save(folder / "sensor_type.keras")
loaded = dfi.load_model(folder / "sensor_type.keras")
version = dfi.export_saved_model(loaded, folder / "serving" / "sensor_type" / "1")
served = tf.saved_model.load(version).signatures["serving_default"]
answer = served(readings=tf.constant(test.values[:3]))
{name: value.numpy().tolist() for name, value in answer.items() if name != "probabilities"}
