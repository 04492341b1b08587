"""The report of the committed comparison: `report.md` and its pictures, out of the tables in `results/`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pandas as pd
from common import RESULTS

from deepfeatiot_tf.comparison.report import write_report

TABLES = ("comparison_paper.csv", "comparison_resample.csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS / "report", help="folder of the report")
    options = parser.parse_args()
    cells = pd.concat([pd.read_csv(RESULTS / name) for name in TABLES], ignore_index=True)
    print(write_report(cells, {}, options.output))


if __name__ == "__main__":
    main()
