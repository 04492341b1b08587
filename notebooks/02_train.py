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
# # 2. Train, and look inside
#
# `DeepFeatIoT` is an ordinary Keras model. This notebook trains it twice with plain `compile` and `fit`, once with a head solved
# in closed form and once as the paper does, by gradient through all branches; then it looks at what each branch sees,
# where the answers are wrong, and how sure they are.
#
# The data are Iowa (weather stations, eight types) where the file is at hand, and a simulated fleet otherwise. So that the
# notebook takes about a minute on two cores, it trains on `SERIES` sensors of each type for `EPOCHS` epochs. A real budget is all
# of them and 40 epochs; the figures below are those of the small budget and say nothing about it.

# %%
import logging
import os
import tempfile
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
logging.getLogger("tensorflow").setLevel(logging.ERROR)

import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image
from sklearn.manifold import TSNE

import deepfeatiot_tf as dfi

SERIES, EPOCHS = 30, 10

on_disk = dfi.list_datasets().set_index("name")["path"]
readings = dfi.load_dataset("iowa") if on_disk["iowa"] else dfi.simulate_fleet(960)
print("data:", readings)

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A8A8A"  # Okabe and Ito, and grey
folder = Path(tempfile.mkdtemp())

# %%
train, val, test = dfi.split(readings, seed=0)
train = train.take(np.concatenate([np.flatnonzero(train.labels == name)[:SERIES] for name in train.class_names]))
print(len(train), "series to train on,", len(val), "to choose on,", len(test), "to test on")

# %% [markdown]
# ## Frozen features and a solved head
# Random kernels and summary statistics never learn. `fit` computes them once per series and solves a linear head on them: no
# epochs. The first call also compiles the kernels.

# %%
solved = dfi.DeepFeatIoT(readings.class_names, head="closed_form")
solved.compile()
solved.fit(train.to_dataset(), verbose=0)
solved.evaluate(val.to_dataset(), verbose=0, return_dict=True)

# %% [markdown]
# ## The network, by gradient
# All four branches, a dense feature transform (DFT) each, and a perceptron. The learning rate falls to nothing over the epochs, and the
# last epoch is kept. With an optimizer of your own it does not fall: `dfi.RunCheckpoint` among the callbacks then keeps the epoch
# with the least validation loss.

# %%
network = dfi.DeepFeatIoT(readings.class_names, head="mlp", branches=("local", "global", "randomized", "statistics"))
network.compile()
history = network.fit(train.to_dataset(shuffle=True), validation_data=val.to_dataset(), epochs=EPOCHS, verbose=0)

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
for axis, measure, label in zip(axes, ("loss", "accuracy"), ("cross-entropy", "accuracy"), strict=True):
    epochs = np.arange(1, EPOCHS + 1)
    axis.plot(epochs, history.history[measure], color=BLUE, label="training (with dropout)")
    axis.plot(epochs, history.history[f"val_{measure}"], color=ORANGE, linestyle="--", label="validation")
    axis.set_xlabel("epoch")
    axis.set_ylabel(label)
_ = axes[0].legend()

# %% [markdown]
# In training, four fifths of the random features, a tenth of the statistics and three tenths of the perceptron are dropped, so that it
# can look worse than validation.

# %% [markdown]
# ## Which one?
# Decided on the validation part. The test part has not been looked at.

# %%
on_validation = {"closed form": dfi.evaluate(solved, val), "network": dfi.evaluate(network, val)}
for name, report in on_validation.items():
    scores = report.metrics
    print(
        f"{name:12} accuracy {scores['accuracy']:.3f}   macro F1 {scores['macro_f1']:.3f}   log-loss {scores['log_loss']:.3f}"
    )

# %% [markdown]
# With this budget, the solved head is ahead: millions of weights have seen the training part ten times. What each is
# worth with more is the subject of [notebook 4](04_is_it_worth_it.ipynb).

# %% [markdown]
# ## What the local branch sees
# Two of its four stacks on one series, after their first two convolutions: one row per filter (those that answer at all, in the
# order of their peaks), bright where it answers.

# %%
row = int(np.flatnonzero(val.labels == val.class_names[0])[0])
series = val.values[row]
channels, length = network.network.get_layer("channels")(val.values[row : row + 1])
local = network.network.get_layer("local")
figure, axes = plt.subplots(
    3, 1, figsize=(10, 6.5), layout="constrained", sharex=True, gridspec_kw={"height_ratios": [1, 1.4, 1.4]}
)
axes[0].plot(series, color=BLUE, linewidth=1)
axes[0].set_ylabel("reading,\nsensor's own unit")
axes[0].set_title(f"{val.labels[row]}, sensor {val.ids[row]}", fontsize=10)
for axis, stack in zip(axes[1:], (0, 3), strict=True):
    x = channels
    for convolution, norm in zip(local.stacks[stack][0], local.norms[stack][0], strict=True):
        x = keras.ops.relu(norm(convolution(x), training=False))
    maps = np.asarray(x)[0].T
    maps = maps[maps.max(axis=1) > 0]
    maps = (maps / maps.max(axis=1, keepdims=True))[np.argsort(maps.argmax(axis=1))]
    image = axis.imshow(maps, aspect="auto", cmap="viridis", interpolation="none", vmin=0, vmax=1)
    axis.set_ylabel("filter")
    axis.set_title(f"kernel size {local.kernel_sizes[stack]}: {len(maps)} of {x.shape[-1]} filters answer", fontsize=10)
