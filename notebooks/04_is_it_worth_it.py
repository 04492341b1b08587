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
# # 4. Is it worth it for this fleet?
#
# A model with four branches is worth its cost only where something simpler does less well. This notebook lets several systems learn and
# answer the same splits of one fleet: trees on summary statistics, `DeepFeatIoT` with a solved head, the same with one branch
# left out (ablation), a network on the frozen features, and the whole network. Then it asks what the difference is, whether it
# is more than chance, and what it costs.
#
# The fleet is Iowa where the file is at hand, a simulated one otherwise, cut down to `SERIES` sensors of each type so that all of it
# takes about a minute on two cores. Figures for whole data sets are in [docs/results.md](../docs/results.md).

# %%
import json
import os
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.significance import paired_difference
from deepfeatiot_tf.evaluation.system_entry import Training
from deepfeatiot_tf.peers import PEERS

SERIES = 24
SEEDS = range(3)  # of the quick systems: one split each
NETWORK_SEEDS, NETWORK_EPOCHS = range(1), 4  # of the whole network, which takes a second or two an epoch

on_disk = dfi.list_datasets().set_index("name")["path"]
readings = dfi.load_dataset("iowa") if on_disk["iowa"] else dfi.simulate_fleet(960)
readings = readings.take(
    np.concatenate([np.flatnonzero(readings.labels == name)[:SERIES] for name in readings.class_names])
)
tf.get_logger().setLevel("ERROR")  # it counts how many models there are
print("data:", readings)

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A8A8A"  # Okabe and Ito, and grey

# %% [markdown]
# ## Systems
# A system is anything that learns from labelled readings and gives probabilities: a Keras model in a `KerasSystem`, a scikit-learn
# classifier in an `EstimatorSystem`. Neither a solved head nor a network whose learning rate falls to nothing over its epochs
# chooses anything on validation data, so they may learn from that part, too.

# %%
FROZEN = ("randomized", "statistics")


def solved(**options):
    def build(class_names, seed):
        model = dfi.DeepFeatIoT(class_names, head="closed_form", seed=seed, **options)
        model.compile()
        return model

    return dfi.KerasSystem(build, epochs=1, selects=False)


def by_gradient(epochs, **options):
    def build(class_names, seed):
        model = dfi.DeepFeatIoT(class_names, head="mlp", seed=seed, **options)
        model.compile()
        return model

    return dfi.KerasSystem(build, epochs=epochs, selects=False)


WHOLE = "DeepFeatIoT, solved"
systems = {
    "statistics + extra trees": PEERS["statistics-trees"].build(Training()),
    WHOLE: solved(branches=FROZEN),
    "… without random kernels": solved(branches=("statistics",)),
    "… without statistics": solved(branches=("randomized",)),
    "network on frozen features": by_gradient(10, branches=FROZEN),
    "whole network": by_gradient(NETWORK_EPOCHS, branches=("local", "global", *FROZEN)),
}

# %% [markdown]
# ## The same splits for all
# Each seed draws its own 70/30 split and trains afresh. Nothing is chosen on the test part. Every finished cell goes into the table,
# so a broken run goes on where it was, and more seeds later cost only themselves.

# %%
table = Path(tempfile.mkdtemp(), "cells.csv")
for name, system in systems.items():
    seeds = NETWORK_SEEDS if name == "whole network" else SEEDS
    dfi.run_protocol(system, readings, name=name, splits="resample", seeds=seeds, table=table)
cells = pd.read_csv(table)
summary = cells.groupby("system", sort=False)[["accuracy", "macro_f1", "log_loss", "fit_seconds"]].mean().round(3)
summary.insert(0, "cells", cells.groupby("system").size())
summary

# %% [markdown]
# `fit_seconds` of the solved heads contain the random kernels only where those were not computed before: features are kept on disk.

# %%
figure, axis = plt.subplots(figsize=(8, 3.6), layout="constrained")
for place, (name, part) in enumerate(cells.groupby("system", sort=False)):
    colour = BLUE if "solved" in name or "…" in name else ORANGE if "network" in name else GREY
    jitter = np.linspace(-0.15, 0.15, len(part)) if len(part) > 1 else [0]
    axis.scatter(100 * part["accuracy"], place + np.array(jitter), s=24, color=colour, alpha=0.8, linewidth=0)
    axis.vlines(100 * part["accuracy"].mean(), place - 0.3, place + 0.3, color=colour, linewidth=2)
