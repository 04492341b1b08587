"""Builds the API reference from the docstrings: `python docs/api.py [FOLDER]`, by default into build/api."""

import sys
from importlib import import_module
from pathlib import Path

import pdoc

PACKAGE = "deepfeatiot_tf"
ROOMS = ("readings", "language", "layers", "models", "training", "evaluation", "serving", "runs")
MODULES = (PACKAGE, *(f"{PACKAGE}.{room}" for room in ROOMS))


def build(folder: Path) -> None:
    """Write the pages of the package and of its public rooms.

    Args:
        folder: made if missing.
    """
    for name in MODULES:
        module = import_module(name)
        # pdoc reads names off the module, so those that load on first use have to be there.
        vars(module).update({public: getattr(module, public) for public in module.__all__})
    pdoc.render.configure(docformat="google", show_source=False)
    pdoc.pdoc(*MODULES, rf"!{PACKAGE}\.\w+\.", output_directory=folder)


if __name__ == "__main__":
    build(Path(*sys.argv[1:2] or ("build", "api")))
