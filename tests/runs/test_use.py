import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.runs import evaluate_run, export_run, predict_run, train_run


@pytest.fixture(scope="module")
def new_file(fleet_file, tmp_path_factory):
    """Sensors that the run has not seen: those of the fleet, a little higher, in another order."""
    table = pd.read_csv(fleet_file).iloc[::-1]
    table.iloc[:, 2:] += 0.1
    path = tmp_path_factory.mktemp("new") / "new.csv"
    table.to_csv(path, index=False)
    return path


def test_evaluate_reads_as_the_training_did_and_writes_a_report_beside(finished, new_file, caplog):
    report = evaluate_run(finished, new_file)
    assert report.metrics["n"] == 36
    assert report.metrics["accuracy"] > 0.8
    assert list(report.ids[:2]) == ["s-35", "s-34"]
    assert (finished / "evaluation-new" / "report.md").exists()
    assert not caplog.records


def test_a_table_of_the_same_name_elsewhere_does_not_replace_the_report(finished, new_file, tmp_path):
    evaluate_run(finished, new_file)
    evaluate_run(finished, new_file)  # of the same table it does
    shutil.copy(new_file, tmp_path / "new.csv")
    before = (finished / "evaluation-new" / "report.md").read_bytes()
    with pytest.raises(InputError, match=r"evaluation-new: holds the report on .*new.csv; name another folder"):
        evaluate_run(finished, tmp_path / "new.csv")
    assert (finished / "evaluation-new" / "report.md").read_bytes() == before
    evaluate_run(finished, tmp_path / "new.csv", tmp_path / "report")
    assert (tmp_path / "report" / "report.md").exists()
    with pytest.raises(InputError, match=r"report: holds the report on .*new.csv; name another folder"):
        evaluate_run(finished, new_file, tmp_path / "report")


def test_a_report_that_is_none_of_ours_is_not_replaced(finished, new_file, tmp_path):
    (tmp_path / "report.md").write_text("mine")
    with pytest.raises(InputError, match=r"has a report\.md of something else; name another folder"):
        evaluate_run(finished, new_file, tmp_path)
    assert (tmp_path / "report.md").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_sensors_without_readings_are_not_scored(finished, new_file, tmp_path, caplog):
    table = pd.read_csv(new_file)
    table.iloc[:4, 2:] = np.nan
    table.to_csv(tmp_path / "dead.csv", index=False)
    report = evaluate_run(finished, tmp_path / "dead.csv", empty="keep")
    assert list(report.ids) == list(table["id"][4:])
    assert "4 sensors have nothing that the model reads; they teach nothing, get no answer" in caplog.text
    table.iloc[:, 2:] = np.nan
    table.to_csv(tmp_path / "dead.csv", index=False)
    with pytest.raises(InputError, match="no sensor has any reading"):
        evaluate_run(finished, tmp_path / "dead.csv", tmp_path / "report", empty="keep", readings="reading_")


def test_evaluate_warns_where_the_readings_were_trained_on(finished, fleet_file, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        evaluate_run(finished, fleet_file, tmp_path)
    assert "trained on a part of these very readings" in caplog.text


def test_evaluate_names_the_row_of_an_unknown_label(finished, new_file, tmp_path):
    path = tmp_path / "other.csv"
    path.write_text(new_file.read_text().replace("CO2", "carbon dioxide", 1))
    with pytest.raises(InputError, match=r"other.csv, line \d+, column 'label': unknown label"):
        evaluate_run(finished, path, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_predict_replaces_no_file_of_the_run(finished, new_file):
    before = (finished / "predictions.csv").read_bytes()
    with pytest.raises(InputError, match=r"predictions\.csv: is a file of the run"):
        predict_run(finished, new_file, finished / "predictions.csv")
    assert (finished / "predictions.csv").read_bytes() == before


def test_predict_labels_with_and_without_a_label_column_alike(finished, new_file, tmp_path):
    bare = tmp_path / "bare.csv"
    pd.read_csv(new_file).drop(columns="label").to_csv(bare, index=False)
    done = []
    assert predict_run(finished, new_file, tmp_path / "a.csv", progress=done.append) == 36
    assert predict_run(finished, bare, tmp_path / "b.csv") == 36
    assert done[-1] == 36
    labelled = pd.read_csv(tmp_path / "a.csv")
    assert list(labelled) == ["id", "label", "confidence", "runner_up", "runner_up_confidence"]
    pd.testing.assert_frame_equal(labelled, pd.read_csv(tmp_path / "b.csv"))
    assert (labelled["label"] == pd.read_csv(new_file)["label"]).mean() > 0.8


def test_an_option_overrides_what_the_run_remembers_and_an_empty_one_forgets_it(finished, new_file, tmp_path):
    renamed = tmp_path / "renamed.csv"
    pd.read_csv(new_file).rename(columns={"id": "device"}).to_csv(renamed, index=False)
    with pytest.raises(InputError, match="no id column 'id'"):
        predict_run(finished, renamed, tmp_path / "a.csv")
    predict_run(finished, renamed, tmp_path / "a.csv", id="device")
    predict_run(finished, renamed, tmp_path / "b.csv", id="")
    assert pd.read_csv(tmp_path / "a.csv")["id"][0] == "s-35"
    assert pd.read_csv(tmp_path / "b.csv")["id"][0] == 0


def test_what_is_exported_answers_as_the_run_does(finished, new_file, fleet, tmp_path):
    version = export_run(finished, tmp_path / "sensor_type")
    assert version == tmp_path / "sensor_type" / "1"
    served = tf.saved_model.load(str(version)).signatures["serving_default"]
    answers = served(readings=tf.constant(fleet.values))["label"].numpy()
    assert (np.char.decode(answers.astype(bytes)) == fleet.labels).mean() > 0.8
    assert export_run(finished, tmp_path / "sensor_type").name == "2"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda run: None, "no such run folder"),
        (lambda run: run.mkdir(), "settings.json is missing"),
        (
            lambda run: (
                run.mkdir(),
                (run / "settings.json").write_text('{"settings": {}, "data": {}, "table": {}}'),
            ),
            "the run is not finished; give its train command again",
        ),
    ],
)
def test_what_is_no_finished_run_is_refused_with_a_way_out(tmp_path, make, message):
    run = tmp_path / "run"
    make(run)
    for use in (evaluate_run, predict_run, export_run):
        with pytest.raises(InputError, match=message):
            use(run, *["x.csv"] * (1 if use is export_run else 2))


