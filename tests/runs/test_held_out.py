import json
import shutil
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.models import load_model
from deepfeatiot_tf.models.collective_classifier import left_out_answers
from deepfeatiot_tf.readings import SensorReadings
from deepfeatiot_tf.runs import RunFolder, RunSettings, export_run, predict_run, train_run
from deepfeatiot_tf.runs.held_out import held_out_answers, refusal_of
from deepfeatiot_tf.runs.train import split_for
from tests.runs.small_fleet import write_fleet


@pytest.fixture(scope="module")
def new_file(tmp_path_factory):
    return write_fleet(tmp_path_factory.mktemp("held") / "new.csv", series=60, seed=1)


def context(run):
    return json.loads((run / "metrics.json").read_text())["context"]


def test_a_network_is_held_to_its_validation_part_and_scaled_by_what_that_says(unbroken, fleet, trained):
    validation = split_for(fleet, trained)[1]
    kept = pd.read_csv(unbroken / "held_out.csv")
    assert list(kept["id"]) == list(validation.ids)
    assert context(unbroken)["held_out"] == "validation part"
    # What was written is what the saved model says: the temperature is in its weights.
    found = load_model(unbroken / "model.keras").predict({"readings": validation.values}, verbose=0)
    np.testing.assert_allclose(kept["confidence"], found.max(axis=1), atol=1e-5)
    assert 0.05 <= context(unbroken)["temperature"] <= 20
    assert context(unbroken)["temperature"] != 1.0


def test_a_closed_form_head_is_held_to_left_out_series_of_the_training_part(tested, fleet, quick):
    train = split_for(fleet, quick)[0]
    kept = pd.read_csv(tested / "held_out.csv")
    assert list(kept["id"]) == list(train.ids)
    assert list(kept["true_label"]) == list(train.labels)
    assert context(tested)["held_out"] == "training part, each series left out in turn"
    assert "temperature" not in context(tested)


def test_sensors_that_get_no_answer_in_use_are_not_held_out_or_scored_either(fleet, quick, tmp_path, caplog):
    values = fleet.values.copy()
    values[::6] = np.nan
    silent = SensorReadings(values, ids=fleet.ids, labels=fleet.labels)
    report = train_run(silent, tmp_path / "run", settings=quick, verbose=0)
    kept, tested = (pd.read_csv(tmp_path / "run" / name) for name in ("held_out.csv", "predictions.csv"))
    assert set(kept["id"]) == set(fleet.ids) - set(fleet.ids[::6])
    assert set(tested["id"]) < set(kept["id"])
    assert "6 sensors have nothing that the model reads; they teach nothing" in caplog.text
    again = train_run(silent, tmp_path / "run", settings=quick, verbose=0)
    assert again.metrics == report.metrics
    whole = fleet.take(np.arange(len(fleet)) % 6 != 0)
    assert train_run(whole, tmp_path / "whole", settings=quick, verbose=0).metrics == report.metrics


def test_nothing_is_trained_where_no_sensor_has_a_reading(fleet, quick, tmp_path):
    dead = SensorReadings(np.full((9, 4), np.nan), labels=list("abcabcabc"))
    with pytest.raises(InputError, match="no sensor has any reading"):
        train_run(dead, tmp_path / "run", settings=quick, verbose=0)
    assert not (tmp_path / "run").exists()


def test_a_closed_form_head_with_a_validation_part_is_held_to_that(fleet, tmp_path):
    settings = RunSettings(branches=("statistics",), kernels=32, validation=0.3)
    train_run(fleet, tmp_path / "run", settings=settings, verbose=0)
    assert list(pd.read_csv(tmp_path / "run" / "held_out.csv")["id"]) == list(split_for(fleet, settings)[1].ids)


def test_each_left_out_series_is_answered_by_the_head_that_reads_what_it_has():
    """A model with metadata has three heads; each left out only the rows that it was solved on."""
    nan = np.nan
    train = SensorReadings(
        np.array([[1, 2], [nan, nan], [3, 4], [nan, nan]], np.float32),
        labels=["a", "b", "a", "b"],
        metadata=["T1", "T2", " ", ""],
    )
    heads = {"closed_form": 0.9, "closed_form_readings": 0.8, "closed_form_metadata": 0.7}
    rows = {"closed_form": 1, "closed_form_readings": 2, "closed_form_metadata": 2}
    left_out = {head: np.tile(np.float32([sure, 1 - sure]), (rows[head], 1)) for head, sure in heads.items()}
    model: Any = SimpleNamespace(class_names=("a", "b"), reads_metadata=True, left_out=left_out, blend=None)
    report, which = held_out_answers(model, train, train.take(np.arange(0)))
    # Both, metadata alone, readings alone, and nothing, which no head has an answer to, and which is not asked.
    np.testing.assert_allclose(left_out_answers(model, train)[:, 0], [0.9, 0.7, 0.8, 0.5])
    np.testing.assert_allclose(report.probabilities[:, 0], [0.9, 0.7, 0.8])
    assert which == "training part, each series left out in turn"


def test_a_series_alone_in_its_class_is_not_asked_about_unless_all_are():
    left_out = {"closed_form": np.eye(3, dtype=np.float32)}
    model: Any = SimpleNamespace(class_names=("a", "b", "c"), reads_metadata=False, left_out=left_out, blend=None)
    train = SensorReadings([[1.0], [2.0], [3.0]], labels=["a", "b", "a"])
    report, _ = held_out_answers(model, train, train.take(np.arange(0)))
    assert list(report.ids) == ["0", "2"]
    np.testing.assert_array_equal(report.probabilities, left_out["closed_form"][[0, 2]])
    different = SensorReadings([[1.0], [2.0], [3.0]], labels=["a", "b", "c"])
    assert len(held_out_answers(model, different, train.take(np.arange(0)))[0].ids) == 3


def test_a_run_says_unknown_as_its_held_out_series_ask(finished, new_file, tmp_path):
    refusal, facts = refusal_of(RunFolder(finished), 0.9)
    assert predict_run(finished, new_file, tmp_path / "a.csv", precision=0.9, label="") == 60
    labelled = pd.read_csv(tmp_path / "a.csv")
    assert (labelled["label"] == "unknown").tolist() == (labelled["confidence"] < refusal.threshold).tolist()
    version = export_run(finished, tmp_path / "sensor_type", precision=0.9)
    about = json.loads((version / "assets.extra" / "about.json").read_text())
    assert about["threshold"] == pytest.approx(refusal.threshold)
    assert {name: about[name] for name in facts} == facts
    assert facts["held_out_series"] == len(pd.read_csv(finished / "held_out.csv"))


def test_a_precision_that_so_few_series_cannot_promise_is_refused_before_any_work(finished, new_file, tmp_path):
    with pytest.raises(InputError, match=r"run: a precision of 0\.999 cannot be promised: \d+ held-out series"):
        predict_run(finished, new_file, tmp_path / "a.csv", precision=0.999)
    with pytest.raises(InputError, match="cannot be promised"):
        export_run(finished, tmp_path / "sensor_type", precision=0.999)
    assert list(tmp_path.iterdir()) == []


def test_a_run_from_before_there_were_held_out_answers_says_so(finished, new_file, tmp_path):
    old = shutil.copytree(finished, tmp_path / "old")
    (old / "held_out.csv").unlink()
    with pytest.raises(InputError, match=r"old: has no held_out\.csv, which a precision needs"):
        predict_run(old, new_file, tmp_path / "a.csv", precision=0.9)
    predict_run(old, new_file, tmp_path / "a.csv")
