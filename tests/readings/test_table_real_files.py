"""The published files: exactly the columns that hold readings, and their values."""

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.readings.table import read_table

FILES = {
    "Swiss.csv": (346, [f"reading_{i}" for i in range(445)]),
    "Iowa.csv": (1000, [f"reading_{i}" for i in range(168)]),
    "SBAS.csv": (255, [f"reading_{i}" for i in range(1, 169)]),
    "TS-M.csv": (2121, [f"reading_{i}" for i in range(96)]),
    "TS-N.csv": (1018, [str(i) for i in range(1, 169)]),
    "SensEUR.xlsx": (1090, list(range(1, 195))),
}


@pytest.mark.parametrize(("file", "expected"), FILES.items(), ids=FILES.keys())
def test_published_files_are_read_as_they_stand(data_folder, file, expected):
    rows, columns = expected
    path = data_folder / file
    table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_excel(path)
    read = read_table(path, label="label")
    assert len(read) == rows
    np.testing.assert_array_equal(read.values, table[columns].to_numpy(np.float32))
    assert list(read.labels) == [str(label) for label in table["label"]]
