import json

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf import SensorReadings
from deepfeatiot_tf.evaluation import Report
from deepfeatiot_tf.evaluation.markdown import percent
from deepfeatiot_tf.runs import RunFolder, RunSettings, train_run
from deepfeatiot_tf.runs.model_card import _types
from tests.reference.small_gpt2 import write_folder


@pytest.fixture(scope="module")
def run(fleet, tmp_path_factory):
    """Two kinds told apart by their level, one of them with a wrong label that training has to meet."""
    labels = fleet.labels.copy()
    labels[5] = labels[6]
    mislabelled = SensorReadings(fleet.values, ids=fleet.ids, labels=labels, name="one wrong")
    folder = tmp_path_factory.mktemp("runs") / "run"
    train_run(mislabelled, folder, settings=RunSettings(kernels=16, augmented_copies=1, units={}), verbose=0)
    return folder, fleet.ids[5]


def test_the_card_says_what_is_lost_without_each_branch(run):
    card = (run[0] / "model_card.md").read_text(encoding="utf-8")
    parts = ("randomized", "statistics", "windows of each series", "augmented copies of each series")
    parts += ("copies in other units and decimals",)
    for row in ("the whole model", *(f"without {part}" for part in parts)):
        assert f"| {row} | " in card
    assert "each series left out in turn" in card
    assert "Augmented copies are for sensors with another logger" in card
    assert "are for sensors of another site than this" in card


def test_a_wrong_label_of_the_training_part_is_the_first_suspect(run):
    folder, wrong = run
    tested = pd.read_csv(folder / "predictions.csv", dtype={"id": str})["id"]
    if wrong in set(tested):
        pytest.fail("the wrong label lies in the test part: choose another series")
    suspects = pd.read_csv(folder / "suspects.csv", dtype={"id": str})
    assert suspects["id"].iloc[0] == wrong
    assert f"| {wrong} | " in (folder / "model_card.md").read_text(encoding="utf-8")


def test_readings_as_text_alone_have_nothing_to_be_left_out(fleet, tmp_path):
    checkpoint = write_folder(tmp_path / "gpt2")
    settings = RunSettings(branches=(), language=str(checkpoint), windows=())
    train_run(fleet, tmp_path / "run", settings=settings, verbose=0)
    card = (tmp_path / "run" / "model_card.md").read_text(encoding="utf-8")
    assert "| the whole model | " in card
    assert "| without " not in card


def test_a_network_is_not_trained_again_for_its_card(fleet, tmp_path):
    settings = RunSettings(head="mlp", branches=("statistics",), epochs=1)
    train_run(fleet, tmp_path / "run", settings=settings, verbose=0)
    assert "deepfeatiot ablate" in (tmp_path / "run" / "model_card.md").read_text(encoding="utf-8")


def test_a_run_that_is_killed_at_its_card_is_not_taken_for_finished(fleet, quick, tmp_path, monkeypatch):
    def killed(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("deepfeatiot_tf.runs.train.model_card", killed)
        with pytest.raises(KeyboardInterrupt):
            train_run(fleet, tmp_path / "run", settings=quick, verbose=0)
    assert not RunFolder(tmp_path / "run").finished
    train_run(fleet, tmp_path / "run", settings=quick, verbose=0)
    assert (tmp_path / "run" / "model_card.md").exists()


def test_the_card_of_a_blend_says_what_its_network_counts_for(fleet, tmp_path):
    settings = RunSettings(head="blend", branches=("statistics",), epochs=2, kernels=32)
    train_run(fleet, tmp_path / "run", settings=settings, verbose=0)
    card = (tmp_path / "run" / "model_card.md").read_text(encoding="utf-8")
    context = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))["context"]
    assert 0 < context["learned_share"] < 1
    assert f"The network counts for {percent(context['learned_share'])} of an answer" in card


def test_a_type_that_is_never_misread_is_not_among_the_weak(fleet):
    right = Report(fleet, fleet.class_names, np.eye(len(fleet.class_names))[fleet.label_indices])
    assert "| strong |" in _types(right)
    assert "| weak |" not in _types(right)
    wrong = right.probabilities.copy()
    wrong[0] = np.roll(wrong[0], 1)
    assert "| weak |" in _types(Report(fleet, fleet.class_names, wrong))
