"""The report of a comparison: `report.md` and its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from deepfeatiot_tf.comparison import tables
from deepfeatiot_tf.comparison.plots import class_gains_figure, cost_figure, critical_difference_figure
from deepfeatiot_tf.comparison.significance import ranking
from deepfeatiot_tf.comparison.systems import REFERENCE, SYSTEMS
from deepfeatiot_tf.comparison.writing import markdown_table, picture
from deepfeatiot_tf.files import make_folder, write_text

TITLE = SYSTEMS[REFERENCE].title  # it reads no metadata
READ_METADATA = {entry.title for entry in SYSTEMS.values() if entry.reads_metadata}
UNRANKED = {entry.title for entry in SYSTEMS.values() if not entry.ranked}
WITHOUT = "without those that answer the test part together or are other settings of a default"
PROTOCOLS = {
    "honest": "Honest protocol: whatever is chosen is chosen on a validation part of the training data; the test part "
    "is used once.",
    "paper": "Paper protocol: a network keeps the epoch with the best accuracy *on the test part*, as the authors did. "
    "Compare with published figures only.",
}
SPLITS = {
    "paper": "The published 70/30 split in every cell: the spread is that of the training alone.",
    "resample": "Each seed has a 70/30 split of its own: the spread is that of split and training.",
    "transfer": "Zero-shot: trained on the first data set, tested on all of the second, over the sensor types that "
    "they share, both cut to the length of the shorter. Nothing is chosen on the second.",
}


def write_report(cells: pd.DataFrame, reasons: Mapping[str, str], folder: Path) -> Path:
    """Write `report.md` and its pictures.

    Args:
        cells: finished, as `ProtocolResult` explains them.
        reasons: why others are not.
        folder: to write into; made if missing.

    Returns:
        the path of `report.md`.

    Raises:
        InputError: the folder cannot be written.
    """
    make_folder(folder)
    parts = ["# Comparison", _content(cells)]
    for (protocol, rule), block in tables.blocks(cells):
        parts += _block(protocol, rule, block, folder)
    if reasons:
        parts += ["## Not run", "\n".join(f"- {what}: {why}" for what, why in reasons.items())]
    write_text(folder / "report.md", "\n\n".join(parts) + "\n")
    return folder / "report.md"


def _content(cells: pd.DataFrame) -> str:
    text = f"{len(cells)} cells: {cells['system'].nunique()} systems, data {', '.join(dict.fromkeys(cells['data']))}."
    known = cells.get("versions", pd.Series(dtype=object)).dropna().unique()
    return text + "".join(f"\n\nVersions: `{versions}`" for versions in known)


def _block(protocol: str, rule: str, block: pd.DataFrame, folder: Path) -> Iterator[str]:
    """One protocol under one split rule."""
    yield f"## {protocol.capitalize()} protocol, {rule} split"
    yield f"{PROTOCOLS[protocol]} {SPLITS[rule]}"
    yield "Accuracy ± its standard deviation / macro F1 in %, and the number of cells."
    yield markdown_table(tables.scores(block).reset_index())
    if (protocol, rule) == ("paper", "paper"):
        yield "Beside the published accuracy (table 2 of the paper), in %; the gap is in points."
        yield markdown_table(tables.published_gaps(block))
    yield from _duels(block)
    rivals = block[~block["system"].isin(UNRANKED)]
    if rule != "transfer":  # its pairs share data sets, and the tests want independent ones
        yield from _ranks(rivals, folder / f"{protocol}-{rule}-ranks.png")
    yield "### Accuracy against cost"
    yield (
        "Means over the means of a system's data sets; of seconds and memory, over those with cells from its device. "
        "Peak memory is what the process took beyond what it held before. The picture has the systems with cells on "
        f"every data set, {WITHOUT}."
    )
    cost = tables.costs(block)
    yield markdown_table(_rounded(cost).reset_index())
    alike = cost[cost.index.isin(tables.complete_scores(rivals).columns)]
    if not alike.empty:
        yield picture(cost_figure(alike), folder / f"{protocol}-{rule}-cost.png", "accuracy against training seconds")
    gains = tables.class_gains(rivals[~rivals["system"].isin(READ_METADATA)], TITLE)
    if not gains.empty:
        yield "### By class"
        yield (
            f"Mean F1 of {TITLE} beside that of the best other system of the class that reads no metadata, each class "
            f"having its own, {WITHOUT}."
        )
        yield picture(class_gains_figure(gains), folder / f"{protocol}-{rule}-classes.png", "gain in F1 by class")


def _duels(block: pd.DataFrame) -> Iterator[str]:
    duels = tables.against(block, TITLE)
    if not duels.empty:
        yield "### Wins, ties, losses"
        yield f"Of {TITLE}, by accuracy, over the cells that both have."
        yield markdown_table(duels)


def _ranks(block: pd.DataFrame, path: Path) -> Iterator[str]:
    found = ranking(tables.complete_scores(block))
    if found is not None:
        yield "### Ranks"
        yield (
            f"Systems with cells on all of {found.data} data sets, {WITHOUT}. Friedman test that all are alike: p = "
            f"{found.p_value:.2g}; critical difference of mean ranks (Nemenyi, 5 %): {found.critical_difference:.1f}. "
            "Systems under one bar are not told apart."
        )
        yield picture(critical_difference_figure(found), path, "critical difference diagram")


def _rounded(cost: pd.DataFrame) -> pd.DataFrame:
    text = {
        "accuracy": cost["accuracy"].map("{:.1%}".format),
        "seconds to fit": cost["fit_seconds"].map("{:.1f}".format),
        "to predict": cost["predict_seconds"].map("{:.2f}".format),
        "peak memory, MB": cost["peak_memory_mb"].map(_whole),
        "parameters": cost["parameters"].map(_whole),
        "device": cost["device"],
    }
    return pd.DataFrame(text, index=cost.index)


def _whole(number: float) -> str:
    return tables.NONE if pd.isna(number) else f"{number:,.0f}"
