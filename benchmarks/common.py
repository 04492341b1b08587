"""What the benchmark scripts share: where tables go, and which machine and versions made them."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent / "results"


def circumstances() -> dict[str, str | int]:
    """Columns that every table carries: command, cores, versions."""
    command = " ".join(["python", *(os.path.relpath(a) if os.path.exists(a) else a for a in sys.argv)])
    return {
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
        "tensorflow": version("tensorflow"),
        "keras": version("keras"),
        "command": command,
    }


def write_table(rows: list[dict], path: Path) -> pd.DataFrame:
    """Write `rows` with the circumstances beside and rename; print what was measured."""
    table = pd.DataFrame(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    table.assign(**circumstances()).to_csv(beside, index=False)
    os.replace(beside, path)
    print(table.to_string(index=False))
    return table
