"""Runs of models that read metadata."""

import json

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import read_table
from deepfeatiot_tf.runs import RunSettings, evaluate_run, export_run, predict_run, train_run
from tests.reference.small_bert import write_folder

TABLE = {"label": "label", "id": "id", "metadata": ["name"]}


@pytest.fixture(scope="module")
def named_file(fleet_file, tmp_path_factory):
    """The fleet with a name for each sensor; some have none."""
    table = pd.read_csv(fleet_file)
    table["name"] = np.array(["temp °c", "pm10 (a)", "wind m"])[np.arange(len(table)) % 3]
    table.loc[::7, "name"] = ""
    path = tmp_path_factory.mktemp("named") / "named.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return str(write_folder(tmp_path_factory.mktemp("bert") / "small"))


@pytest.fixture(scope="module")
def reading_run(named_file, encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = RunSettings(branches=("statistics",), text_encoder=encoder)
    report = train_run(read_table(named_file, **TABLE), folder, settings=settings, table=TABLE, verbose=0)
    return folder, report


def test_the_report_tells_what_readings_and_metadata_are_worth_alone(reading_run):
    folder, report = reading_run
    found = report.metrics["modalities"]
    assert list(found) == ["readings and metadata", "readings", "metadata"]
    assert found["readings and metadata"]["accuracy"] == report.metrics["accuracy"]
    text = (folder / "report.md").read_text()
    assert "What readings and metadata tell" in text
    assert "have no metadata anyway" in text
    record = json.loads((folder / "settings.json").read_text())
    assert record["text_encoder"]["encoder"] == "small"
    assert record["text_encoder"]["weights"].startswith("folder small, SHA-256 ")


def test_a_run_reads_metadata_without_pretrained_weights(named_file, tmp_path, caplog):
    settings = RunSettings(branches=("statistics",), text_encoder="ngrams")
    report = train_run(read_table(named_file, **TABLE), tmp_path / "run", settings=settings, table=TABLE, verbose=0)
    assert list(report.metrics["modalities"]) == ["readings and metadata", "readings", "metadata"]
    assert "is not read" not in caplog.text
    assert predict_run(tmp_path / "run", named_file, tmp_path / "told.csv") == len(pd.read_csv(named_file))


def test_metadata_that_nothing_reads_is_said(named_file, tmp_path, caplog):
    readings = read_table(named_file, **TABLE)
    train_run(readings, tmp_path / "run", settings=RunSettings(branches=("statistics",)), verbose=0)
    assert "its metadata is not read; --text-encoder use-multilingual, minilm or ngrams reads it" in caplog.text


def test_the_card_says_what_ngrams_are_worth(reading_run):
    folder, _ = reading_run
    assert "| without n-grams of the metadata |" in (folder / "model_card.md").read_text()


def test_a_run_is_evaluated_used_and_exported_as_any_other(reading_run, named_file, tmp_path):
    folder, _ = reading_run
    report = evaluate_run(folder, named_file, tmp_path / "report")
    assert report.metrics["accuracy"] > 0.9
    predict_run(folder, named_file, tmp_path / "told.csv")
    bare = tmp_path / "bare.csv"
    pd.read_csv(named_file).drop(columns=["label", "name"]).to_csv(bare, index=False)
    predict_run(folder, bare, tmp_path / "bare_labels.csv", metadata="")
    for name in ("told.csv", "bare_labels.csv"):
        assert (pd.read_csv(tmp_path / name)["label"] == pd.read_csv(named_file)["label"]).mean() > 0.8
    assert (export_run(folder, tmp_path / "text") / "saved_model.pb").exists()
    assert (export_run(folder, tmp_path / "slim", embeddings=True) / "saved_model.pb").exists()


@pytest.mark.parametrize("model", ["deepmetaiot", "deepheteroiot"])
def test_a_network_is_trained_by_its_name(model, named_file, encoder, tmp_path):
    own = {"text_encoder": encoder, "rounds": 2} if model == "deepmetaiot" else {}
    settings = RunSettings(model=model, epochs=1, recipe="deepmetaiot", **own)
    readings = read_table(named_file, **TABLE)
    report = train_run(readings, tmp_path / "run", settings=settings, table=TABLE, verbose=0)
    assert ("modalities" in report.metrics) == (model == "deepmetaiot")
    again = train_run(readings, tmp_path / "run", settings=settings, table=TABLE, verbose=0)
    np.testing.assert_allclose(again.probabilities, report.probabilities, atol=1e-6)


def test_a_text_encoder_without_metadata_is_refused(named_file, encoder, tmp_path):
    readings = read_table(named_file, label="label", id="id", readings="reading_")
    with pytest.raises(InputError, match=r"named\.csv: has no metadata for the text encoder to read; .*--metadata"):
        train_run(readings, tmp_path / "run", settings=RunSettings(text_encoder=encoder), verbose=0)
    assert not (tmp_path / "run").exists()


def test_an_unknown_recipe_is_refused(named_file, tmp_path):
    settings = RunSettings(head="mlp", branches=("statistics",), recipe="fast")
    with pytest.raises(InputError, match="recipe is 'fast'; give one of deepfeatiot"):
        train_run(read_table(named_file, **TABLE), tmp_path / "run", settings=settings, verbose=0)
