"""Pictures of a comparison. Each function gives a matplotlib `Figure` and touches no global state."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, PercentFormatter, StrMethodFormatter

from deepfeatiot_tf.comparison.significance import Ranking
from deepfeatiot_tf.evaluation.plots import BLUE, GREY, ORANGE

CLASSES = 30  # in the figure of gains: the greatest and the least
FEW_DECADES = 3  # of seconds: then 2 and 5 are labelled, too


def critical_difference_figure(ranking: Ranking) -> Figure:
    """Mean ranks on a line, the best to the left; a bar joins systems that the Nemenyi test does not tell apart."""
    ranks = ranking.ranks.to_numpy()
    cliques = _cliques(ranks, ranking.critical_difference)
    figure = Figure(figsize=(8, 1 + 0.3 * len(ranks) + 0.12 * len(cliques)), layout="constrained")
    axes = figure.add_subplot()
    for row, (name, rank) in enumerate(ranking.ranks.items(), start=1):
        axes.plot([rank, rank, len(ranks) + 0.3], [0, -row, -row], color=GREY, linewidth=0.8)
        axes.plot(rank, 0, "o", color=BLUE, markersize=5)
        axes.text(len(ranks) + 0.4, -row, f"{name} ({rank:.2f})", va="center", fontsize=9)
    for i, (first, last) in enumerate(cliques):
        axes.plot([ranks[first] - 0.05, ranks[last] + 0.05], [0.5 + 0.4 * i] * 2, color=ORANGE, linewidth=3)
    axes.set_xlim(0.8, len(ranks) + 0.3)
    axes.set_xticks(range(1, len(ranks) + 1))
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.set_xlabel(
        f"mean rank over {ranking.data} data sets (1 is best); critical difference {ranking.critical_difference:.1f}"
    )
    return figure


def cost_figure(costs: pd.DataFrame) -> Figure:
    """Accuracy against seconds to fit, one numbered point per system.

    Args:
        costs: as `tables.costs` gives it.
    """
    costs = costs.sort_values("accuracy", ascending=False, kind="stable")
    figure = Figure(figsize=(9, max(4, 1 + 0.25 * len(costs))), layout="constrained")
    axes = figure.add_subplot()
    for number, (name, row) in enumerate(costs.iterrows(), start=1):
        elsewhere = "" if row["device"] == "CPU" else f" ({row['device']})"
        axes.plot(
            *row[["fit_seconds", "accuracy"]],
            "o",
            color=BLUE,
            markerfacecolor="white" if elsewhere else BLUE,
            label=f"{number}  {name}{elsewhere}",
        )
        # To the right and to the left in turn: numbers of systems that are as accurate and as quick would meet.
        axes.annotate(
            str(number),
            tuple(row[["fit_seconds", "accuracy"]]),
            (5 if number % 2 else -5, 0),
            textcoords="offset points",
            fontsize=8,
            horizontalalignment="left" if number % 2 else "right",
            verticalalignment="center",
        )
    figure.legend(loc="outside right upper", frameon=False, fontsize=8, markerscale=0.6)
    axes.set_xscale("log")
    decades = np.log10(costs["fit_seconds"].max() / costs["fit_seconds"].min())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < FEW_DECADES else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())  # labels of its own would run into each other
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("seconds to fit, mean over the data sets")
    axes.set_ylabel("accuracy, mean over the data sets")
    return figure


def class_gains_figure(gains: pd.DataFrame) -> Figure:
    """Gain in F1 over the best other system, one bar per class; of many classes the extremes.

    Args:
        gains: as `tables.class_gains` gives it, the greatest gain first.
    """
    shown = gains
    if len(gains) > CLASSES:
        shown = pd.concat([gains.head(CLASSES // 2), gains.tail(CLASSES // 2)])
    figure = Figure(figsize=(8, 1 + 0.24 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(shown))
    axes.barh(places, shown["gain"], color=np.where(shown["gain"] < 0, ORANGE, BLUE), height=0.7)
    labels = [
        f"{row['data']}: {row['class']} (F1 {row['f1']:.2f}; {row['best_other']} {row['other_f1']:.2f})"
        for row in shown.to_dict(orient="records")
    ]
    axes.set_yticks(places, labels, fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("gain in F1 over the best other system of that class")
    return figure


def effects_figure(effects: pd.DataFrame) -> Figure:
    """What each change costs, with its interval, one line per change; right of 0 the change hurts.

    Args:
        effects: of one data set, as `ablation.effects` gives them.
    """
    figure = Figure(figsize=(7, 1 + 0.28 * len(effects)), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(effects))
    reach = 100 * (effects["high"] - effects["loss"]).fillna(0)
    axes.errorbar(100 * effects["loss"], places, xerr=reach, fmt="o", color=BLUE, ecolor=GREY, capsize=3)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(places, list(effects["change"]), fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel("accuracy lost by the change, points, with its 95 % interval")
    return figure


def _cliques(ranks: np.ndarray, critical_difference: float) -> list[tuple[int, int]]:
    """First and last place of every longest run of sorted ranks no wider than the critical difference."""
    last = np.searchsorted(ranks, ranks + critical_difference, side="right") - 1
    runs = [(first, int(end)) for first, end in enumerate(last) if end > first]
    return [run for i, run in enumerate(runs) if i == 0 or run[1] > runs[i - 1][1]]
