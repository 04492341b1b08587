"""What whoever uses a run's model should know of it, on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from deepfeatiot_tf.evaluation import Report
from deepfeatiot_tf.evaluation.markdown import TEST_PART, cell, interval, joined, percent, table
from deepfeatiot_tf.runs.run_folder import RunFolder
from deepfeatiot_tf.runs.settings import RunSettings

SHOWN = 12  # suspected labels in the card; the file has all
CLASSES = 4  # strongest and weakest ones that are named
# Of `benchmarks/results/language.csv` and `language_speed.csv`: SmolLM2 beside the closed-form head.
LANGUAGE = (
    "The readings were not read as text. `--language smollm2` does that: about 0.4 s a series (and as long again for "
    "each window or copy of it) on two cores, once, and a file of 117 MB. On three public data sets it changed "
    "accuracy by less than a point either way (benchmarks/results/language.csv)."
)
MORE_SERIES = (
    "The model in this folder has learned from these series, too, since: it has seen more of every type than the one "
    "whose scores these are, and no score of its own."
)
# Of `benchmarks/results/augmentation.csv`.
COPIES = (
    "Augmented copies are for sensors with another logger than these; on series as they are, as here, they brought "
    "nothing on public data sets, or cost up to 1.6 points (benchmarks/results/augmentation.csv, comparison_paper.csv)."
)
# Of `benchmarks/results/other_sites.csv`.
ELSEWHERE = (
    "Copies in other units and to fewer decimals are for sensors of another site than this; at home, as here, they "
    "cost accuracy on public data sets (benchmarks/results/other_sites.csv)."
)


def branch_worth(
    settings: RunSettings,
    branches: Sequence[str],
    windows: Sequence[int],
    held_out: Report,
    answer: Callable[[RunSettings], Report],
) -> list[list[str]]:
    """What held-out series lose without each branch, windows or copies: a row of cells each, the whole first.

    Only of a closed-form head, which is solved again in less time than a network takes.

    Args:
        settings: of the run.
        branches: of its model, beside language.
        windows: that its model learned from.
        held_out: answers of the whole model to series that it did not learn from.
        answer: from the settings of a smaller model to its answers to the same series.
    """
    if not settings.solved:
        return []
    smaller = {name: replace(settings, branches=tuple(b for b in branches if b != name)) for name in branches}
    if len(branches) == 1 and settings.language is None:
        smaller = {}
    if settings.language is not None and branches:
        smaller["language"] = replace(settings, language=None)
    if settings.text_encoder is not None:
        smaller["metadata"] = replace(settings, text_encoder=None, ngrams=True, wrong_metadata=0.0)
        if settings.text_encoder != "ngrams" and settings.ngrams:
            smaller["n-grams of the metadata"] = replace(settings, ngrams=False)
    if windows:
        smaller["windows of each series"] = replace(settings, windows=())
    if settings.augmented_copies:
        smaller["augmented copies of each series"] = replace(settings, augmented_copies=0)
    if settings.units is not None:
        smaller["copies in other units and decimals"] = replace(settings, units=None)
    reports = {"the whole model": held_out, **{f"without {name}": answer(each) for name, each in smaller.items()}}
    return [
        [name, percent(found["accuracy"]), percent(found["macro_f1"]), f"{found['log_loss']:.3f}"]
        for name, found in ((name, report.metrics) for name, report in reports.items())
    ]


def model_card(
    run: RunFolder, report: Report, held_out: Report, worth: list[list[str]], facts: Mapping[str, Any]
) -> str:
    """The card as Markdown.

    Args:
        run: with its record and its model.
        report: on the test part.
        held_out: answers of the model in the folder to series that it did not learn from.
        worth: from `branch_worth`.
        facts: `held_out` and `worth_on` (which series the two are about), `fit_seconds` and `parameters`; of a blend,
            `learned_share`; of a collective run, `siblings_share`, and `alone_accuracy` and `alone_log_loss` without
            the others.
    """
    record = run.record()
    sections = {
        "What it does": _purpose(report, record),
        "How good it is": _scores(report, record),
        "Strong and weak types": _types(report),
        "What each branch is worth": _branches(worth, facts, record),
        **_siblings(held_out, facts),
        "Suspected wrong labels": _suspects(held_out, facts),
        "Cost": _cost(run, facts),
        "Limits": _limits(),
    }
    told = [f"## {name}\n\n{text}" for name, text in sections.items()]
    return "\n\n".join([f"# Model card: {cell(record['data']['name'])}", *told]) + "\n"


def _purpose(report: Report, record: Mapping[str, Any]) -> str:
    reads = "raw readings and metadata" if record["settings"]["text_encoder"] else "raw readings"
    parts = record["split"]
    after = f"; then trained anew on all {sum(parts.values())}" if record["settings"]["deliver"] == "all" else ""
    return (
        f"Names what a sensor measures from its {reads}: one of {len(report.class_names)} types "
        f"({', '.join(map(cell, report.class_names))}). Trained on {parts['train']} series of "
        f"{cell(record['data']['name'])} (SHA-256 `{record['data']['checksum']}`), tested on {parts['test']}{after}."
    )


def _scores(report: Report, record: Mapping[str, Any]) -> str:
    found = report.metrics
    more = MORE_SERIES if record["settings"]["deliver"] == "all" else ""
    rows = [
        ["accuracy", percent(found["accuracy"]), interval(found["accuracy_interval"])],
        ["macro F1", percent(found["macro_f1"]), interval(found["macro_f1_interval"])],
        ["calibration error", percent(found["ece"]), ""],
    ]
    return joined(TEST_PART["honest"], more, table(["score", "test part", "95 % interval"], rows))


def _types(report: Report) -> str:
    tested = report.per_class[report.per_class["support"] > 0].sort_values("f1", ascending=False, kind="stable")
    weak = tested[::-1][: min(CLASSES, len(tested) // 2)]
    weak = weak[weak["f1"] < 1]
    strong = tested[: min(CLASSES, len(tested) - len(weak))]
    rows = [
        [kind, cell(row.Index), percent(row.f1), str(row.support), _taken_for(report, str(row.Index))]
        for kind, part in (("strong", strong), ("weak", weak[::-1]))
        for row in part.itertuples()
    ]
    absent = report.metrics["absent_classes"]
    note = f"Not in the test part, so nothing is known about: {', '.join(map(cell, absent))}." if absent else ""
    return joined(table(["", "type", "F1", "series tested", "taken for"], rows), note)


def _taken_for(report: Report, name: str) -> str:
    row = report.confusion[report.class_names.index(name)].copy()
    row[report.class_names.index(name)] = 0
    return f"{cell(report.class_names[row.argmax()])} ({row.max()})" if row.any() else "–"


def _branches(worth: list[list[str]], facts: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    settings = record["settings"]
    language = LANGUAGE if settings["model"] == "deepfeatiot" and settings["language"] is None else ""
    if "learned_share" in facts:
        told = (
            f"The network counts for {percent(facts['learned_share'])} of an answer, the closed-form head for the "
            f"rest: the weights under which the labels of the held-out series ({facts['held_out']}) are most likely."
        )
        return joined(told, language)
    if not worth:
        told = "Not measured: the network would have to be trained again without each. `deepfeatiot ablate` does that."
        return joined(told, language)
    told = f"Measured on held-out series ({facts['worth_on']}), not on the test part."
    copies = COPIES if settings.get("augmented_copies") else ""
    elsewhere = ELSEWHERE if settings.get("units") is not None else ""
    return joined(told, table(["", "accuracy", "macro F1", "log-loss (nats)"], worth), copies, elsewhere, language)


def _siblings(held_out: Report, facts: Mapping[str, Any]) -> dict[str, str]:
    """A section on the sensors of a table named together, of a collective run."""
    if "siblings_share" not in facts:
        return {}
    told = (
        f"Where another sensor moves as one does, the others count for {percent(facts['siblings_share'])} of its "
        f"answer. Measured on held-out series ({facts['held_out']}), beside the other labelled ones; the branches, "
        "above, by each series alone."
    )
    rows = [
        ["each by itself", percent(facts["alone_accuracy"]), f"{facts['alone_log_loss']:.3f}"],
        ["together", percent(held_out.metrics["accuracy"]), f"{held_out.metrics['log_loss']:.3f}"],
    ]
    return {"What the other sensors are worth": joined(told, table(["", "accuracy", "log-loss (nats)"], rows))}


def _suspects(held_out: Report, facts: Mapping[str, Any]) -> str:
    misread = held_out.misread
    if misread.empty:
        return f"None: every held-out series ({facts['held_out']}) was told as it is labelled."
    rows = [
        [cell(row.id), cell(row.label), cell(row.predicted), percent(row.confidence)]
        for row in misread.head(SHOWN).itertuples()
    ]
    told = (
        f"Series whose label the model disagrees with though it did not learn from them ({facts['held_out']}), the "
        f"surest first: {len(misread)} of {len(held_out.true)}, all in `suspects.csv`. Look at their readings; a label "
        "put right is worth more than any setting."
    )
    return joined(told, table(["id", "label", "answered", "confidence"], rows))


def _cost(run: RunFolder, facts: Mapping[str, Any]) -> str:
    return (
        f"The call that finished the run fitted for {facts['fit_seconds']:.0f} s on this machine, features included; "
        f"{facts['parameters']:,} numbers, {run.model.stat().st_size / 1e6:.1f} MB as `{run.model.name}`."
    )


def _limits() -> str:
    return (
        "A sensor of a type that is not in the list gets one that is: `--precision` lets `predict` and `export` answer "
        '"unknown" where the model is not sure. Scores hold for sensors like these; another fleet, unit or sampling is '
        "another question, which `deepfeatiot evaluate` answers for labelled series."
    )
