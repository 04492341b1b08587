import errno
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import evaluate
from deepfeatiot_tf.models import load_model
from deepfeatiot_tf.models.frozen_feature_model import FrozenFeatureModel
from deepfeatiot_tf.runs import RunFolder, RunSettings, train_run
from deepfeatiot_tf.runs.train import split_for
from deepfeatiot_tf.training.windows import default_windows, windows_of
from tests.reference.small_gpt2 import write_folder
from tests.runs.interruption import Stops

TABLE = {"label": "label", "id": "id"}

KILLED_AFTER_THREE_EPOCHS = """
import os, sys
import keras
from deepfeatiot_tf.readings import read_table
from deepfeatiot_tf.runs import RunSettings, train_run
from deepfeatiot_tf.training import RunCheckpoint

class Kill(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            os._exit(9)

RunCheckpoint.__init__.__kwdefaults__["every_seconds"] = 0
fleet = read_table(sys.argv[1], label="label", id="id")
settings = RunSettings(
    head="mlp", branches=("statistics",), recipe="deepfeatiot", epochs=6, batch_size=8, balance=True
)
table = {"label": "label", "id": "id"}
train_run(fleet, sys.argv[2], settings=settings, table=table, callbacks=[Kill()], verbose=0)
"""


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_settings_that_change_nothing_are_named(fleet, quick, tmp_path, caplog):
    train_run(fleet, tmp_path / "run", settings=replace(quick, epochs=3, ngrams=False), table=TABLE, verbose=0)
    assert "without effect on this model (deepfeatiot, head closed_form): ngrams, kernels, epochs" in caplog.text


def test_a_finished_run_has_all_its_files_and_nothing_of_the_way_there(unbroken):
    assert files(unbroken) == {
        *("settings.json", "model.keras", "model_card.md", "report.md", "metrics.json", "history.csv"),
        *(
            "predictions.csv",
            "probabilities.csv",
            "held_out.csv",
            "suspects.csv",
            "confusion.png",
            "reliability.png",
            "misread.png",
            "learning_curves.png",
        ),
    }


@pytest.mark.parametrize("network", [False, True])
def test_a_run_computes_the_features_of_each_series_once(fleet, quick, trained, network, tmp_path, monkeypatch):
    asked = []
    call = FrozenFeatureModel.call

    def watched(self, inputs, **kwargs):
        asked.append(set(inputs))
        return call(self, inputs, **kwargs)

    monkeypatch.setattr(FrozenFeatureModel, "call", watched)
    settings = replace(trained, epochs=1) if network else replace(quick, deliver="tested")
    train_run(fleet, tmp_path / "run", settings=settings, feature_cache=tmp_path / "features", verbose=0)
    assert asked
    assert all("statistics_features" in given for given in asked)  # or the whole graph would run


def test_the_record_says_all_that_decided_the_result(unbroken, fleet, trained):
    record = RunFolder(unbroken).record()
    assert record["settings"] == trained.to_json()
    assert record["data"]["checksum"] == fleet.checksum
    assert record["table"] == TABLE
    assert sum(record["split"].values()) == len(fleet)
    assert {"python", "tensorflow", "keras", "numpy", "deepfeatiot_tf"} <= set(record["versions"])


def test_the_report_says_that_the_protocol_was_honest_and_which_epoch_was_kept(unbroken):
    history = pd.read_csv(unbroken / "history.csv")
    context = json.loads((unbroken / "metrics.json").read_text())["context"]
    assert context["protocol"] == "honest"
    assert context["best_epoch"] == history["val_loss"].idxmin() + 1
    assert list(history["epoch"]) == [1, 2, 3, 4, 5, 6]


def test_the_saved_model_is_the_one_that_was_tested(unbroken, fleet, trained):
    test = split_for(fleet, trained)[2]
    report = evaluate(load_model(unbroken / "model.keras"), test)
    written = json.loads((unbroken / "metrics.json").read_text())
    assert report.metrics["log_loss"] == pytest.approx(written["log_loss"], abs=1e-6)
    answers = pd.read_csv(unbroken / "predictions.csv")
    assert list(answers["id"]) == list(test.ids)
    assert list(answers["true_label"]) == list(test.labels)
    assert (answers["label"] == answers["true_label"]).mean() == pytest.approx(written["accuracy"])
    assert (answers["runner_up_confidence"] <= answers["confidence"]).all()


