"""The report of an ablation: `ablation.md`, `effects.csv` and a picture per block."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from deepfeatiot_tf.comparison.plots import effects_figure
from deepfeatiot_tf.comparison.report import PROTOCOLS, SPLITS
from deepfeatiot_tf.comparison.tables import NONE
from deepfeatiot_tf.comparison.writing import markdown_table, picture
from deepfeatiot_tf.files import make_folder, write_beside, write_text


def write_ablation(effects: pd.DataFrame, reasons: Mapping[str, str], folder: Path) -> Path:
    """Write the report.

    Args:
        effects: see `ablation.effects`.
        reasons: why cells are missing.
        folder: to write into; made if missing.

    Returns:
        the path of `ablation.md`.

    Raises:
        InputError: the folder cannot be written.
    """
    make_folder(folder)
    write_beside(folder / "effects.csv", partial(effects.to_csv, index=False))
    parts = [
        "# Ablation",
        "What accuracy loses by each change, in points: mean of the paired differences over splits and seeds, its 95 % "
        "interval (Student), and Cohen's d (mean difference by the pooled standard deviation). Where the interval "
        "holds 0, so many pairs show nothing; of many intervals, one in twenty misses by chance.",
    ]
    for (protocol, rule), block in effects.groupby(["protocol", "split"], sort=False):
        protocol, rule = str(protocol), str(rule)
        parts += [f"## {protocol.capitalize()} protocol, {rule} split", f"{PROTOCOLS[protocol]} {SPLITS[rule]}"]
        for data, part in block.groupby("data", sort=False):
            name = f"ablation-{protocol}-{rule}-{str(data).lower()}.png"
            parts += [
                f"### {data}",
                markdown_table(_shown(part)),
                picture(effects_figure(part), folder / name, str(data)),
            ]
    if reasons:
        parts += ["## Not run", "\n".join(f"- {what}: {why}" for what, why in reasons.items())]
    write_text(folder / "ablation.md", "\n\n".join(parts) + "\n")
    return folder / "ablation.md"


def _shown(part: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "change": part["change"],
            "accuracy, %": (100 * part["accuracy"]).map("{:.1f}".format),
            "loss, points": (100 * part["loss"]).map("{:+.1f}".format),
            "95 % interval": [_interval(*bounds) for bounds in zip(part["low"], part["high"], strict=True)],
            "Cohen's d": [NONE if pd.isna(d) else f"{d:+.1f}" for d in part["cohens_d"]],
            "pairs": part["pairs"],
        }
    )


def _interval(low: float, high: float) -> str:
    return NONE if pd.isna(low) else f"{100 * low:+.1f} to {100 * high:+.1f}"
