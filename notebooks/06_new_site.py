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
# # 6. A new site with few labels
#
# A model was trained at one site. Another site measures the same things with other devices, in other units, and somebody has
# labelled a handful of its sensors. What helps most: the old model as it is, fine-tuning its head, fine-tuning all of it, or training
# anew? The notebook draws the accuracy at the new site over the number of labels per type, for each of these ways.
#
# The old site is Iowa (°F, inches of mercury) and the new one Swiss (°C, other pressures), reduced to the four types that both
# have, where the files are at hand; two simulated fleets otherwise. Few draws of labelled sensors and few kernels
# keep it to about a minute on two cores.

# %%
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

import deepfeatiot_tf as dfi
from deepfeatiot_tf.comparison.common_types import over_common_types

LABELS, DRAWS = (1, 3, 7), 2
EPOCHS, KERNELS = 20, 2_000

on_disk = dfi.list_datasets().set_index("name")["path"]
if on_disk["iowa"] and on_disk["swiss"]:
    old, new = over_common_types(dfi.load_dataset("iowa"), dfi.load_dataset("swiss"))
else:
    old, new = dfi.simulate_fleet(480, seed=0), dfi.simulate_fleet(240, seed=1)
types = old.class_names
tf.get_logger().setLevel("ERROR")  # it counts how many models there are
print("old site:", old, "\nnew site:", new)

colours = ("#8A8A8A", "#56B4E9", "#0072B2", "#E69F00", "#D55E00")  # grey, and Okabe and Ito

# %% [markdown]
# ## The two sites
# The level of each sensor. What the old site taught about levels does not hold at the new one.

# %%
rng = np.random.default_rng(0)
figure, axis = plt.subplots(figsize=(8, 0.5 * len(types) + 1.4), layout="constrained")
for site, name, colour, offset in ((old, "old site", "#0072B2", -0.17), (new, "new site", "#D55E00", 0.17)):
    place = site.label_indices + offset + rng.uniform(-0.1, 0.1, len(site))
    axis.scatter(np.nanmedian(site.values, axis=1), place, s=10, color=colour, alpha=0.5, linewidth=0, label=name)
axis.set_yticks(range(len(types)), types)
axis.invert_yaxis()
axis.set_xscale("symlog", linthresh=10)
axis.margins(x=0.06)
axis.set_xlabel("median of a sensor's readings, in its own unit (log scale, linear below 10)")
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
_ = axis.grid(axis="x", alpha=0.3)

# %% [markdown]
# Half of the new site is tested on; the labelled sensors are drawn from the other half.

# %%
pool, _, test = dfi.split(new, seed=0, test=0.5, validation=0)
pd.DataFrame({"pool": pd.Series(pool.labels).value_counts(), "test": pd.Series(test.labels).value_counts()}).reindex(
    types
)

# %% [markdown]
# ## The old model
# Random kernels and statistics, each with its dense transform, and a perceptron, trained by gradient at the old site. The learned
# branches are left out to keep the time; `"local"` and `"global"` among the branches bring them in, and everything below goes the
# same way.

# %%
train, val, _ = dfi.split(old, seed=0, test=0.01)
network = dfi.DeepFeatIoT(types, head="mlp", branches=("randomized", "statistics"), kernels=KERNELS)
network.compile()
network.fit(train.to_dataset(shuffle=True), epochs=EPOCHS, verbose=0)
learned_at_old_site = network.get_weights()


def features_of(part):
    """Frozen features, which no training changes, computed once."""
    found = {f"{branch}_features": model.predict(part.values, verbose=0) for branch, model in network.frozen.items()}
    return {"readings": part.values, **found}


def accuracy(model, features, part):
    return np.mean(model.predict(features, verbose=0).argmax(axis=1) == part.label_indices)


val_features, test_features = features_of(val), features_of(test)
print(f"validation part of the old site: {accuracy(network, val_features, val):.1%}")
print(f"new site, as it is:              {accuracy(network, test_features, test):.1%}")

# %% [markdown]
# ## Freeze, unfreeze
# In Keras a layer is frozen by `trainable = False`, before `compile`. The standardization of the features stays that of the old
# site: it was taken by the first `fit`.

# %%
HEAD = ("head_128", "head_64", "logits")


def make_trainable(which):
    for layer in network.network.layers:
        layer.trainable = which == "all" or layer.name in HEAD


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


for which in ("head", "all"):
    make_trainable(which)
    print(f"{which}: {count(network.trainable_variables):,} weights are trained")

