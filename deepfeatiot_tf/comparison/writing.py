"""Tables and pictures of a report, as files and Markdown."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from deepfeatiot_tf.files import write_beside


def picture(figure: Figure, path: Path, title: str) -> str:
    """Write the figure, and give the Markdown that shows it from the same folder.

    Raises:
        InputError: the file cannot be written.
    """
    write_beside(path, partial(figure.savefig, format="png", dpi=130, bbox_inches="tight", pad_inches=0.12))
    return f"![{title}]({path.name})"


def markdown_table(table: pd.DataFrame) -> str:
    """The table with its column names, as Markdown; a remark where it is empty."""
    if table.empty:
        return "(nothing)"
    rows = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