axis.set_yticks(range(len(systems)), systems)
axis.invert_yaxis()
axis.grid(axis="x", alpha=0.3)
_ = axis.set_xlabel("accuracy on the test part (%): a dot per split, a bar for the mean")

# %% [markdown]
# Dots of one row scatter because the splits differ, not because the systems are erratic: a split that is hard for one is hard for
# all. So compare split by split.

# %% [markdown]
# ## More than chance?
# The difference to the whole solved model on the same splits, and Student's 95 % interval of its mean. An interval across zero: these
# splits do not tell the two apart. One split has no interval at all.

# %%
wide = cells.pivot_table(index="seed", columns="system", values="accuracy")
rows = {}
for name in systems:
    if name != WHOLE:
        both = wide[[WHOLE, name]].dropna()
        rows[name] = paired_difference(both[name], both[WHOLE])._asdict()
differences = pd.DataFrame(rows).T
figure, axis = plt.subplots(figsize=(8, 3.2), layout="constrained")
axis.axvline(0, color=GREY, linewidth=1)
mean, low, high = (100 * differences[key].to_numpy(float) for key in ("mean", "low", "high"))
axis.hlines(range(len(mean)), low, high, color=BLUE, linewidth=1.5)
axis.scatter(mean, range(len(mean)), color=BLUE, zorder=3)
axis.set_yticks(range(len(mean)), [f"{name} ({int(n)})" for name, n in zip(rows, differences["pairs"], strict=True)])
axis.invert_yaxis()
axis.grid(axis="x", alpha=0.3)
axis.set_xlabel(f"accuracy less that of “{WHOLE}” (points), 95 % interval")
axis.set_ylabel("system (splits)")
(100 * differences[["mean", "low", "high"]]).round(1).assign(pairs=differences["pairs"].astype(int))

# %% [markdown]
# ## What it costs
# Seconds on this machine, with whatever else ran on it, so they are upper bounds.

# %%
okabe = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7")
figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
for (name, part), colour, marker in zip(cells.groupby("system", sort=False), okabe, "^osPDX", strict=True):
    x, y = part["fit_seconds"].median(), 100 * part["accuracy"].mean()
    axis.scatter(x, y, s=60, color=colour, marker=marker, label=name)
axis.set_xscale("log")
axis.margins(0.12)
axis.grid(alpha=0.3, which="both")
axis.set_xlabel("time of a fit (s, median, log scale)")
axis.set_ylabel("accuracy, mean over splits (%)")
_ = axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)

# %% [markdown]
# ## Where do they differ?
# A mean hides which types gain. F1 by type of three of the systems, mean over the splits.

# %%
shown = ("statistics + extra trees", WHOLE, "network on frozen features")
by_class = {
    name: pd.DataFrame([json.loads(each) for each in cells.loc[cells["system"] == name, "f1_by_class"]]).mean()
    for name in shown
}
by_class = 100 * pd.DataFrame(by_class).reindex(readings.class_names)
figure, axis = plt.subplots(figsize=(8, 0.34 * len(by_class) + 1.2), layout="constrained")
for name, colour, marker in zip(shown, (GREY, BLUE, ORANGE), "dos", strict=True):
    size, face = (110, "none") if colour == GREY else (36, colour)
    axis.scatter(
        by_class[name], range(len(by_class)), s=size, facecolor=face, edgecolor=colour, marker=marker, label=name
    )
axis.set_yticks(range(len(by_class)), by_class.index)
axis.invert_yaxis()
axis.grid(axis="x", alpha=0.3)
axis.set_xlabel("F1 (%), mean over splits")
_ = axis.legend(fontsize=8, loc="lower left")

# %% [markdown]
# ## For this fleet
# - The solved model and extra trees on its statistics are not told apart by three splits of this size. More sensors and more
#   seeds would: see [docs/results.md](../docs/results.md).
# - Statistics are what carries it here; taking them away costs many points, taking the kernels away costs next to none.
# - Networks trained by gradient, on a hundred-odd series and for a few epochs: that on frozen features is behind, which three splits do
#   not tell from chance; the whole one lies far behind and takes longest. Whether they gain on more data or more epochs, this
#   notebook does not show: raise the numbers of epochs, or run
#   `deepfeatiot benchmark --data iowa --systems deepfeatiot deepfeatiot-network statistics-trees -o results/`.
# - Types are what a mean hides: trees and solved model make nearly all of their errors among the three temperatures.
#
# Next: [notebook 5](05_export_and_serve.ipynb) puts a model to work.
