"""Figures of the DeepFeatIoT paper, to stand beside ours under the paper protocol."""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """Accuracy and macro F1, as shares."""

    accuracy: float
    macro_f1: float


_DATA = ("Swiss", "Urban", "Iowa", "SBAS")
# DeepFeatIoT (arXiv 2508.09468), table 2: accuracy / macro F1 in %, the best epoch chosen on the test part.
_TABLE_2 = {
    "InceptionTime": "67.31/58.93 90.31/80.76 96.67/96.70 97.40/97.42",
    "H-InceptionTime": "75.00/62.66 90.94/81.01 96.67/96.70 97.40/97.41",
    "PatchTST": "62.50/56.86 85.63/74.54 87.99/87.96 89.62/89.50",
    "PatchTSMixer": "71.15/57.41 90.31/84.80 92.00/92.02 100/100",
    "GPT4TS": "70.19/62.54 86.56/80.98 88.33/88.22 100/100",
    "ROCKET": "75.00/72.13 90.31/82.81 91.00/91.02 97.40/97.48",
    "MultiROCKET": "84.62/82.76 96.56/95.23 95.00/94.96 98.70/98.74",
    "MACE": "86.54/84.01 92.25/88.74 91.01/91.04 97.40/97.49",
    "DeepHeteroIoT": "86.54/82.92 96.88/94.44 96.01/96.05 100/100",
    "DeepFeatIoT": "91.35/90.98 97.19/94.79 99.33/99.33 100/100",
}


def published(title: str, data: str) -> Published | None:
    """The paper's figure for a system, with or without a remark after a comma, on a data set; None if it has none."""
    row = _TABLE_2.get(title.partition(",")[0])
    if row is None or data not in _DATA:
        return None
    accuracy, macro_f1 = row.split()[_DATA.index(data)].split("/")
    return Published(float(accuracy) / 100, float(macro_f1) / 100)
