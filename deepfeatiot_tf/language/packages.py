"""Weights that a package carries."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def folder_of(module: str) -> Path | None:
    """The folder of an installed package; None where it is not installed.

    The package is looked into, never imported: it may want what is not needed here, such as a server or PyTorch.
    """
    spec = importlib.util.find_spec(module)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None
