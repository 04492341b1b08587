"""What copies in other units and to fewer decimals cost on the site that was learned from.

The default on resampled splits, with and without `units`; how such models carry over to another site is in
`transfer_shift.csv`. Writes one row per data set, split and way. A row that is in the table is not run again.

    python benchmarks/other_sites.py
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from common import RESULTS, Cells

import deepfeatiot_tf as dfi

UNITS = {
    "swiss": {"Temperature": "degC", "Pressure": "hPa", "Wind Speed": "m/s"},
    "iowa": {
        "Air Temperature": "degF",
        "Dew Point": "degF",
        "Apparent Temperature": "degF",
        "Pressure Altimeter": "inHg",
    },
    "sbas": {"temperature": "degC"},
}
SCORES = ("accuracy", "macro_f1", "log_loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=UNITS, default=list(UNITS))
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "other_sites.csv")
    options = parser.parse_args()
    cells = Cells(options.output, ["data", "split", "way"])
    for data in options.data:
        readings = dfi.load_dataset(data)
        for split in range(options.splits):
            train, _, test = dfi.split(readings, seed=split, validation=0)
            for way, units in (("as it is", None), ("decimals", {}), ("units and decimals", UNITS[data])):
                if (data, split, way) in cells:
                    continue
                model = dfi.DeepFeatIoT(readings.class_names, units=units)
                model.compile()
                begun = time.perf_counter()
                model.fit(train.to_dataset(), verbose=0)
                seconds = time.perf_counter() - begun
                found = dfi.evaluate(model, test).metrics
                cells.add((data, split, way), **{each: found[each] for each in SCORES}, fit_seconds=seconds)
    columns = [*SCORES, "fit_seconds"]
    print(cells.table.groupby(["data", "way"], sort=False)[columns].mean().round(3).to_string())


if __name__ == "__main__":
    main()
