"""What sensor types are called in Brick, QUDT and SenML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import pandas as pd

COLUMNS = ("brick_class", "quantity_kind", "senml_unit")


def standard_names(labels: Iterable[str]) -> pd.DataFrame:
    """The names of sensor types in vocabularies that other software knows.

    From a reviewed table, `readings/catalogue/standard_names.toml`, which also says where each name comes from and
    under which prefix it is an IRI. Capitals, spaces and underscores in a label make no difference.

    Args:
        labels: sensor types.

    Returns:
        one row per label, in order, `""` where there is no name that fits for certain: `brick_class` (Brick 1.5, such
        as `brick:Air_Temperature_Sensor`), `quantity_kind` (QUDT, such as `quantitykind:Temperature`, or Brick's own;
        what a SOSA observation has as its observed property) and `senml_unit` (the unit that such sensors usually
        report).

    Example:
        >>> standard_names(["Air Temperature", "flux capacitance"])["senml_unit"].tolist()
        ['Cel', '']
    """
    known = _table()
    rows = [known.get(_key(label), {}) for label in labels]
    return pd.DataFrame({column: [row.get(column, "") for row in rows] for column in COLUMNS}, dtype=object)


@cache
def _table() -> dict[str, dict[str, str]]:
    text = files("deepfeatiot_tf.readings").joinpath("catalogue/standard_names.toml").read_text(encoding="utf-8")
    return {_key(label): entry for entry in tomllib.loads(text).values() for label in entry["labels"]}


def _key(label: str) -> str:
    return "".join(label.replace("_", " ").split()).casefold()
