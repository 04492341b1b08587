"""What the cells of a comparison say, as tables: one row per system, one column per data set."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd

from deepfeatiot_tf.comparison.published import published
from deepfeatiot_tf.comparison.significance import wins_ties_losses

BLOCK = ["protocol", "split_rule"]  # within one, cells may be compared
PAIR = ["data", "checksum", "split", "seed"]  # what two systems were both given
NONE = "–"


def blocks(cells: pd.DataFrame) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    """The cells by protocol and split rule: `((protocol, rule), cells)`."""
    ruled = cells.assign(split_rule=cells["split"].str.split(" ").str[0])
    for (protocol, rule), part in ruled.groupby(BLOCK, sort=True):
        yield (str(protocol), str(rule)), part


def scores(block: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy / macro F1 in %, the spread of the accuracy and the number of cells, as text."""
    rows = {}
    for system in _by_mean(block):
        mine = block[block["system"] == system]
        rows[system] = {data: _score_text(mine[mine["data"] == data]) for data in dict.fromkeys(block["data"])}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("system")


def published_gaps(block: pd.DataFrame) -> pd.DataFrame:
    """Our mean accuracy, the paper's, and the gap in points, wherever the paper has the system and the data set."""
    rows = []
    for (system, data), part in block.groupby(["system", "data"], sort=False):
        theirs = published(str(system), str(data))
        if theirs is not None:
            ours = part["accuracy"].mean()
            rows.append(
                {
                    "system": system,
                    "data": data,
                    "ours": f"{100 * ours:.1f}",
                    "published": f"{100 * theirs.accuracy:.1f}",
                    "gap": f"{100 * (ours - theirs.accuracy):+.1f}",
                    "cells": len(part),
                }
            )
    return pd.DataFrame(rows)


def against(block: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Wins, ties and losses of the reference against every other system, over the cells that both have."""
    wide = block.pivot_table(index=PAIR, columns="system", values="accuracy")
    if reference not in wide:
        return pd.DataFrame()
    rows = []
    for system in _by_mean(block):
        if system != reference:
            both = wide[[reference, system]].dropna()
            wins, ties, losses = wins_ties_losses(list(both[reference]), list(both[system]))
            rows.append({"against": system, "wins": wins, "ties": ties, "losses": losses, "cells": len(both)})
    return pd.DataFrame(rows)


def complete_scores(block: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy: one row per data set, one column per system that has cells on every data set."""
    return block.pivot_table(index="data", columns="system", values="accuracy").dropna(axis=1)


def costs(block: pd.DataFrame) -> pd.DataFrame:
    """Of each system: accuracy, seconds to fit and to predict, peak memory, parameters; and the device.

    Means over the means of its data sets, so that one with more seeds counts no more. Seconds and memory are those of
    its cells from one device, as those of two do not compare: the one with cells on the most data sets, else the CPU.
    """
    scores, spent = ["accuracy", "parameters"], ["fit_seconds", "predict_seconds", "peak_memory_mb"]
    cells = block.reindex(columns=["system", "data", "device", *scores, *spent])
    cells["device"] = cells["device"].fillna("CPU")  # an older table does not say
    covered = cells.groupby(["system", "device"])["data"].nunique().reset_index()
    covered["cpu"] = covered["device"] == "CPU"
    device = covered.sort_values(["data", "cpu"]).groupby("system")["device"].last()
    alike = cells[cells["device"] == cells["system"].map(device)]
    means = [
        part.groupby(["system", "data"])[columns].mean().groupby("system").mean()
        for part, columns in ((cells, scores), (alike, spent))
    ]
    return means[0].join(means[1]).join(device).loc[_by_mean(block)]


def class_gains(block: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Where the reference names a class better or worse than the others.

    Returns:
        one row per data set and class, the greatest gain first: `f1` of the reference, `best_other` (its name), its
        `other_f1`, and `gain`; means over the cells. Empty without cells of the reference or of others.
    """
    rows = []
    if "f1_by_class" not in block:  # a table from before there was such a column
        return pd.DataFrame()
    for (system, data), part in block.dropna(subset=["f1_by_class"]).groupby(["system", "data"]):
        mean = pd.DataFrame([json.loads(text) for text in part["f1_by_class"]]).mean()
        rows += [{"system": system, "data": data, "class": name, "f1": f1} for name, f1 in mean.items()]
    found = pd.DataFrame(rows, columns=["system", "data", "class", "f1"]).set_index(["data", "class"])
    mine, others = found[found["system"] == reference], found[found["system"] != reference]
    if mine.empty or others.empty:
        return pd.DataFrame()
    best = others.sort_values("f1", ascending=False, kind="stable").groupby(level=[0, 1]).first()
    joined = mine[["f1"]].join(best.rename(columns={"system": "best_other", "f1": "other_f1"}), how="inner")
    joined["gain"] = joined["f1"] - joined["other_f1"]
    return joined.sort_values("gain", ascending=False, kind="stable").reset_index()


def _score_text(part: pd.DataFrame) -> str:
    if part.empty:
        return NONE
    accuracy, f1 = 100 * part["accuracy"], 100 * part["macro_f1"]
    spread = f" ± {accuracy.std():.1f}" if len(part) > 1 else ""
    return f"{accuracy.mean():.1f}{spread} / {f1.mean():.1f} ({len(part)})"


def _by_mean(block: pd.DataFrame) -> list[str]:
    """The systems, best first by the mean over the means of their data sets; incomplete ones last."""
    means = block.pivot_table(index="system", columns="data", values="accuracy")
    order = means.assign(absent=means.isna().sum(axis=1), mean=means.mean(axis=1))
    return list(order.sort_values(["absent", "mean"], ascending=[True, False], kind="stable").index)