# %% [markdown]
# The random kernels themselves and the statistics are no layers of `network.network`, so they stay frozen whatever is done here.

# %% [markdown]
# ## Ways to use a few labels
# The same draws for each way. Learning rates and numbers of steps were set beforehand, not tuned.
#
# 1. *old network, head tuned*: all else frozen, 40 steps at 1e-3;
# 2. *old network, all tuned*: 20 steps at 3e-4;
# 3. *solved on the new labels*: closed-form head, the new labels alone;
# 4. *solved on old and new*: closed-form head on the old site's training part and the new labels together.


# %%
def draw(labels, seed):
    order = np.random.default_rng(seed).permutation(len(pool))
    return pool.take(np.concatenate([order[pool.labels[order] == name][:labels] for name in types]))


def together(one, other):
    return dfi.SensorReadings(
        np.concatenate([one.values, other.values]),
        labels=[*one.labels, *other.labels],
        class_names=types,
        name="both sites",
    )


def solved(part):
    model = dfi.DeepFeatIoT(types, head="closed_form", kernels=KERNELS)
    model.compile()
    model.fit(part.to_dataset(), verbose=0)
    return model


draws = [(labels, seed, draw(labels, seed)) for labels in LABELS for seed in range(DRAWS)]
rows = []
for way, which, rate, steps in (
    ("old network, head tuned", "head", 1e-3, 40),
    ("old network, all tuned", "all", 3e-4, 20),
):
    make_trainable(which)
    network.compile(optimizer=keras.optimizers.Adam(rate))
    fresh = [variable.numpy() for variable in network.optimizer.variables]
    for labels, seed, part in draws:
        network.set_weights(learned_at_old_site)
        for variable, value in zip(network.optimizer.variables, fresh, strict=True):
            variable.assign(value)
        network.fit(part.to_dataset(batch_size=len(part)), epochs=steps, verbose=0)
        rows.append((way, labels, seed, accuracy(network, test_features, test), accuracy(network, val_features, val)))
for labels, seed, part in draws:
    for way, learned_from in (("solved on the new labels", part), ("solved on old and new", together(train, part))):
        model = solved(learned_from)
        rows.append((way, labels, seed, accuracy(model, test_features, test), accuracy(model, val_features, val)))
found = pd.DataFrame(rows, columns=["way", "labels per type", "draw", "new site", "old site"])
100 * found.pivot_table(index="way", columns="labels per type", values="new site", sort=False).round(3)

# %%
network.set_weights(learned_at_old_site)
as_it_is = {"new site": accuracy(network, test_features, test), "old site": accuracy(network, val_features, val)}
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
for axis, site in zip(axes, as_it_is, strict=True):
    axis.axhline(100 * as_it_is[site], color=colours[0], linestyle=":", label="old network as it is")
    for (way, part), colour, marker in zip(found.groupby("way", sort=False), colours[1:], "osv^", strict=True):
        curve = 100 * part.groupby("labels per type")[site].agg(["mean", "min", "max"])
        axis.plot(curve.index, curve["mean"], color=colour, marker=marker, label=way)
        axis.fill_between(curve.index, curve["min"], curve["max"], color=colour, alpha=0.15, linewidth=0)
    axis.set_xticks(LABELS)
    axis.set_xlabel("labels per type from the new site")
    axis.set_title({"new site": "new site, test half", "old site": "old site, validation part"}[site], fontsize=10)
    axis.grid(alpha=0.3)
axes[0].set_ylabel(f"accuracy (%): mean, range of {DRAWS} draws")
axes[0].set_ylim(0, 103)
_ = axes[1].legend(loc="lower right", fontsize=8)

# %% [markdown]
# Lines are means over so few draws that only large gaps count.
#
# - *As it is*, the old network is right for a third of the new site's sensors: their units and devices are others.
# - *One label* per type helps at once. A head solved on the new labels alone gains most from it; the old site's data beside them are
#   no help yet, as they say otherwise about levels.
# - *Seven labels* per type: both solved heads are right for more than nine sensors of ten and ahead of the networks. With the old
#   site's data one of them also keeps the old site; with the new labels alone it does not know it.
# - *Tuning* keeps most of what the network knew of the old site. With one label and with three it is behind solving a head, with seven closer.
#   Whether the head alone or all weights are tuned makes no difference that these draws could tell; the numbers of steps were not tuned.
#
# So, before fine-tuning a network for a new site, solve a head on all the labels there are: it takes seconds. Which way to take is
# to be decided by cross-validation over the labelled sensors, not by these curves, which are of the test half.