def test_a_killed_run_goes_on_and_ends_as_an_unbroken_one(unbroken, fleet, fleet_file, trained, tmp_path):
    folder = tmp_path / "run"
    script = [sys.executable, "-c", KILLED_AFTER_THREE_EPOCHS, fleet_file, folder]
    assert subprocess.run(script, check=False, capture_output=True).returncode == 9
    assert files(folder) == {"settings.json", "training_state.npz"}
    train_run(fleet, folder, settings=trained, table=TABLE, verbose=0)
    assert files(folder) == files(unbroken)
    for name in ("metrics.json", "history.csv", "predictions.csv", "held_out.csv", "settings.json"):
        assert (folder / name).read_text() == (unbroken / name).read_text()
    weights, expected = (load_model(path / "model.keras").get_weights() for path in (folder, unbroken))
    for mine, theirs in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.fixture(scope="module", params=["blend", "mlp"])
def trained_twice(request, fleet, tmp_path_factory):
    """Settings of a run whose model learns from the validation part in the end, and its folder, unbroken."""
    options = {"branches": ("randomized", "statistics"), "kernels": 32, "epochs": 4, "batch_size": 8}
    settings = RunSettings(head=request.param, **options)
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    train_run(fleet, folder, settings=settings, verbose=0)
    return settings, folder


@pytest.mark.parametrize(
    ("trained_twice", "training", "states"),
    [("blend", 1, {"training_state.npz"}), ("mlp", 2, {"training_state.npz", "refit_state.npz"})],
    indirect=["trained_twice"],
)
def test_interrupted_in_either_training_a_run_goes_on_and_ends_as_an_unbroken_one(
    fleet, trained_twice, tmp_path, training, states
):
    (settings, unbroken), folder = trained_twice, tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train_run(fleet, folder, settings=settings, callbacks=[Stops(training)], verbose=0)
    assert files(folder) == {"settings.json", *states}
    train_run(fleet, folder, settings=settings, verbose=0)
    assert files(folder) == files(unbroken)
    for name in ("history.csv", "predictions.csv", "held_out.csv"):
        assert (folder / name).read_text() == (unbroken / name).read_text()
    weights = [load_model(path / "model.keras").get_weights() for path in (folder, unbroken)]
    for mine, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_what_chooses_no_epoch_learns_from_the_validation_part_in_the_end(fleet, trained_twice):
    settings, folder = trained_twice
    train, validation, _ = split_for(fleet, settings)
    model = load_model(folder / "model.keras")
    (scale,) = (layer for layer in model.network.layers if layer.name == "statistics_standardized")
    values = np.concatenate([train.values, validation.values])
    if settings.head == "blend":  # whose closed-form head learns from windows, too
        values = np.concatenate([values, windows_of(values, default_windows(len(values)))[0]])
    raw = model.frozen["statistics"](values)
    np.testing.assert_allclose(scale.mean, np.mean(raw, axis=0), rtol=1e-4, atol=1e-4)
    kept = pd.read_csv(folder / "held_out.csv")  # from before, of series that had not been learned from
    assert list(kept["id"]) == list(validation.ids)
    found = model.predict({"readings": validation.values}, verbose=0).max(axis=1)
    assert not np.allclose(kept["confidence"], found, atol=1e-3)


