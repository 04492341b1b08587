"""A fleet that trains in seconds, and a run on it."""

from dataclasses import replace
from pathlib import Path

import pytest

from deepfeatiot_tf.readings import SensorReadings, read_table
from deepfeatiot_tf.runs import RunSettings, train_run
from tests.runs.small_fleet import write_fleet

TABLE = {"label": "label", "id": "id"}


@pytest.fixture(scope="session")
def fleet_file(tmp_path_factory) -> Path:
    return write_fleet(tmp_path_factory.mktemp("fleet") / "fleet.csv")


@pytest.fixture(scope="session")
def fleet(fleet_file) -> SensorReadings:
    return read_table(fleet_file, **TABLE)


@pytest.fixture(scope="session")
def quick() -> RunSettings:
    """Solved in a moment."""
    return RunSettings(branches=("statistics",), head="closed_form", kernels=32)


@pytest.fixture(scope="session")
def trained() -> RunSettings:
    """Trained by gradient, with everything that is random: dropout, order, initial weights."""
    return RunSettings(head="mlp", branches=("statistics",), recipe="deepfeatiot", epochs=6, batch_size=8, balance=True)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, fleet, quick) -> Path:
    """The folder of a finished run, whose files tests leave as they are."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    train_run(fleet, folder, settings=quick, table=TABLE, verbose=0)
    return folder


@pytest.fixture(scope="session")
def tested(tmp_path_factory, fleet, quick) -> Path:
    """The same, but that it keeps the model that was tested."""
    folder = tmp_path_factory.mktemp("runs") / "tested"
    train_run(fleet, folder, settings=replace(quick, deliver="tested"), table=TABLE, verbose=0)
    return folder


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory, fleet, trained) -> Path:
    """The folder of a run that was trained by gradient without interruption; left as it is."""
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    train_run(fleet, folder, settings=trained, table=TABLE, verbose=0)
    return folder
