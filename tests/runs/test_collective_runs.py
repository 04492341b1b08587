import json
import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import read_table
from deepfeatiot_tf.runs import RunSettings, evaluate_run, export_run, predict_run, train_run

TABLE = {"label": "label", "id": "id"}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Devices with an upper and a lower sensor, alike alone; some of them labelled, the others apart."""
    rng = np.random.default_rng(0)
    count, time = 60, 40
    walks = rng.normal(size=(count, time)).cumsum(axis=1) + rng.uniform(-50, 50, (count, 1))
    values = np.concatenate([walks - 2, walks + 2]) + rng.normal(size=(2 * count, time)) / 10
    table = pd.DataFrame(np.round(values, 2), columns=[f"reading_{i}" for i in range(time)])
    table.insert(0, "id", [f"s-{i}" for i in range(2 * count)])
    table.insert(1, "label", np.repeat(["lower", "upper"], count))
    table = table.iloc[rng.permutation(2 * count)]
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


def test_evaluate_names_the_table_together(run, tables, tmp_path):
    report = evaluate_run(run, tables[1], tmp_path / "report")
    predict_run(run, tables[1], tmp_path / "b.csv")
    assert list(pd.read_csv(tmp_path / "b.csv")["confidence"]) == pytest.approx(
        list(report.probabilities.max(axis=1)), abs=1e-4
    )


def test_an_export_names_each_sensor_by_itself_and_says_so(run, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        export_run(run, tmp_path / "sensor_type")
    assert "names each sensor by itself" in caplog.text
    with pytest.raises(InputError, match="train one without --collective"):
        export_run(run, tmp_path / "sure", precision=0.9)
    assert not (tmp_path / "sure").exists()


def test_sensors_beside_are_for_collective_runs(finished, fleet_file, tmp_path):
    with pytest.raises(InputError, match="train it with --collective"):
        predict_run(finished, fleet_file, tmp_path / "a.csv", beside=fleet_file)
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("options", [{"head": "mlp"}, {"validation": 0.2}, {"variant": "paper"}])
def test_a_network_cannot_be_collective(options):
    with pytest.raises(InputError, match="collective goes with the closed-form head"):
        RunSettings(collective=True, **options)