def test_a_run_killed_between_training_and_report_only_makes_up_for_the_rest(
    unbroken, fleet, trained, tmp_path, monkeypatch
):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("deepfeatiot_tf.runs.learning.evaluate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_run(fleet, folder, settings=trained, table=TABLE, verbose=0)
    assert "report.md" not in files(folder)
    train_run(fleet, folder, settings=trained, table=TABLE, verbose=0)
    assert (folder / "metrics.json").read_text() == (unbroken / "metrics.json").read_text()


def test_a_finished_run_is_not_trained_again(finished, fleet, quick):
    before = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    report = train_run(fleet, finished, settings=quick, table=TABLE, verbose=0)
    assert {path.name: path.stat().st_mtime_ns for path in finished.iterdir()} == before
    assert report.metrics["accuracy"] == json.loads((finished / "metrics.json").read_text())["accuracy"]


def test_other_settings_in_the_same_folder_are_named_and_nothing_is_touched(finished, fleet, quick):
    before = files(finished)
    with pytest.raises(InputError, match=r"seed=0, not 7; give the same again .* -o, or --restart") as caught:
        train_run(fleet, finished, settings=replace(quick, seed=7), verbose=0)
    assert "\n" not in str(caught.value)
    assert files(finished) == before


def test_another_way_to_read_the_table_is_named(finished, fleet, quick):
    with pytest.raises(
        InputError, match=r"holds a run with id=id, not None; missing=None, not \['-999'\]; give the same"
    ):
        train_run(fleet, finished, settings=quick, table={"label": "label", "missing": ["-999"]}, verbose=0)


def test_other_data_in_the_same_folder_are_refused(finished, fleet, quick):
    with pytest.raises(InputError, match=r"holds a run on other data \(fleet.csv, 36 series, SHA-256"):
        train_run(fleet.take(range(30)), finished, settings=quick, verbose=0)


def test_restart_begins_anew(finished, fleet, quick, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    train_run(fleet, folder, settings=replace(quick, seed=7), restart=True, verbose=0)
    assert RunFolder(folder).record()["settings"]["seed"] == 7
    assert RunFolder(folder).finished


def test_files_of_the_user_are_never_replaced_not_even_by_restart(tmp_path, fleet, quick):
    (tmp_path / "report.md").write_text("mine")
    with pytest.raises(InputError, match=r"has a report.md but no settings.json, so it is no run folder"):
        train_run(fleet, tmp_path, settings=quick, restart=True, verbose=0)
    assert (tmp_path / "report.md").read_text() == "mine"


def test_foreign_settings_are_not_taken_for_a_run(tmp_path, fleet, quick):
    (tmp_path / "settings.json").write_text('{"theme": "dark"}')
    with pytest.raises(InputError, match=r"settings.json: not the settings of a run"):
        train_run(fleet, tmp_path, settings=quick, restart=True, verbose=0)


def test_options_that_the_model_cannot_have_are_one_line_and_leave_no_folder(tmp_path, fleet):
    with pytest.raises(InputError, match='head="closed_form" reads frozen features alone') as caught:
        train_run(fleet, tmp_path / "run", settings=RunSettings(branches=("local",), head="closed_form"), verbose=0)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_fleet_too_small_to_select_on_is_refused(tmp_path, fleet, trained):
    with pytest.raises(InputError, match="is none to select on; raise it"):
        train_run(fleet.take(range(9)), tmp_path / "run", settings=replace(trained, validation=0.01), verbose=0)


def test_a_full_disk_at_the_end_leaves_no_model_and_a_run_that_can_go_on(tmp_path, fleet, quick, monkeypatch):
    def full(self, path, *args, **kwargs):
        Path(path).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("deepfeatiot_tf.models.DeepFeatIoT.save", full)
        with pytest.raises(InputError, match=r"model\.keras: cannot be written \(No space left .*the same command"):
            train_run(fleet, tmp_path, settings=quick, verbose=0)
    assert files(tmp_path) == {"settings.json"}
    train_run(fleet, tmp_path, settings=quick, verbose=0)
    assert RunFolder(tmp_path).finished


def test_a_run_says_which_language_model_it_reads_with(fleet, quick, tmp_path):
    checkpoint = write_folder(tmp_path / "small")
    settings = replace(quick, language=str(checkpoint))
    train_run(fleet, tmp_path / "run", settings=settings, table=TABLE, verbose=0)
    described = load_model(tmp_path / "run" / "model.keras").language.describe()
    assert RunFolder(tmp_path / "run").record()["language"] == described
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["context"]["language"] == described
    report = (tmp_path / "run" / "report.md").read_text()
    for fact in described.values():
        assert fact in report


def test_a_language_model_that_is_not_there_leaves_no_folder(fleet, quick, tmp_path):
    with pytest.raises(InputError, match="no language encoder"):
        train_run(fleet, tmp_path / "run", settings=replace(quick, language="nowhere"), verbose=0)
    assert not (tmp_path / "run").exists()
