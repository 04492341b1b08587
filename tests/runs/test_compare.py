from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.evaluation.system_entry import SystemEntry
from deepfeatiot_tf.peers import PEERS
from deepfeatiot_tf.runs import RunSettings, compare_run, train_run
from deepfeatiot_tf.runs.train import split_for


class Recorder:
    selects = False

    def __init__(self):
        self.trained, self.asked = [], []

    def fit(self, train, validation=None, **how):
        self.trained.append(set(train.ids))
        self.classes = len(train.class_names)

    def predict(self, readings):
        self.asked.append(set(readings.ids))
        return np.full((len(readings), self.classes), 1 / self.classes)


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    chance = SystemEntry("chance", lambda training: recorder)
    for name, entry in (("multirocket", chance), ("statistics-multirocket", replace(chance, packages=("no_such",)))):
        monkeypatch.setitem(PEERS, name, entry)
    return recorder


def test_peers_learn_all_that_is_not_tested_and_answer_the_run_s_test_part(fleet, recorder, tmp_path):
    settings = RunSettings(head="mlp", branches=("statistics",), epochs=1, validation=0.2)
    report = train_run(fleet, tmp_path, settings=settings, verbose=0)
    seen = []
    table, left_out = compare_run(fleet, tmp_path, report, settings, on_peer=seen.append)
    train, validation, test = (set(part.ids) for part in split_for(fleet, settings))
    assert recorder.trained == [train | validation]
    assert recorder.asked == [test]
    assert seen == ["statistics + extra trees", "statistics + gradient boosting", "chance"]
    assert left_out == ["chance needs no_such (extra peers)"]
    assert table["accuracy"].is_monotonic_decreasing
    row = table.set_index("system").loc["this run"]
    assert row["accuracy"] == report.metrics["accuracy"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "comparison.csv"), table.reset_index(drop=True))
