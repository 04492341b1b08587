import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.comparison.grid import Grid, run_grid
from deepfeatiot_tf.comparison.jobs import Job, seconds_left
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import cell_table
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training
from deepfeatiot_tf.readings import SensorReadings
from tests.comparison.conftest import GaussianNB, entry

MEASURED = ["fit_seconds", "predict_seconds", "peak_memory_mb"]
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths}
from tests.comparison.conftest import GaussianNB, entry, fleet
from deepfeatiot_tf.comparison.grid import Grid, run_grid

def kill(what, done, total, left):
    if done == 3:
        os.kill(os.getpid(), signal.SIGKILL)

systems = {{"bayes": entry("naive Bayes", lambda seed: GaussianNB())}}
run_grid(Grid([fleet("north"), fleet("south", seed=1, spread=5.0)], systems), Path("cells.csv"), kill)
"""


def test_the_same_cell_twice_gives_the_same_row(fleets, systems, tmp_path):
    grid = Grid(fleets, systems, ("honest", "paper"), "resample", seeds=2)
    first, second = (run_grid(grid, tmp_path / name)[0] for name in ("first.csv", "second.csv"))
    assert len(first) == 2 * 2 * 2 * 3
    pd.testing.assert_frame_equal(first.drop(columns=MEASURED), second.drop(columns=MEASURED))


def test_a_killed_run_goes_on_with_the_cells_that_it_lacks(fleets, systems, tmp_path):
    script = KILLED.format(paths=[str(Path(__file__).parents[2])])
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True).returncode == -9
    kept = pd.read_csv(tmp_path / "cells.csv")
    assert len(kept) == 3
    grid = Grid(fleets, {"bayes": systems["bayes"]})
    resumed = run_grid(grid, tmp_path / "cells.csv")[0]
    unbroken = run_grid(grid, tmp_path / "unbroken.csv")[0]
    pd.testing.assert_frame_equal(resumed.head(3)[MEASURED], kept[MEASURED], check_dtype=False)  # not run again
    pd.testing.assert_frame_equal(resumed.drop(columns=MEASURED), unbroken.drop(columns=MEASURED), check_dtype=False)


def test_cells_of_data_that_have_changed_since_are_left_out_and_kept(fleets, systems, tmp_path, caplog):
    table, bayes = tmp_path / "cells.csv", {"bayes": systems["bayes"]}
    run_grid(Grid(fleets, bayes, seeds=1), table)
    north = fleets[0]
    mended = SensorReadings(north.values, labels=np.roll(north.labels, 1), name="north")
    cells, _ = run_grid(Grid([mended], bayes, seeds=1), table)
    assert sorted(cells["data"]) == ["north", "south"]
    assert cells.loc[cells["data"] == "north", "checksum"].tolist() == [mended.checksum]
    assert "1 cells are of data that have changed since" in caplog.text
    assert len(pd.read_csv(table)) == 3


def test_where_no_cell_can_be_kept_nothing_is_trained(fleets, tmp_path):
    trained = []
    counted = {"bayes": entry("naive Bayes", lambda seed: trained.append(seed) or GaussianNB())}
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: the folder cannot be made"):
        run_grid(Grid(fleets, counted), tmp_path / "file" / "cells.csv")
    assert trained == []


def test_a_table_that_can_no_longer_be_written_ends_it_at_once(fleets, tmp_path, monkeypatch):
    trained = []
    counted = {"bayes": entry("naive Bayes", lambda seed: trained.append(seed) or GaussianNB())}

    def full(path, write):
        raise InputError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(cell_table, "write_beside", full)
    with pytest.raises(InputError, match="No space left on device"):
        run_grid(Grid(fleets, counted), tmp_path / "cells.csv")
    assert trained == [0]


def test_systems_that_read_metadata_need_some(fleets, systems, tmp_path):
    readers = {name: replace(system, reads_metadata=True) for name, system in systems.items()}
    with pytest.raises(InputError, match="read metadata, of which these data have none"):
        run_grid(Grid(fleets, readers), tmp_path / "cells.csv")


def test_what_cannot_be_run_has_a_reason_and_the_rest_is_run(fleets, breaking, tmp_path, caplog):
    cells, reasons = run_grid(Grid(fleets, breaking, seeds=2), tmp_path / "cells.csv")
    assert len(cells) == 2 * 2 * 3
    assert reasons == {
        "missing": "needs no_such_package (extra peers)",
        "absent": "nobody wrote it",
        "breaks on north": "RuntimeError: no such shape",
        "breaks on south": "RuntimeError: no such shape",
    }
    assert caplog.text.count("RuntimeError") == 2  # once per data set, not per seed


def test_nothing_to_run_is_an_error(fleets, breaking, tmp_path):
    with pytest.raises(InputError, match="no cell could be run: absent: nobody wrote it"):
        run_grid(Grid(fleets, {"absent": breaking["absent"]}), tmp_path / "cells.csv")


def test_cells_of_other_settings_are_not_taken(fleets, systems, tmp_path):
    network = replace(systems["bayes"], network=True)
    grid = Grid(fleets, {"bayes": network}, seeds=1, training=Training(epochs=5))
    run_grid(grid, tmp_path / "cells.csv")
    with pytest.raises(InputError, match=r'north with the settings \{.*"epochs": 5.* give the same settings'):
        run_grid(replace(grid, training=Training(epochs=6)), tmp_path / "cells.csv")


def test_a_cell_says_what_it_took_and_what_made_it(fleets, systems, tmp_path):
    cell = run_grid(Grid(fleets[:1], systems, seeds=1), tmp_path / "cells.csv")[0].iloc[0]
    assert set(json.loads(cell["f1_by_class"])) == {"co2", "humidity", "temperature"}
    assert {"python", "numpy", "scikit-learn"} <= set(json.loads(cell["versions"]))
    assert cell["settings"] == "{}"
    assert not cell["peak_memory_mb"] < 0  # NaN where the system does not tell


def test_time_left_goes_by_the_same_system_and_data_first(fleets):
    def cell(system, data, seconds):
        return {"system": system, "data": data, "fit_seconds": seconds, "predict_seconds": 0.0}

    def job(system, data):
        return Job(SystemEntry(system), data, "", lambda system: {})

    pending = [job("a", "north"), job("a", "east"), job("c", "north")]
    assert seconds_left([], pending) is None
    cells = [cell("a", "north", 2.0), cell("a", "south", 4.0), cell("b", "north", 9.0)]
    assert seconds_left(cells, pending) == pytest.approx(2 + 3 + 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"readings": []}, "no data"),
        ({"protocols": ("fair",)}, "protocol 'fair' is unknown; give any of honest, paper"),
        ({"splits": "half"}, "splits 'half' is unknown"),
        ({"seeds": 0}, "seeds is 0"),
    ],
)
def test_a_grid_that_means_nothing_is_refused(fleets, systems, change, message):
    with pytest.raises(InputError, match=message):
        Grid(**{"readings": fleets, "systems": systems, **change})


def test_a_data_set_stands_once(fleets, systems):
    with pytest.raises(InputError, match="'north' is named twice"):
        Grid([*fleets, fleets[0]], systems)


def test_a_system_that_reads_metadata_has_no_cell_on_data_without(fleets, systems, tmp_path):
    told = SensorReadings(fleets[0].values, labels=fleets[0].labels, metadata=fleets[0].labels, name="told")
    reader = replace(systems["bayes"], title="reader", reads_metadata=True)
    cells, reasons = run_grid(Grid([told, fleets[1]], {**systems, "reader": reader}, seeds=1), tmp_path / "cells.csv")
    assert list(cells.loc[cells["system"] == "reader", "data"]) == ["told"]
    assert len(cells) == 2 * 3 + 1
    assert reasons == {}
