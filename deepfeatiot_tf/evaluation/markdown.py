"""A report as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from deepfeatiot_tf.evaluation.report import Report

PAIRS = 6  # confused pairs told in words
SUSPECTS = 12  # misread series listed

TEST_PART = {
    "honest": "Honest protocol: the model was trained, and what there was to choose was chosen, without these series; "
    "they were answered once, at the end.",
    "paper": "Paper protocol: the best epoch was chosen by the accuracy on these very series, as the authors "
    "did. The scores are therefore too high for new sensors; only compare them with published figures.",
}
UNKNOWN_PART = (
    "Not stated. The scores hold for new sensors only if none of these series took part in training or in "
    "choosing the model."
)


def render(report: Report, context: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """The whole report.

    Args:
        report: what to tell.
        context: further facts; see `Report.to_markdown`.
        pictures: file names by `confusion`, `reliability`, `misread`, `learning_curves`, as far as they
            exist.
    """
    sections = {
        "": _headline(report),
        "How the test part was used": TEST_PART.get(str(context.get("protocol")), UNKNOWN_PART),
        "What readings and metadata tell": _modalities(report),
        "What is confused": joined(_confusions(report), _picture(pictures, "confusion", "Confusion matrix")),
        "Misread series": joined(_suspects(report), _picture(pictures, "misread", "Misread series")),
        "Classes": _classes(report),
        "How far the confidences can be trusted": joined(
            _calibration(report.metrics), _picture(pictures, "reliability", "Reliability of the confidences")
        ),
        "Training": _picture(pictures, "learning_curves", "Learning curves"),
        "Data": _data(report),
        "Settings": _settings(context),
    }
    title = f"# How well sensors are told: {cell(report.readings.name)}"
    told = [f"## {name}\n\n{text}" if name else text for name, text in sections.items() if text]
    return "\n\n".join([title, *told]) + "\n"


def _headline(report: Report) -> str:
    found = report.metrics
    of_f1 = f" ({interval(found['macro_f1_interval'])})" if found["misread"] else ""
    answer = (
        f"**Accuracy {percent(found['accuracy'])}** ({interval(found['accuracy_interval'])}), "
        f"**macro F1 {percent(found['macro_f1'])}**{of_f1} on "
        f"{_count(found['n'], 'series')} of {len(found['class_names'])} classes; {found['misread']} misread. "
        "In brackets: 95 % intervals, of accuracy by Wilson, of macro F1 by bootstrap."
    )
    others = table(
        ["balanced accuracy", "weighted F1", "log-loss (nats)", "Brier score (0 to 2)", "calibration error"],
        [
            [
                percent(found["balanced_accuracy"]),
                percent(found["weighted_f1"]),
                f"{found['log_loss']:.3f}",
                f"{found['brier']:.3f}",
                percent(found["ece"]),
            ]
        ],
    )
    return joined(answer, others)


def _modalities(report: Report) -> str:
    if not report.alone:
        return ""
    metadata = report.readings.metadata
    blank = 0 if metadata is None else sum(not text.strip() for text in metadata)
    told = "The same series, answered from both and from one of the two alone."
    if blank:
        told += f" {_count(blank, 'series')} of {len(report.readings)} have no metadata anyway."
    found = report.metrics["modalities"]
    rows = [[name, percent(scores["accuracy"]), percent(scores["macro_f1"])] for name, scores in found.items()]
    return joined(told, table(["told", "accuracy", "macro F1"], rows))


def _confusions(report: Report) -> str:
    wrong = report.confusion.copy()
    totals = wrong.sum(axis=1)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")
    pairs = [divmod(int(place), len(wrong)) for place in order[: np.count_nonzero(wrong)]]
    if not pairs:
        return "Nothing: every series was told right."
    names = [cell(name) for name in report.class_names]
    lines = [
        f"- {names[true]} taken for {names[answer]}: {wrong[true, answer]} of {totals[true]}"
        for true, answer in pairs[:PAIRS]
    ]
    rest = sum(int(wrong[pair]) for pair in pairs[PAIRS:])
    if rest:
        lines.append(f"- {rest} further series, in {_count(len(pairs) - PAIRS, 'other pair')}")
    return "\n".join(lines)


def _suspects(report: Report) -> str:
    misread = report.misread
    if misread.empty:
        return ""
    told = (
        "The most confident errors first. Some may be wrong labels rather than wrong answers: look at their "
        "readings before anything else."
    )
    rows = [
        [cell(row.id), cell(row.label), cell(row.predicted), percent(row.confidence)]
        for row in misread.head(SUSPECTS).itertuples()
    ]
    rest = len(misread) - len(rows)
    more = f"{rest} more are not listed." if rest > 0 else ""
    return joined(told, table(["id", "label", "answered", "confidence"], rows), more)


def _classes(report: Report) -> str:
    rows = [
        [cell(row.Index), *map(percent, (row.precision, row.recall, row.f1)), str(row.support)]
        for row in report.per_class.itertuples()
    ]
    absent = report.metrics["absent_classes"]
    note = (
        f"Not in the test part, so nothing is known about: {', '.join(map(cell, absent))}. Macro F1 leaves "
        "such a class out, unless a series was taken for it (then it counts as 0)."
        if absent
        else ""
    )
    return joined(table(["class", "precision", "recall", "F1", "series"], rows), note)


def _calibration(found: Mapping[str, Any]) -> str:
    gap = found["mean_confidence"] - found["accuracy"]
    verdict = (
        "which agrees"
        if abs(gap) < 0.02
        else "so it is too sure of itself"
        if gap > 0
        else "so it is right more often than it claims"
    )
    return (
        f"On average the model is {percent(found['mean_confidence'])} sure and "
        f"{percent(found['accuracy'])} right, {verdict}. Confidence by confidence the two differ by "
        f"{percent(found['ece'])} (expected calibration error, 15 bins; with few series a few "
        "percent are chance)."
    )


def _data(report: Report) -> str:
    data = report.data
    span = f"{data['longest']}" if data["shortest"] == data["longest"] else f"{data['shortest']} to {data['longest']}"
    missing = (
        f"{percent(data['missing_share'])} of them missing, in {data['series_with_missing']} series"
        if data["series_with_missing"]
        else "none is missing"
    )
    return (
        f"{cell(data['name'])}: {data['series']} series of {span} readings; {missing}. "
        f"SHA-256 of the content: `{data['checksum']}`."
    )


def _settings(context: Mapping[str, Any]) -> str:
    rows = [[cell(name), cell(value)] for name, value in _flat(context)]
    return table(["setting", "value"], rows) if rows else ""


def _flat(context: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in context.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _picture(pictures: Mapping[str, str], name: str, title: str) -> str:
    return f"![{title}]({pictures[name]})" if name in pictures else ""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are text."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def joined(*blocks: str) -> str:
    """Paragraphs, without those that are empty."""
    return "\n\n".join(block for block in blocks if block)


def cell(value: Any) -> str:
    """Text of the user's that breaks neither a table nor a line."""
    return " ".join(str(value).replace("|", "\\|").split())


def percent(share: Any) -> str:
    """A share as text; a dash where there is none."""
    return "–" if pd.isna(share) else f"{100 * share:.1f} %"


def interval(bounds: list[float] | None) -> str:
    """Two shares as text; a dash where there are none."""
    if bounds is None:
        return "–"
    return f"{100 * bounds[0]:.1f} to {100 * bounds[1]:.1f} %"


def _count(number: int, what: str) -> str:
    plural = what if what.endswith("s") or number == 1 else f"{what}s"
    return f"{number} {plural}"