axes[-1].set_xlabel("reading number")
bar = figure.colorbar(image, ax=axes[1:], pad=0.01)
bar.set_label("answer, share of the filter's peak")

# %% [markdown]
# Some filters pick out edges and single steps (narrow bright spots), others follow the level over hours, and many of them say
# the same.

# %% [markdown]
# ## What the random kernels see
# Of 10,000 kernels, the one whose share of positive answers (PPV) best tells the two most confused types apart, looked for on the
# training part: it never learned, it was just there.

# %%
confusion = on_validation["closed form"].confusion + on_validation["network"].confusion
confusion = confusion + confusion.T
np.fill_diagonal(confusion, 0)
pair = np.unravel_index(confusion.argmax(), confusion.shape)
names = [readings.class_names[i] for i in pair]

ppv = network.frozen["randomized"].predict(train.values, verbose=0)
first, second = (ppv[train.labels == name] for name in names)
spread = np.sqrt(first.var(axis=0) + second.var(axis=0)) + 1e-3
best = int(np.argmax(np.abs(first.mean(axis=0) - second.mean(axis=0)) / spread))
print("types:", " and ".join(names), "- kernel", best)

# %% [markdown]
# Kernels are dealt to dilations and channels (shape, change) in equal shares, so the number of a kernel says what it reads. Each has a
# bias, which its answer has to exceed.

