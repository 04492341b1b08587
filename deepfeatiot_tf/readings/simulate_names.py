"""What the owner of a simulated sensor wrote about it: in his language, with its unit, or nothing of use."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

LANGUAGES = ("en", "de", "fr", "it", "es", "pt")


@cache
def _names() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("catalogue/sensor_names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def describe(rng: np.random.Generator, label: str, unit: str, language: str) -> str:
    """Metadata text of one sensor: one in ten blank, one in seven useless, some wrongly decoded."""
    names = _names()
    luck = rng.random()
    if luck < 0.1:
        return ""
    if luck < 0.25:
        return _pick(rng, names["useless"])
    text = _restyle(rng, _pick(rng, names[label][language]))
    if rng.random() < 0.25:
        text = f"{text} {_pick(rng, names['places'])}"
    if unit and rng.random() < 0.25:
        text = f"{text} {_pick(rng, ['[{}]', '({})', 'in {}', '{}']).format(unit)}"
    if rng.random() < 0.04:
        text = text.encode("utf-8").decode("latin-1")
    return text


def _restyle(rng: np.random.Generator, text: str) -> str:
    style = rng.integers(8)
    if style == 0:
        return text.lower()
    if style == 1:
        return text.upper()
    if style == 2:
        return text.replace(" ", "_")
    return text


def _pick(rng: np.random.Generator, texts: list[str]) -> str:
    return texts[rng.integers(len(texts))]