@pytest.fixture
def copied(finished, tmp_path):
    return Path(shutil.copytree(finished, tmp_path / "copied"))


def test_the_report_of_a_run_is_not_replaced_by_one_on_other_readings(copied, new_file):
    before = (copied / "report.md").read_text()
    with pytest.raises(InputError, match="is the folder of a run"):
        evaluate_run(copied, new_file, copied / ".")
    assert (copied / "report.md").read_text() == before


def test_a_run_copied_without_its_model_is_refused_with_a_way_out(copied, new_file, fleet, quick, tmp_path):
    (copied / "model.keras").unlink()
    for use in (
        lambda: predict_run(copied, new_file, tmp_path / "a.csv"),
        lambda: train_run(fleet, copied, settings=quick, verbose=0),
    ):
        with pytest.raises(InputError, match=r"model.keras: is missing; copy the whole folder, or train again"):
            use()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metrics.json", "{}"),
        ("metrics.json", '{"accuracy": 0.'),
        ("held_out.csv", ""),
        ("held_out.csv", "id,label,confidence\ns-1,CO2,0.9\n"),
        ("held_out.csv", "id,true_label,label,confidence\ns-1,CO2,CO2,sure\n"),
    ],
)
def test_damaged_held_out_answers_are_one_line(copied, new_file, tmp_path, name, text):
    (copied / name).write_text(text)
    with pytest.raises(InputError, match="which a precision needs, is damaged"):
        predict_run(copied, new_file, tmp_path / "a.csv", precision=0.5)
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize("change", [{"table": []}, {"data": []}, {"settings": None}, {"table": {"colour": "red"}}])
def test_settings_that_say_something_else_are_one_line(copied, new_file, tmp_path, change):
    record = json.loads((copied / "settings.json").read_text())
    (copied / "settings.json").write_text(json.dumps(record | change))
    with pytest.raises(InputError, match=r"settings.json: (not the settings of a run|'colour' is no option)"):
        predict_run(copied, new_file, tmp_path / "a.csv")


def test_a_sensor_without_readings_is_an_error_where_that_is_asked_for(finished, new_file, tmp_path):
    table = pd.read_csv(new_file)
    table.iloc[3, 2:] = np.nan
    table.to_csv(tmp_path / "gap.csv", index=False)
    predict_run(finished, tmp_path / "gap.csv", tmp_path / "a.csv")
    assert pd.read_csv(tmp_path / "a.csv")["label"].isna().sum() == 1
    with pytest.raises(InputError, match=r"gap.csv, line 5: no reading"):
        predict_run(finished, tmp_path / "gap.csv", tmp_path / "b.csv", empty="error")


def test_a_data_set_takes_no_options_of_a_table(finished, tmp_path):
    for use in (evaluate_run, predict_run):
        with pytest.raises(InputError, match="iowa: a data set has its own columns; leave out label"):
            use(finished, "iowa", tmp_path / "out.csv", label="type")