# %%
kernels = next(layer for layer in network.frozen["randomized"].layers if layer.name == "random_kernels")
groups = [(dilation, channel) for dilation in kernels.dilations for channel in range(2)]
dilation, channel = groups[best // -(-kernels.kernels // len(groups))]
weights, bias = np.asarray(kernels.kernel)[:, best], np.asarray(kernels.bias)[best]
figure, axes = plt.subplots(2, 3, figsize=(13, 4.6), layout="constrained", width_ratios=[2, 2, 1.1])
for column, (name, colour) in enumerate(zip(names, (BLUE, ORANGE), strict=True)):
    row = int(np.flatnonzero(train.labels == name)[0])
    signal = np.asarray(network.network.get_layer("channels")(train.values[row : row + 1])[0])[0, :, 1 + channel]
    reach = (len(weights) - 1) * dilation
    answer = sum(w * signal[i * dilation : len(signal) - reach + i * dilation] for i, w in enumerate(weights)) - bias
    axes[0, column].plot(train.values[row], color=colour, linewidth=1)
    axes[0, column].set_title(f"{name}, sensor {train.ids[row]}", fontsize=10)
    axes[1, column].plot(answer, color=colour, linewidth=1)
    axes[1, column].axhline(0, color=GREY, linewidth=0.8)
    axes[1, column].fill_between(np.arange(len(answer)), 0, answer, where=answer > 0, color=colour, alpha=0.3)
    axes[1, column].set_title(f"PPV {np.mean(answer > 0):.2f} (layer: {ppv[row, best]:.2f})", fontsize=10)
    axes[1, column].set_xlabel("window number")
axes[0, 0].set_ylabel("reading,\nsensor's own unit")
axes[1, 0].set_ylabel("answer less the bias")
axes[0, 2].bar(dilation * np.arange(len(weights)), weights, width=0.8 * dilation, color=GREY)
axes[0, 2].set_title(f"kernel: reads {('shape', 'change')[channel]}", fontsize=10)
axes[0, 2].set_xlabel("reading number in the window")
axes[0, 2].set_ylabel("weight")
axes[1, 2].boxplot(
    [first[:, best], second[:, best]],
    tick_labels=["\n".join(name.split(maxsplit=1)) for name in names],
    medianprops={"color": "black"},
)
_ = axes[1, 2].set_ylabel("PPV, training part")

# %% [markdown]
# The share above zero, computed here by hand, is what the layer gives. A single kernel shifts the odds, no more; the head
# adds up thousands of such hints.

# %% [markdown]
# ## What the branches make of it
# Each branch ends in 64 features; the perceptron reads them side by side. How far does each get alone? The label of the
# nearest training series, on the validation part.


# %%
def fused(part):
    inputs = {"readings": part.values}
    inputs |= {f"{branch}_features": model.predict(part.values, verbose=0) for branch, model in network.frozen.items()}
    return keras.Model(network.network.inputs, network.network.get_layer("fusion").output).predict(inputs, verbose=0)


def nearest(known, asked):
    distance = ((asked[:, None] - known[None]) ** 2).sum(axis=2)
    return train.labels[distance.argmin(axis=1)]


known, asked = fused(train), fused(val)
parts = {name: slice(64 * i, 64 * i + 64) for i, name in enumerate(network.branches)} | {"all four": slice(None)}
right = {name: 100 * np.mean(nearest(known[:, part], asked[:, part]) == val.labels) for name, part in parts.items()}
figure, axis = plt.subplots(figsize=(6, 2.4), layout="constrained")
bars = axis.barh(list(right), list(right.values()), color=BLUE)
axis.bar_label(bars, fmt="%.0f %%", padding=3, fontsize=9)
axis.invert_yaxis()
axis.set_xlim(0, 110)
axis.set_xlabel("nearest neighbour of the same type (% of the validation part)")
_ = axis.set_ylabel("features of")

# %% [markdown]
# Statistics lead, convolutions follow; random kernels, and the GRUs at the beginning of their training, are behind. The four
# together are ahead of each.

# %% [markdown]
# The same 256 features in two dimensions (t-SNE of training and validation part). Distances between clusters mean little; what
# lies within one cluster is hard to tell apart.

# %%
map_of = TSNE(perplexity=20, random_state=0).fit_transform(np.concatenate([known, asked]))
labels = np.concatenate([train.labels, val.labels])
okabe = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
figure, axis = plt.subplots(figsize=(9, 5.2), layout="constrained")
for i, name in enumerate(readings.class_names):
    for part, marker in ((slice(0, len(known)), "oD"[i >= 8]), (slice(len(known), None), "^v"[i >= 8])):
        chosen = map_of[part][labels[part] == name]
        label = name if part.start == 0 else None
        axis.scatter(*chosen.T, s=26, marker=marker, color=okabe[i % 8], edgecolor="black", linewidth=0.3, label=label)
axis.set_xticks([])
axis.set_yticks([])
axis.set_xlabel("t-SNE, first dimension (no unit)")
axis.set_ylabel("second dimension (no unit)")
axis.legend(
    loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, title="circles: training\ntriangles: validation"
)
figure.show()

# %% [markdown]
# Humidity, wind, pressure and visibility lie apart; air temperature, apparent temperature and dew point run into one another.

# %% [markdown]
# ## Where it errs
# The one with the better validation accuracy answers the test part, once.

# %%
chosen = max(on_validation, key=lambda name: on_validation[name].metrics["accuracy"])
report = dfi.evaluate({"closed form": solved, "network": network}[chosen], test)
print(chosen, report)
report.save(folder / "report")
Image(folder / "report" / "confusion.png", width=760)

# %% [markdown]
# The answers that were wrong and most certain. A wrong label looks like this, too, so it is worth looking at them.

# %%
report.misread.head(8)

# %%
Image(folder / "report" / "misread.png", width=900)

# %% [markdown]
# Nearly all errors are among air temperature, apparent temperature and dew point, all in °F with the same daily course. One
# humidity that stands at 100 and one visibility that jumps are the exceptions.

# %% [markdown]
# ## How sure it is
# Of the answers given with a confidence of 80 %, four in five should be right. Both models on the validation part, their answers in
# order of confidence in five groups of the same size.

# %%
figure, axis = plt.subplots(figsize=(5.6, 4.2), layout="constrained")
axis.plot([0, 1], [0, 1], linestyle="--", color=GREY, label="perfectly calibrated")
for (name, each), colour, marker in zip(on_validation.items(), (BLUE, ORANGE), "os", strict=True):
    confidence, was_right = each.probabilities.max(axis=1), each.probabilities.argmax(axis=1) == each.true
    fifths = np.array_split(np.argsort(confidence), 5)
    points = [(confidence[rows].mean(), was_right[rows].mean()) for rows in fifths]
    axis.plot(*zip(*points, strict=True), color=colour, marker=marker, label=name)
axis.set_xlim(0, 1.03)
axis.set_ylim(0, 1.03)
axis.set_xlabel("mean confidence of the group")
axis.set_ylabel("share of the group that was right")
axis.legend()
for name, each in on_validation.items():
    print(f"{name:12} expected calibration error {each.metrics['ece']:.3f}")

# %% [markdown]
# Above the line a model is right more often than it says; below it, less often. With 21 series in a group, one answer moves a point by five
# hundredths, so only large gaps mean something.

# %% [markdown]
# Next: [notebook 3](03_readings_and_metadata.ipynb) adds the text about each sensor.
