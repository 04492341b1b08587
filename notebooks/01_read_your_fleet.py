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
# # 1. Read your own fleet
#
# Tables of readings come in three shapes: *wide* (a row per sensor), *long* (a row per reading) and a *folder* (a file per
# sensor). This notebook writes the same sensors in each shape, reads them back, and takes a first look: what is missing, how
# often sensors report, in which units, and what the checks say about damaged tables. Nothing is trained, and TensorFlow is
# not even imported.
#
# The data are SensEUR, 1,090 series of air quality stations in an Excel workbook, where the file is at hand, and a simulated
# fleet otherwise. [docs/your-data.md](../docs/your-data.md) has one recipe for each shape of table.

# %%
import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap

import deepfeatiot_tf as dfi

on_disk = dfi.list_datasets().set_index("name")["path"]
readings = dfi.load_dataset("senseur") if on_disk["senseur"] else dfi.simulate_fleet(480)
print("data:", readings)

BLUE, ORANGE, GREEN, SKY, PINK = "#0072B2", "#D55E00", "#009E73", "#56B4E9", "#CC79A7"  # Okabe and Ito
work = Path(tempfile.mkdtemp())
os.chdir(work)  # what is written here goes with the notebook's temporary folder

# %% [markdown]
# ## Wide: a row per sensor
# Two sensors of each type that miss something, with an id and a label. The reading columns share a prefix and are numbered, so they are found
# without being named. An empty cell is a missing reading.

# %%
gaps = np.isnan(readings.values).mean(axis=1)
gappy = (gaps > 0) & (gaps < 0.1)
few = readings.take(
    [row for name in readings.class_names for row in np.flatnonzero(gappy & (readings.labels == name))[:2]]
)
wide = pd.DataFrame(few.values, columns=[f"t{i}" for i in range(few.values.shape[1])])
wide.insert(0, "type", few.labels)
wide.insert(0, "device", few.ids)
wide.to_csv("wide.csv", index=False)
wide.iloc[:4, :8]

# %%
from_wide = dfi.read_table("wide.csv", id="device", label="type")
from_wide

# %% [markdown]
# ## Long: a row per reading
# Rows may stand in any order; they are sorted by time, sensor by sensor. The set has no times, so these are made up: one reading
# an hour.

# %%
long = wide.melt(["device", "type"], var_name="step", value_name="reading").dropna(subset="reading")
long["at"] = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(long["step"].str[1:].astype(int), unit="h")
long = long[["at", "device", "type", "reading"]].sample(frac=1, random_state=0)  # in disorder
long.to_parquet("long.parquet", index=False)
long.head(4)

# %% [markdown]
# A long table has no row for a reading that was lost, so where nothing is said about the period the series simply gets shorter.
# With `period` each reading goes to its place in time, and what is missing is missing again.

# %%
as_it_is = dfi.read_table("long.parquet", id="device", time="at", value="reading", label="type")
in_place = dfi.read_table("long.parquet", id="device", time="at", value="reading", label="type", period="1h")
pd.DataFrame(
    {
        "missing, as it is": np.isnan(as_it_is.values).sum(axis=1),
        "missing, period='1h'": np.isnan(in_place.values).sum(axis=1),
        "missing in the wide table": [np.isnan(from_wide.values[from_wide.ids == i]).sum() for i in in_place.ids],
    },
    index=pd.Index(in_place.ids, name="device"),
).head(8)

# %% [markdown]
# In the first column NaN stands only behind shorter series, to fill the rectangle; in the second it marks places. (A gap at
# the very beginning or end leaves no trace in a long table, so the counts may differ there.)

# %% [markdown]
# ## Folder: a file per sensor
# The name of a file is the id; with `label="folder"` the name of its folder is the label.

# %%
for id, label, values in zip(few.ids, few.labels, few.values, strict=True):
    folder = Path("by_type", label)
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"reading": values}).to_csv(folder / f"{id}.csv", index=False)
print(*sorted(str(path) for path in Path("by_type").rglob("*.csv"))[:4], "…", sep="\n")
from_folder = dfi.read_table("by_type", label="folder")
order = [list(from_folder.ids).index(id) for id in from_wide.ids]
print("the same readings as in the wide table:", np.array_equal(from_folder.values[order], from_wide.values, True))

# %% [markdown]
# ## A first look: one sensor of each type
# In parentheses, how many there are. Levels differ by orders of magnitude. A level is often the best hint there is, so nothing is normalised away.
# It is what stands in the file: SensEUR says °C of its temperatures, which go up to 85.

