"""Which model a run leaves behind, and that no score of its report is of one that had seen the test part."""

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import evaluate
from deepfeatiot_tf.models import load_model
from deepfeatiot_tf.runs import RunFolder, RunSettings, train_run
from deepfeatiot_tf.runs.train import split_for
from tests.runs.interruption import Stops


def scores(folder):
    found = json.loads((folder / "metrics.json").read_text())
    return {name: found[name] for name in ("accuracy", "macro_f1", "log_loss", "ece")}


def learned_mean(folder):
    model = load_model(folder / "model.keras")
    return model, np.array(model.network.get_layer("statistics_standardized").mean)


def mean_of(model, *parts):
    values = np.concatenate([part.values for part in parts])
    return np.mean(model.frozen["statistics"](values), axis=0)


def test_the_model_learns_from_all_series_once_it_is_tested(finished, tested, fleet, quick):
    assert quick.deliver == "all"
    assert scores(finished) == scores(tested)
    assert (finished / "predictions.csv").read_text() == (tested / "predictions.csv").read_text()
    report = evaluate(load_model(tested / "model.keras"), split_for(fleet, quick)[2])
    assert report.metrics["log_loss"] == pytest.approx(scores(tested)["log_loss"], abs=1e-6)
    again = evaluate(load_model(finished / "model.keras"), split_for(fleet, quick)[2])
    assert again.metrics["log_loss"] < scores(finished)["log_loss"]


def test_held_out_answers_are_those_of_the_model_in_the_folder(finished, tested, fleet, quick):
    for folder, series, which in (
        (finished, fleet, "all labelled series, each left out in turn"),
        (tested, split_for(fleet, quick)[0], "training part, each series left out in turn"),
    ):
        assert list(pd.read_csv(folder / "held_out.csv")["id"]) == list(series.ids)
        assert json.loads((folder / "metrics.json").read_text())["context"]["held_out"] == which


def test_the_card_says_which_model_its_scores_are_of(finished, tested):
    card, other = ((folder / "model_card.md").read_text() for folder in (finished, tested))
    assert "then trained anew on all 36" in card
    assert "has learned from these series, too" in card
    assert "anew" not in other
    assert "these series, too" not in other
    branches = "Measured on held-out series (training part, each series left out in turn), not on the test part."
    assert branches in card


def test_a_finished_run_gives_its_report_again(finished, fleet, quick):
    table = {"label": "label", "id": "id"}
    report = train_run(fleet, finished, settings=quick, table=table, verbose=0)
    assert {name: report.metrics[name] for name in scores(finished)} == pytest.approx(scores(finished), abs=1e-9)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_text("id,CO2\ns-1,0.5\n"), "it has 1 types, not"),
        (lambda path: path.write_text(path.read_text().replace("0.", "x.")), "could not convert"),
    ],
)
def test_damaged_probabilities_are_one_line(fleet, quick, tested, tmp_path, spoil, words):
    folder = shutil.copytree(tested, tmp_path / "run")
    spoil(folder / "probabilities.csv")
    with pytest.raises(InputError, match=words) as caught:
        train_run(fleet, folder, settings=replace(quick, deliver="tested"), verbose=0)
    assert "\n" not in str(caught.value)


def test_a_validation_part_is_learned_from_in_the_end(fleet, quick, tmp_path):
    whole = replace(quick, windows=(), validation=0.2)
    train_run(fleet, tmp_path / "whole", settings=whole, verbose=0)
    model, mean = learned_mean(tmp_path / "whole")
    np.testing.assert_allclose(mean, mean_of(model, fleet), rtol=1e-4, atol=1e-4)
    kept = pd.read_csv(tmp_path / "whole" / "held_out.csv")
    assert list(kept["id"]) == list(split_for(fleet, whole)[1].ids)


def test_a_network_learns_from_all_series_if_asked_and_goes_on_where_it_was_interrupted(fleet, tmp_path):
    options = {"branches": ("statistics",), "kernels": 32, "epochs": 2, "batch_size": 8}
    settings = RunSettings(head="mlp", deliver="all", **options)
    train = partial(train_run, fleet, settings=settings, verbose=0)
    train(tmp_path / "unbroken")
    model, mean = learned_mean(tmp_path / "unbroken")
    np.testing.assert_allclose(mean, mean_of(model, fleet), rtol=1e-4, atol=1e-4)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", callbacks=[Stops(3, epochs=1)])
    states = {"training_state.npz", "refit_state.npz", "all_state.npz"}
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"settings.json", *states}
    train(tmp_path / "run")
    assert not states & {path.name for path in (tmp_path / "run").iterdir()}
    for mine, theirs in zip(
        *(learned_mean(tmp_path / name)[0].get_weights() for name in ("run", "unbroken")), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert scores(tmp_path / "run") == scores(tmp_path / "unbroken")


def test_what_cannot_be_delivered_is_refused():
    with pytest.raises(InputError, match=r"deliver is 'all', but this network keeps the epoch .* --recipe robust"):
        RunSettings(variant="paper", deliver="all")
    with pytest.raises(InputError, match="deliver is 'some'; give all or tested"):
        RunSettings(deliver="some")
    assert RunSettings(head="mlp").deliver == "tested"


def test_a_run_from_before_kept_the_model_that_was_tested(finished, fleet, quick, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    record = RunFolder(folder).record()
    del record["settings"]["deliver"]
    (folder / "settings.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="deliver=tested, not all"):
        train_run(fleet, folder, settings=quick, verbose=0)
