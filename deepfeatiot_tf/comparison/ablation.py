"""What each part of DeepFeatIoT is worth: the same model with one thing changed at a time."""

from __future__ import annotations

from typing import Any

import pandas as pd

from deepfeatiot_tf.comparison.significance import paired_difference
from deepfeatiot_tf.comparison.systems import ours
from deepfeatiot_tf.comparison.tables import PAIR
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.system_entry import SystemEntry

BRANCHES = {
    "closed_form": ("randomized", "statistics"),
    "mlp": ("local", "global", "randomized", "statistics"),
}
WHOLE = "as it is"
# The default and the published value are 10,000 kernels of length 9; dilation 1 to 16 here, 4 as published.
KERNELS: dict[str, dict[str, Any]] = {
    "1,000 kernels": {"kernels": 1_000},
    "3,000 kernels": {"kernels": 3_000},
    "20,000 kernels": {"kernels": 20_000},
    "kernels of length 5": {"kernel_length": 5},
    "kernels of length 15": {"kernel_length": 15},
    "dilation 1": {"dilation": 1},
    "dilation 4": {"dilation": 4},
    "dilation 1 to 8": {"dilation": (1, 8)},
    "published sampling": {"sampling": "published"},
}
SOLVED: dict[str, dict[str, Any]] = {"without windows": {"windows": ()}}
NETWORK: dict[str, dict[str, Any]] = {
    "direct concatenation": {"fusion": "concat"},
    "frozen branches without dropout": {"feature_dropout": 0.0},
    "DFT width 16": {"dft_width": 16},
    "DFT width 256": {"dft_width": 256},
    "paper variant": {"variant": "paper"},
}


def variants(head: str = "closed_form", language: str | None = None, kernels: bool = True) -> dict[str, SystemEntry]:
    """The model as it is, and with each change.

    Args:
        head: see `DeepFeatIoT`. With `"mlp"` there are the learned branches, direct concatenation, other
            widths of the DFT, no dropout of frozen features, and the paper variant of these branches, too.
            Default `"closed_form"`, whose cells take seconds.
        language: see `DeepFeatIoT`; a name, a folder or a file. Default: no language branch.
        kernels: whether number, length, dilation and sampling of the random kernels change, too. Default True.

    Returns:
        entries by the change, `WHOLE` first; a change that is another one by a second name is there once.

    Raises:
        InputError: the head is unknown.
    """
    if head not in BRANCHES:
        raise InputError(f"head is {head!r}; give one of {', '.join(BRANCHES)}")
    names = (*BRANCHES[head], *(("language",) if language else ()))
    whole = {"head": head, **_only(names, names, language)}
    changes: dict[str, dict[str, Any]] = {WHOLE: {}}
    for name in names:
        changes[f"without {name}"] = _only(tuple(other for other in names if other != name), names, language)
    for name in names:
        changes[f"{name} alone"] = _only((name,), names, language)
    changes.update(NETWORK if head == "mlp" else SOLVED)
    if kernels:
        changes.update(KERNELS)
    found: dict[str, SystemEntry] = {}
    options: list[dict[str, Any]] = []
    for change, values in changes.items():
        if (varied := {**whole, **values}) not in options:
            options.append(varied)
            found[change] = ours(f"{head}, {change}", fresh_features=False, **varied)
    return found


# Columns of `effects`.
EFFECTS = ("protocol", "split", "data", "change", "accuracy", "loss", "low", "high", "cohens_d", "pairs")


def effects(cells: pd.DataFrame, entries: dict[str, SystemEntry]) -> pd.DataFrame:
    """What each change costs, on each data set, over the cells that both have.

    Args:
        cells: of `entries`, as `ProtocolResult` explains them.
        entries: from `variants`.

    Returns:
        one row per protocol, split rule, data set and change: `accuracy` with the change, `loss` (accuracy as it is,
        less that), `low` and `high` of its 95 % interval, `cohens_d`, `pairs`; see `paired_difference`.
    """
    ruled = cells.assign(rule=cells["split"].str.split(" ").str[0])
    rows = []
    for (protocol, rule, data), part in ruled.groupby(["protocol", "rule", "data"], sort=False):
        wide = part.pivot_table(index=PAIR, columns="system", values="accuracy")
        whole = entries[WHOLE].title
        for change, entry in entries.items():
            if change != WHOLE and {whole, entry.title} <= set(wide):
                both = wide[[whole, entry.title]].dropna()
                found = paired_difference(list(both[whole]), list(both[entry.title]))
                row = {"protocol": protocol, "split": rule, "data": data, "change": change}
                row |= {"accuracy": both[entry.title].mean(), "loss": found.mean, "low": found.low, "high": found.high}
                rows.append({**row, "cohens_d": found.cohens_d, "pairs": found.pairs})
    return pd.DataFrame(rows, columns=list(EFFECTS))


def _only(kept: tuple[str, ...], names: tuple[str, ...], language: str | None) -> dict[str, Any]:
    """Options of a model with the branches `kept` of `names`."""
    options: dict[str, Any] = {"branches": tuple(name for name in kept if name != "language")}
    return {**options, "language": language if "language" in kept else None} if "language" in names else options