# %%
rows = -(-len(readings.class_names) // 4)
figure, axes = plt.subplots(rows, 4, figsize=(12, 2.1 * rows), layout="constrained", squeeze=False)
for axis, name in zip(axes.flat, readings.class_names, strict=False):
    axis.plot(readings.values[readings.labels == name][0], color=BLUE, linewidth=0.9)
    axis.set_title(f"{name} ({np.sum(readings.labels == name)})", fontsize=9)
for axis in axes.flat[len(readings.class_names) :]:
    axis.remove()
figure.supxlabel("reading number", fontsize=10)
_ = figure.supylabel("reading, in the sensor's own unit", fontsize=10)

# %% [markdown]
# ## Coverage: what is missing, and where
# Each row is a sensor, sorted by type. Gaps of one sensor point to the device; gaps that repeat from type to type, to the station,
# its network or its power.

# %%
by_type = np.argsort(readings.label_indices, kind="stable")
gone = np.isnan(readings.values)[by_type]
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4.6), layout="constrained", width_ratios=[3, 1.5], gridspec_kw={"wspace": 0.05}
)
left.imshow(gone, aspect="auto", interpolation="none", cmap=ListedColormap(["#EDEDED", ORANGE]), vmin=0, vmax=1)
counts = np.bincount(readings.label_indices, minlength=len(readings.class_names))
ends = np.cumsum(counts)
left.set_yticks(ends - counts / 2, readings.class_names)
left.tick_params(axis="y", length=0)
for end in ends[:-1]:
    left.axhline(end - 0.5, color="black", linewidth=0.5)
left.set_xlabel("reading number")
left.set_title("missing readings (orange), one row per sensor", fontsize=10)
share = 100 * np.isnan(readings.values).mean(axis=1)
right.barh(readings.class_names, [share[readings.labels == name].mean() for name in readings.class_names], color=BLUE)
right.invert_yaxis()
right.set_xlabel("missing readings (%)")
right.set_title("mean by type", fontsize=10)
some = gone.any(axis=1)
print(f"{some.sum()} of {len(readings)} sensors miss something, up to {share.max():.0f} % of their readings")

# %% [markdown]
# ## Sampling: how often do sensors report?
# The public sets have no times, so this part simulates loggers: six temperature sensors that report every 5, 15 or 60 minutes,
# none of them exactly.

# %%
rng = np.random.default_rng(0)
source = dfi.simulate_fleet(480)
source = source.take(np.flatnonzero(source.labels == "outdoor temperature")[:6])
parts = []
for number, (id, values) in enumerate(zip(source.ids, source.values, strict=True)):
    period = (5, 15, 60)[number % 3]
    minutes = period * np.arange(len(values)) + rng.normal(0, period / 20, len(values))
    minutes -= minutes.min()
    at = pd.Timestamp("2026-03-02") + pd.to_timedelta(np.round(60 * minutes), unit="s")
    parts.append(pd.DataFrame({"device": id, "at": at, "reading": values}))
loggers = pd.concat(parts).dropna().sort_values("at")
loggers.to_csv("loggers.csv", index=False)

between = loggers.groupby("device")["at"].diff().dt.total_seconds() / 60
interval = pd.DataFrame({"device": loggers["device"], "minutes": between}).dropna()
figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
axis.boxplot(
    [part["minutes"] for _, part in interval.groupby("device")],
    orientation="horizontal",
    tick_labels=sorted(interval["device"].unique()),
    flierprops={"marker": ".", "markersize": 4, "markeredgecolor": ORANGE},
    medianprops={"color": BLUE, "linewidth": 2},
)
axis.set_xscale("log")
axis.set_xticks([5, 15, 60, 240], ["5", "15", "60", "240"])
axis.minorticks_off()
axis.set_xlabel("time between readings (minutes, log scale)")
_ = axis.set_ylabel("sensor")

# %% [markdown]
# Three groups are plain to see; single points far to the right of a box are lost readings. A window of ten readings spans fifty
# minutes of the first and ten hours of the last. `period` brings all to one step: the mean of each bin, NaN for an empty one.

# %%
first_three = dict(zip(source.ids, ((BLUE, "5 min"), (ORANGE, "15 min"), (GREEN, "60 min")), strict=False))
figure, axes = plt.subplots(1, 3, figsize=(13, 3), layout="constrained", sharey=True)
for axis, period in zip(axes, (None, "1h", "2h"), strict=True):
    table = dfi.read_table("loggers.csv", id="device", time="at", value="reading", period=period)
    step = 1 if period is None else pd.Timedelta(period).total_seconds() / 3600
    for id, (colour, every) in first_three.items():
        values = table.values[list(table.ids).index(id)]
        axis.plot(step * np.arange(len(values)), values, color=colour, linewidth=1, label=f"reports every {every}")
    axis.set_title("as they are" if period is None else f"period={period!r}", fontsize=10)
    axis.set_xlabel("reading number" if period is None else "hours since the first bin")
