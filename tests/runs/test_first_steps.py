import json

import pandas as pd
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.runs import RunSettings, first_steps, quickstart
from tests.reference.small_gpt2 import write_folder

RUNS = {
    "commonest type": None,
    "frozen features, closed-form head": "run-solved",
    "frozen features, trained head": "run-trained",
}


@pytest.fixture(scope="module")
def settings():
    return {
        "series": 112,
        "new": 16,
        "length": 24,
        "runs": {
            "run-solved": RunSettings(branches=("statistics",), validation=0.15),
            "run-trained": RunSettings(head="mlp", branches=("statistics",), epochs=1, batch_size=8),
        },
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory, settings):
    return quickstart(tmp_path_factory.mktemp("first") / "quickstart", **settings)


def test_everything_that_the_readme_promises_is_there(found):
    for path in ("report.md", "metrics.json", "confusion.png", "model.keras"):
        assert (found.chosen / path).exists()
    assert (found.saved_model / "saved_model.pb").exists()
    assert found.saved_model.relative_to(found.folder).as_posix() == "serving/sensor_type/1"
    assert len(pd.read_csv(found.labelled)) == found.sensors == 16


def test_the_scores_are_those_of_the_reports_and_begin_with_a_floor(found):
    scores = found.scores.set_index("system")
    assert list(scores.index) == list(RUNS)
    for system, run in list(RUNS.items())[1:]:
        written = json.loads((found.folder / run / "metrics.json").read_text())
        assert scores.loc[system, "accuracy"] == written["accuracy"]
    assert scores["accuracy"].iloc[0] < 0.2


def test_the_model_that_is_better_on_the_validation_part_is_kept(found):
    best = found.scores.sort_values("validation_accuracy").iloc[-1]["system"]
    assert found.chosen.name == RUNS[best]


def test_the_validation_part_judges_models_that_had_not_learned_from_it(found):
    scores = found.scores.set_index("system")
    for system, run in list(RUNS.items())[1:]:
        held_out = pd.read_csv(found.folder / run / "held_out.csv")
        assert scores.loc[system, "validation_accuracy"] == (held_out["label"] == held_out["true_label"]).mean()


def test_the_new_sensors_are_labelled_without_their_labels(found):
    new = pd.read_csv(found.folder / "new.csv")
    assert "label" not in new
    fleet = pd.read_csv(found.folder / "fleet.csv")
    assert not set(new["id"]) & set(fleet["id"])
    truth = pd.read_csv(found.folder / "new_truth.csv").set_index("id")["label"]
    labels = pd.read_csv(found.labelled).set_index("id")["label"]
    assert found.right == (labels == truth).mean()


def test_a_second_call_finds_the_finished_runs(found, settings):
    again = quickstart(found.folder, **settings)
    assert again.scores["seconds"].isna().all()
    measures = ["system", "validation_accuracy", "accuracy", "macro_f1", "log_loss"]
    pd.testing.assert_frame_equal(again.scores[measures], found.scores[measures])


@pytest.mark.parametrize("name", ["fleet.csv", "labelled.csv"])
def test_files_of_the_user_are_not_replaced(settings, tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name}: is there already, and no quickstart wrote it"):
        quickstart(tmp_path, **settings)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


@pytest.mark.parametrize("installed", [True, False])
def test_language_features_are_tried_where_their_weights_are_installed(settings, tmp_path, monkeypatch, installed):
    checkpoint = write_folder(tmp_path / "small")
    reading = RunSettings(branches=("statistics",), validation=0.15, language=str(checkpoint))
    monkeypatch.setattr(first_steps, "RUNS", {"run-solved": settings["runs"]["run-solved"]})
    monkeypatch.setattr(first_steps, "WITH_LANGUAGE", {"run-language": reading})
    monkeypatch.setattr(first_steps, "packaged_smollm2", lambda: checkpoint if installed else None)
    quickstart(tmp_path / "quickstart", **{**settings, "runs": None})
    assert (tmp_path / "quickstart" / "run-language" / "report.md").exists() == installed
