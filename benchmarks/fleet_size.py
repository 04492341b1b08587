"""How long the default takes to learn from a large fleet, and what memory: simulated sensors of 168 readings.

Seconds of `fit` from the raw readings, with no features on disk, and the memory that the process took beyond what it
held before, in MB. A row that is in the table is not run again.

    python benchmarks/fleet_size.py
    python benchmarks/fleet_size.py --series 500 -o fleet_size.csv
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from common import RESULTS, Cells

import deepfeatiot_tf as dfi
from deepfeatiot_tf.evaluation.peak_memory import watch_peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, nargs="+", default=[2500, 5000, 10000])
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "fleet_size.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["series"])
    for series in options.series:
        if (series,) not in cells:
            seconds, peak = fitted(dfi.simulate_fleet(series))
            cells.add((series,), fit_seconds=round(seconds, 1), peak_memory_mb=round(peak))


def fitted(fleet: dfi.SensorReadings) -> tuple[float, float]:
    """Seconds and MB of a first `fit`."""
    model = dfi.DeepFeatIoT(fleet.class_names)
    model.compile()
    peak = watch_peak()
    start = time.perf_counter()
    with TemporaryDirectory() as empty:
        model.fit(fleet.to_dataset(), verbose=0, feature_cache=empty)
    return time.perf_counter() - start, peak()


if __name__ == "__main__":
    main()
