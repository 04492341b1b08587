"""How much memory a stretch of work takes at most."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

PROCESS = Path("/proc/self")
CLEAR_PEAK = "5"  # proc(5), clear_refs: the peak starts again from what is resident now


def watch_peak() -> Callable[[], float]:
    """Start watching; the function returned says how much the most was since then.

    Returns:
        a function to the peak of the process's resident memory in MB, less what was resident at the start: libraries
        and data. What earlier work left free inside the process and is used again is not seen. NaN where the system
        does not tell (Linux does).
    """
    try:
        (PROCESS / "clear_refs").write_text(CLEAR_PEAK)
    except OSError:
        return lambda: math.nan
    before = _status("VmRSS")
    return lambda: max(_status("VmHWM") - before, 0.0)


def _status(field: str) -> float:
    lines = (PROCESS / "status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024
