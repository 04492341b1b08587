"""How much memory a stretch of work takes at most."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

CLEAR_PEAK = "5"  # proc(5), clear_refs: the peak starts again from what is resident now


def watch_peak() -> Callable[[], float]:
    """Start watching; the function returned says what the most was since then.

    Returns:
        a function to the process's peak resident memory in MB, what was resident at the start included: most of it is
        the libraries. NaN where the system does not tell (it is Linux that does).
    """
    process = Path("/proc/self")
    try:
        (process / "clear_refs").write_text(CLEAR_PEAK)
    except OSError:
        return lambda: math.nan

    def peak() -> float:
        status = (process / "status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    return peak
