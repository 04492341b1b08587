"""Metadata text as it was meant: damaged encodings undone, dictionaries in words."""

from __future__ import annotations

import ast

import ftfy

# NFC alone: the compatibility forms would rewrite units (µ, ², ℃). Quotes and ligatures are repaired, marks stay.
REPAIRS = ftfy.TextFixerConfig(normalization="NFC", explain=False)


def repaired(text: str) -> str:
    """A text about a sensor, repaired.

    Text that was decoded wrongly is decoded rightly ("UmiditÃ " becomes "Umidità"), entities and control characters are
    resolved, white space is one space. A dictionary in Python's or JSON's spelling becomes its entries:
    `"{'units': '%', 'site': None}"` becomes `"units: %"`. Units keep their signs.

    Reference: ftfy (Speer, 2019).
    """
    text = " ".join(ftfy.fix_text(text, REPAIRS).split())
    return _entries(text) if text.startswith("{") and text.endswith("}") else text


def _entries(text: str) -> str:
    spelled = text.replace(": null", ": None").replace(": true", ": True").replace(": false", ": False")
    try:
        entries = ast.literal_eval(spelled)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    if not isinstance(entries, dict):
        return text
    said = {key: value for key, value in entries.items() if value is not None and value != ""}
    return ", ".join(f"{key}: {value}" for key, value in said.items())
