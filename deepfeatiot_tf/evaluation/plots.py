"""Pictures of a report. Each function gives a matplotlib `Figure` and touches no global state.

Colours are those of Okabe and Ito, which people with any common colour blindness can tell apart.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from deepfeatiot_tf.readings.sensor_readings import SensorReadings

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A8A8A"
NAME_WIDTH = 24  # characters of a class name on one line
GALLERY = 12  # series in the gallery of misread ones


def confusion_figure(confusion: np.ndarray, class_names: Sequence[str]) -> Figure:
    """Counts per true (row) and answered (column) class; the shade is the share of the row."""
    side = _matrix_side(class_names)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    _draw_confusion(figure.add_subplot(), confusion, class_names)
    return figure


def reliability_figure(table: pd.DataFrame) -> Figure:
    """Accuracy against confidence, above how many series have that confidence (`metrics.reliability`)."""
    figure = Figure(figsize=(5.5, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _draw_reliability(upper, lower, table)
    return figure


def overview_figure(title: str, confusion: np.ndarray, per_class: pd.DataFrame, reliability: pd.DataFrame) -> Figure:
    """Confusion matrix, F1 of every class and reliability on one page."""
    names = list(per_class.index)
    side = max(_matrix_side(names), 7.0)
    figure = Figure(figsize=(side + 6.5, side), layout="constrained")
    figure.suptitle(_plain(title), fontsize=12)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=[side + 0.5, 6])[0]
    _draw_confusion(left.add_subplot(), confusion, names)
    rows = right.subplots(3, 1, height_ratios=[max(0.25 * len(names), 1.6), 2.2, 0.9])
    _draw_f1(rows[0], per_class)
    rows[1].sharex(rows[2])
    _draw_reliability(rows[1], rows[2], reliability)
    return figure


def misread_figure(readings: SensorReadings, misread: pd.DataFrame) -> Figure:
    """The first twelve series of `misread` (id, label, predicted, confidence) with their readings."""
    shown = misread.head(GALLERY)
    if shown.empty:
        return _note_figure("No series was misread.")
    columns = min(len(shown), 3)
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.5 * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    series = dict(zip(readings.ids, readings.values, strict=True))
    for panel, (_, answer) in zip(panels, shown.iterrows(), strict=False):
        _draw_series(panel, series[answer["id"]])
        names = _wrapped(f"{answer['label']} → {answer['predicted']}", 36)
        panel.set_title(f"{names} ({answer['confidence']:.0%})\n{_plain(_shortened(answer['id']))}", fontsize=9)
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    figure.supxlabel("reading number (missing readings shaded)", fontsize=9)
    figure.supylabel("reading, in the sensor's own unit", fontsize=9)
    figure.suptitle("Most confidently misread: true → answered (confidence), id", fontsize=11)
    return figure


def learning_curves_figure(history: Mapping[str, Sequence[float]], best_epoch: int | None = None) -> Figure:
    """Loss and accuracy per epoch, on the training and the validation part.

    Args:
        history: as `keras.callbacks.History.history` has it.
        best_epoch: the epoch whose weights were kept, counted from 1. Default: unknown; then the one of the lowest
            validation loss is marked as that.
    """
    lowest = _lowest_loss(history)
    marked = (best_epoch, f"epoch kept, {best_epoch}") if best_epoch else (lowest, f"lowest validation loss, {lowest}")
    measures = ["loss", *_accuracy_names(history)[:1]]
    figure = Figure(figsize=(5.2 * len(measures), 3.8), layout="constrained")
    for panel, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        _draw_curve(panel, history, measure, *marked)
    return figure


def _draw_confusion(axes: Axes, confusion: np.ndarray, class_names: Sequence[str]) -> None:
    totals = confusion.sum(axis=1, keepdims=True)
    share = confusion / np.maximum(totals, 1)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(confusion).tolist():
        shade, error = share[row, column], row != column
        colour = "white" if shade > 0.55 else ORANGE if error and shade < 0.25 else "black"
        count, weight = _short_count(confusion[row, column]), "bold" if error else "normal"
        axes.text(column, row, count, ha="center", va="center", color=colour, weight=weight, fontsize=9)
    names = [_wrapped(name) for name in class_names]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", fontsize=9)
    axes.set_yticks(range(len(names)), [f"{n} ({t})" for n, t in zip(names, totals[:, 0], strict=True)], fontsize=9)
    axes.set_xlabel("answered class")
    axes.set_ylabel("true class (series)")
    axes.set_title("Confusion: number of series", fontsize=11)
    edges = np.arange(len(names) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="#E4E4E4", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    bar = axes.figure.colorbar(image, ax=axes, format=PercentFormatter(1, 0), shrink=0.6, pad=0.02)
    bar.set_label("share of the true class")


def _draw_reliability(upper: Axes, lower: Axes, table: pd.DataFrame) -> None:
    filled = table[table["count"] > 0]
    upper.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1, label="perfectly calibrated")
    upper.plot(filled["confidence"], filled["accuracy"], "-o", color=BLUE, markersize=5, label="model")
    upper.vlines(filled["confidence"], filled["confidence"], filled["accuracy"], color=ORANGE, linewidth=2, label="gap")
    upper.set_ylim(-0.03, 1.03)
    upper.set_ylabel("accuracy")
    upper.yaxis.set_major_formatter(PercentFormatter(1, 0))
    upper.legend(fontsize=8, loc="best")
    upper.set_title("Reliability of the confidences", fontsize=11)
    upper.tick_params(labelbottom=False)
    lower.bar(table["low"], table["count"], width=table["high"] - table["low"], align="edge", color=BLUE)
    lower.set_ylabel("series")
    lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    lower.set_xlabel("confidence")
    lower.set_xlim(0, 1.02)
    lower.xaxis.set_major_formatter(PercentFormatter(1, 0))


def _draw_f1(axes: Axes, per_class: pd.DataFrame) -> None:
    places = np.arange(len(per_class))
    axes.barh(places, per_class["f1"].fillna(0), color=BLUE, height=0.7)
    for place, (f1, support) in enumerate(zip(per_class["f1"], per_class["support"], strict=True)):
        text = f"{f1:.0%}" if support else "not in the test part" + ", but answered" * (not np.isnan(f1))
        axes.text(0.01 + np.nan_to_num(f1), place, text, va="center", fontsize=8)
    axes.set_yticks(places, [_wrapped(name, 32) for name in per_class.index], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.set_xlabel("F1")
    axes.set_title("F1 of each class", fontsize=11)


def _draw_series(axes: Axes, values: np.ndarray) -> None:
    known = np.isfinite(values)
    end = known.size - known[::-1].argmax() if known.any() else known.size  # NaN after it only fills the table
    values, known = values[:end], known[:end]
    number = np.arange(1, end + 1)
    axes.plot(number, values, color=BLUE, linewidth=1)
    around = np.pad(known, 1)
    alone = known & ~around[:-2] & ~around[2:]  # a line needs two neighbours to show
    axes.plot(number[alone], values[alone], ".", color=BLUE, markersize=4)
    for start, stop in _runs(~known):
        axes.axvspan(start + 0.5, stop + 0.5, color=ORANGE, alpha=0.18, linewidth=0)
    axes.set_xlim(0.5, end + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(labelsize=8)


def _draw_curve(
    axes: Axes, history: Mapping[str, Sequence[float]], measure: str, marked: int | None, label: str
) -> None:
    parts = ((measure, "training", BLUE, "-"), (f"val_{measure}", "validation", ORANGE, "--"))
    for name, part, colour, style in parts:
        if name in history:
            values = history[name]
            marker = "o" if len(values) == 1 else None
            axes.plot(range(1, len(values) + 1), values, style, color=colour, label=part, marker=marker)
    if marked is not None:
        axes.axvline(marked, color=GREY, linestyle=":", label=label)
    axes.margins(x=0.02)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss" if measure == "loss" else "accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if measure != "loss":
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(fontsize=8)


def _note_figure(note: str) -> Figure:
    figure = Figure(figsize=(5, 1.2))
    figure.text(0.5, 0.5, note, ha="center", va="center")
    return figure


def _accuracy_names(history: Mapping[str, Sequence[float]]) -> list[str]:
    return [name for name in history if name.endswith(("accuracy", "acc")) and not name.startswith("val_")]


def _lowest_loss(history: Mapping[str, Sequence[float]]) -> int | None:
    losses = np.asarray(history.get("val_loss", ()), dtype=float)
    return None if np.isnan(losses).all() else int(np.nanargmin(losses)) + 1


def _runs(mask: np.ndarray) -> np.ndarray:
    """Int `[runs, 2]`: first and one-past-last place of every run of True."""
    return np.flatnonzero(np.diff(np.pad(mask, 1).astype(np.int8))).reshape(-1, 2)


def _matrix_side(class_names: Sequence[str]) -> float:
    """Inches that leave every cell room for its count, and the longest name its own."""
    longest = max(min(len(name), NAME_WIDTH) for name in class_names)
    return max(2.0, 0.42 * len(class_names)) + 0.085 * longest + 1.6


def _wrapped(name: str, width: int = NAME_WIDTH) -> str:
    return _plain("\n".join(textwrap.wrap(name, width)) or name)


def _short_count(count: int) -> str:
    return f"{count}" if count < 10_000 else f"{count / 1000:.0f}k"


def _shortened(text: str, width: int = 40) -> str:
    return text if len(text) <= width else f"{text[: width // 2]}…{text[-width // 2 + 1 :]}"


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # not the start of a formula
