import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models import CollectiveClassifier
from deepfeatiot_tf.readings import read_table
from deepfeatiot_tf.runs import RunSettings, evaluate_run, export_run, predict_run, train_run
from tests.devices import devices

TABLE = {"label": "label", "id": "id"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Some of the sensors labelled, the others apart."""
    fleet = devices(np.random.default_rng(0), 60)
    table = pd.DataFrame(np.round(fleet.values, 2), columns=[f"reading_{i}" for i in range(fleet.values.shape[1])])
    table.insert(0, "id", [f"s-{i}" for i in range(len(fleet))])
    table.insert(1, "label", fleet.labels)
    folder = tmp_path_factory.mktemp("devices")
    labelled, unlabelled = folder / "labelled.csv", folder / "unlabelled.csv"
    table.iloc[:90].to_csv(labelled, index=False)
    table.iloc[90:].to_csv(unlabelled, index=False)
    return labelled, unlabelled


@pytest.fixture(scope="module")
def collective(quick):
    return replace(quick, collective=True, windows=())


@pytest.fixture(scope="module")
def run(tables, collective, tmp_path_factory):
    folder = tmp_path_factory.mktemp("collective") / "run"
    train_run(read_table(tables[0], **TABLE), folder, settings=collective, table=TABLE, verbose=0)
    return folder


def context(run):
    return json.loads((run / "metrics.json").read_text())["context"]


def test_the_card_says_what_the_other_sensors_are_worth(run):
    told = context(run)
    assert told["held_out_accuracy"] > told["alone_accuracy"] + 0.1
    assert 0 < told["siblings_share"] < 1
    card = (run / "model_card.md").read_text()
    assert "## What the other sensors are worth" in card
    assert "| each by itself |" in card
    held_out = pd.read_csv(run / "held_out.csv")
    assert (held_out["label"] == held_out["true_label"]).mean() == pytest.approx(told["held_out_accuracy"])
    assert (held_out["alone_label"] == held_out["true_label"]).mean() == pytest.approx(told["alone_accuracy"])


def test_balanced_classes_reach_the_second_look(tables, collective, tmp_path, monkeypatch):
    weighed = []
    fit = CollectiveClassifier.fit
    monkeypatch.setattr(
        CollectiveClassifier, "fit", lambda self, train, weights: weighed.append(weights) or fit(self, train, weights)
    )
    readings = read_table(tables[0], **TABLE).take(np.arange(60))
    train_run(readings, tmp_path / "run", settings=replace(collective, balance=True), table=TABLE, verbose=0)
    assert weighed[0].keys() == {0, 1}


def test_a_finished_run_reports_the_same_again(run, tables, collective):
    before = json.loads((run / "metrics.json").read_text())["accuracy"]
    again = train_run(read_table(tables[0], **TABLE), run, settings=collective, table=TABLE, verbose=0)
    assert again.metrics["accuracy"] == pytest.approx(before)


def test_predict_names_a_table_beside_labelled_sensors(run, tables, tmp_path):
    labelled, unlabelled = tables
    done = []
    assert predict_run(run, unlabelled, tmp_path / "a.csv", beside=labelled, progress=done.append) == 30
    assert done == [30]
    truth = pd.read_csv(unlabelled)["label"]
    beside = (pd.read_csv(tmp_path / "a.csv")["label"] == truth).mean()
    predict_run(run, unlabelled, tmp_path / "b.csv")
    among_themselves = (pd.read_csv(tmp_path / "b.csv")["label"] == truth).mean()
    assert beside > 0.85
    assert beside > among_themselves


def test_evaluate_names_the_table_together(run, tables, tmp_path, caplog):
    labelled, unlabelled = tables
    evaluate_run(run, unlabelled, tmp_path / "itself", beside=unlabelled)
    assert "30 sensors have the readings of one beside them" in caplog.text
    for name, beside in {"among themselves": None, "beside": labelled}.items():
        report = evaluate_run(run, unlabelled, tmp_path / name, beside=beside)
        predict_run(run, unlabelled, tmp_path / "b.csv", beside=beside)
        told = list(pd.read_csv(tmp_path / "b.csv")["confidence"])
        assert told == pytest.approx(list(report.probabilities.max(axis=1)), abs=1e-4)
        context = json.loads((tmp_path / name / "metrics.json").read_text())["context"]
        assert context["beside"] == (None if beside is None else str(beside))


def test_an_export_names_a_table_together_as_predict_does(run, tables, tmp_path, caplog):
    labelled, unlabelled = (pd.read_csv(each) for each in tables)
    # Alone these sensors are told apart no better than by chance.
    with caplog.at_level(logging.WARNING):
        version = export_run(run, tmp_path / "sensor_type", precision=0.6)
    assert "(each sensor by itself)" in caplog.text
    about = json.loads((version / "assets.extra" / "about.json").read_text())
    assert about["threshold"] > 1.0
    alone = tf.saved_model.load(str(version)).signatures["serving_default"]
    sure = tf.constant(labelled.filter(like="reading_").to_numpy(np.float32))
    assert set(alone(readings=sure)["label"].numpy()) == {b"unknown"}
    assert about["answered_share"] == 0.0
    assert about["together"]["threshold"] < 1
    with pytest.raises(InputError, match="cannot be promised"):
        export_run(run, tmp_path / "sure", precision=0.999)
    assert not (tmp_path / "sure").exists()
    served = tf.saved_model.load(str(version)).signatures["together"]
    both = pd.concat([labelled, unlabelled])
    known = [*labelled["label"], *[""] * len(unlabelled)]
    readings = both.filter(like="reading_").to_numpy(np.float32)
    answers = served(readings=tf.constant(readings), known_label=tf.constant(known))
    assert [each.decode() for each in answers["label"].numpy()[: len(labelled)]] == list(labelled["label"])
    predict_run(run, tables[1], tmp_path / "a.csv", beside=tables[0], precision=0.6)
    live = pd.read_csv(tmp_path / "a.csv")
    assert [each.decode() for each in answers["label"].numpy()[len(labelled) :]] == list(live["label"])
    np.testing.assert_allclose(answers["confidence"].numpy()[len(labelled) :], live["confidence"], atol=1e-4)


def test_a_file_for_a_gateway_names_each_sensor_by_itself_and_says_so(run, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        export_run(run, tmp_path / "sensor_type.tflite")
    assert "names each sensor by itself" in caplog.text


def test_sensors_beside_are_for_collective_runs(finished, fleet_file, tmp_path):
    with pytest.raises(InputError, match="train it with --collective"):
        predict_run(finished, fleet_file, tmp_path / "a.csv", beside=fleet_file)
    with pytest.raises(InputError, match="train it with --collective"):
        evaluate_run(finished, fleet_file, tmp_path / "report", beside=fleet_file)
    assert not list(tmp_path.iterdir())


def test_labelled_sensors_beside_are_not_written_over(run, tables):
    before = tables[0].read_text()
    with pytest.raises(InputError, match="is the table of the sensors beside"):
        predict_run(run, tables[1], tables[0], beside=tables[0])
    assert tables[0].read_text() == before


def test_a_run_copied_without_its_second_look_names_nothing_in_silence(run, tables, tmp_path):
    copied = Path(shutil.copytree(run, tmp_path / "copied"))
    (copied / "collective.keras").unlink()
    with pytest.raises(InputError, match=r"collective.keras: is missing; copy the whole folder"):
        predict_run(copied, tables[1], tmp_path / "a.csv")


@pytest.mark.parametrize("options", [{"head": "mlp"}, {"validation": 0.2}, {"variant": "paper"}])
def test_a_network_cannot_be_collective(options):
    with pytest.raises(InputError, match="collective goes with the closed-form head"):
        RunSettings(collective=True, **options)
