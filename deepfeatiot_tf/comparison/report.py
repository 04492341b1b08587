"""The report of a comparison: `report.md` and its pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from deepfeatiot_tf.comparison import tables
from deepfeatiot_tf.comparison.plots import class_gains_figure, cost_figure, critical_difference_figure
from deepfeatiot_tf.comparison.significance import ranking
from deepfeatiot_tf.comparison.systems import REFERENCE, SYSTEMS
from deepfeatiot_tf.files import make_folder, write_beside, write_text

TITLE = SYSTEMS[REFERENCE].title
PROTOCOLS = {
    "honest": "Honest protocol: whatever is chosen is chosen on a validation part of the training data; the test part "
    "is used once.",
    "paper": "Paper protocol: a network keeps the epoch with the best accuracy *on the test part*, as the authors did. "
    "Compare with published figures only.",
}
SPLITS = {
    "paper": "The published 70/30 split in every cell: the spread is that of the training alone.",
    "resample": "Each seed has a 70/30 split of its own: the spread is that of split and training.",
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
    yield f"{PROTOCOLS[protocol]} {SPLITS.get(rule, '')}".strip()
    yield "Accuracy ± its standard deviation / macro F1 in %, and the number of cells."
    yield markdown_table(tables.scores(block).reset_index())
    if protocol == "paper":
        yield "Beside the published accuracy (table 2 of the paper), in %; the gap is in points."
        yield markdown_table(tables.published_gaps(block))
    yield from _significance(block, folder / f"{protocol}-{rule}-ranks.png")
    yield "### Accuracy against cost"
    yield "Means over all cells of a system. Peak memory is what the process took beyond what it held before."
    cost = tables.costs(block)
    yield markdown_table(_rounded(cost).reset_index())
    yield _picture(cost_figure(cost), folder / f"{protocol}-{rule}-cost.png", "accuracy against training seconds")
    gains = tables.class_gains(block, TITLE)
    if not gains.empty:
        yield "### By class"
        yield f"Mean F1 of {TITLE} beside that of the best other system of the class, each class having its own."
        yield _picture(class_gains_figure(gains), folder / f"{protocol}-{rule}-classes.png", "gain in F1 by class")


def _significance(block: pd.DataFrame, picture: Path) -> Iterator[str]:
    duels = tables.against(block, TITLE)
    if not duels.empty:
        yield "### Wins, ties, losses"
        yield f"Of {TITLE}, by accuracy, over the cells that both have."
        yield markdown_table(duels)
    found = ranking(tables.complete_scores(block))
    if found is not None:
        yield "### Ranks"
        yield (
            f"Systems with cells on all of {found.data} data sets. Friedman test that all are alike: p = "
            f"{found.p_value:.2g}; critical difference of mean ranks (Nemenyi, 5 %): {found.critical_difference:.1f}. "
            "Systems under one bar are not told apart."
        )
        yield _picture(critical_difference_figure(found), picture, "critical difference diagram")


def _rounded(cost: pd.DataFrame) -> pd.DataFrame:
    text = {
        "accuracy": cost["accuracy"].map("{:.1%}".format),
        "seconds to fit": cost["fit_seconds"].map("{:.1f}".format),
        "to predict": cost["predict_seconds"].map("{:.2f}".format),
        "peak memory, MB": cost["peak_memory_mb"].map(_whole),
        "parameters": cost["parameters"].map(_whole),
    }
    return pd.DataFrame(text, index=cost.index)


def _whole(number: float) -> str:
    return tables.NONE if pd.isna(number) else f"{number:,.0f}"


def _picture(figure: Figure, path: Path, title: str) -> str:
    write_beside(path, partial(figure.savefig, format="png", dpi=130, bbox_inches="tight", pad_inches=0.12))
    return f"![{title}]({path.name})"


def markdown_table(table: pd.DataFrame) -> str:
    """The table with its column names, as Markdown; a remark where it is empty."""
    if table.empty:
        return "(nothing)"
    rows = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