axes[0].set_ylabel("outdoor temperature\n(the sensor's own unit)")
_ = axes[0].legend(fontsize=8)

# %% [markdown]
# On a common step, the sensor that reports every five minutes has half a day of data: a short series. The one that reports every
# hour, more or less, sometimes has two readings in an hour and none in the next; a period of two hours leaves it no holes.
# Models here take gaps and series of any length, so all three ways work; what matters is that new data are read as the training
# data were.

# %% [markdown]
# ## Units: one type, several levels
# A simulated fleet, whose owners use different units. Two clusters in one type mean two units (or two kinds of
# place) under one label. A model can learn both, provided that both occur in training.

# %%
fleet = dfi.simulate_fleet(960)
shown = ("outdoor temperature", "air pressure", "battery voltage", "water level")
figure, axes = plt.subplots(1, len(shown), figsize=(13, 2.6), layout="constrained")
for axis, name in zip(axes, shown, strict=True):
    level = np.nanmedian(fleet.values[fleet.labels == name], axis=1)
    axis.scatter(level, rng.uniform(-1, 1, len(level)), s=14, color=BLUE, alpha=0.6, linewidth=0)
    axis.set_xscale(
        "symlog" if name == "outdoor temperature" else "log", **({"linthresh": 10} if "out" in name else {})
    )
    axis.set_yticks([])
    axis.set_ylim(-3, 3)
    axis.set_title(name, fontsize=10)
figure.supxlabel(
    "median of each sensor (one dot), in its own unit, log scale (symmetric for the temperature)", fontsize=9
)
values = fleet.values[fleet.labels == "air pressure"]
level = np.sort(np.nanmedian(values, axis=1))
print("air pressure, some medians:", *(f"{each:.4g}" for each in level[:: len(level) // 8]))

# %% [markdown]
# Air pressure falls into groups by powers of ten: inches of mercury near 30, kPa near 100, mmHg and hPa between 700 and 1,040, Pa
# near 100,000. Outdoor temperatures do not separate: a cold day in °F looks like a mild one in °C. Where the unit is
# known, keep it as metadata (notebook 3).

# %% [markdown]
# ## What the checks say
# A damaged table is refused with one line: where, what, and what to do. On the command line it is the same line.

# %%
good = ["device,type,t0,t1,t2", "a,co2,400,410,420", "b,co2,390,395,400", "c,humidity,40,41,40", "d,humidity,50,49,51"]


def with_line(number, line):
    return [*good[:number], line, *good[number + 1 :]]


damaged = {
    "an id twice": (with_line(2, "a,co2,390,395,400"), {"id": "device", "label": "type"}),
    "a label missing": (with_line(3, "c,,40,41,40"), {"id": "device", "label": "type"}),
    "text among readings": (with_line(3, "c,humidity,40,error,40"), {"id": "device", "label": "type"}),
    "no reading at all": (with_line(4, "d,humidity,,,"), {"id": "device", "label": "type"}),
    "a misspelt column": (good, {"id": "device", "label": "tipe"}),
    "a column lost": (with_line(0, "device,type,t0,t1,t3"), {"id": "device", "label": "type"}),
    "an unknown class": (good, {"id": "device", "label": "type", "class_names": ["CO2", "humidity"]}),
}
for what, (lines, options) in damaged.items():
    Path("fleet.csv").write_text("\n".join(lines))
    try:
        dfi.read_table("fleet.csv", **options)
    except dfi.InputError as error:
        print(f"{what}\n    {error}\n")

# %% [markdown]
# ## Marks of a missing reading
# Many loggers write a number where they have none. `-999` is a perfectly good number to a table, so it has to be named.

# %%
Path("fleet.csv").write_text("\n".join(with_line(1, "a,co2,400,-999,error")))
dfi.read_table("fleet.csv", id="device", label="type", missing=[-999, "error"]).values

# %% [markdown]
# ## Three parts
# Stratified by type; sensors with exactly the same readings stay on one side, or the test would be partly a repetition.

# %%
train, val, test = dfi.split(readings, seed=0)
unique = len(np.unique(np.nan_to_num(readings.values, nan=-1e30), axis=0))
print(f"{len(readings) - unique} of {len(readings)} series repeat another one exactly")
counts = pd.DataFrame(
    {
        part: pd.Series(each.labels).value_counts().reindex(readings.class_names)
        for part, each in {"training": train, "validation": val, "test": test}.items()
    }
)
axis = counts.plot.barh(stacked=True, color=[BLUE, SKY, ORANGE], figsize=(7, 0.28 * len(counts) + 1.4))
axis.invert_yaxis()
axis.set_xlabel("sensors")
axis.set_ylabel("")
axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
axis.figure.set_layout_engine("constrained")

# %% [markdown]
# Next: [notebook 2](02_train.ipynb) trains on such a fleet.
