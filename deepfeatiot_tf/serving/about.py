"""What an exported folder says about itself, beside the graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import deepfeatiot_tf
from deepfeatiot_tf.errors import InputError

ABOUT_FILE = Path("assets.extra", "about.json")  # TF Serving leaves this folder to others


def about_text(threshold: float, facts: Mapping[str, Any]) -> str:
    """JSON of version and threshold, which further facts do not replace, and of these."""
    ours = {"deepfeatiot_tf": deepfeatiot_tf.__version__, "threshold": threshold}
    return json.dumps({**ours, **facts, **ours}, indent=2, ensure_ascii=False) + "\n"


def write_about(folder: Path, threshold: float, facts: Mapping[str, Any]) -> None:
    """Put `assets.extra/about.json` into the SavedModel `folder`: version, threshold and further facts."""
    path = folder / ABOUT_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(about_text(threshold, facts), encoding="utf-8")


def read_threshold(folder: Path) -> float:
    """The confidence below which the graph in `folder` withholds its label; 0, never, for one without such a file.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / ABOUT_FILE
    if not path.is_file():
        return 0.0
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["threshold"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); export the model again") from error
