import errno
import json
import subprocess
import sys
import zipfile
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from deepfeatiot_tf.cli import app
from deepfeatiot_tf.command_line.options import SETTINGS, TABLE_OPTIONS
from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.runs import RunSettings
from tests.runs.small_fleet import write_fleet

QUICK = ["--head", "closed_form", "--branches", "statistics"]
pytestmark = pytest.mark.usefixtures("log_levels")
COMMANDS = ("quickstart", "train", "evaluate", "predict", "export", "datasets", "benchmark", "ablate", "transfer")


def run(*arguments, status=0):
    """What a command printed on stdout and on stderr, if it ended as expected."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


def one_line(text):
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    return text


@pytest.fixture(scope="module")
def fleet(tmp_path_factory) -> Path:
    return write_fleet(tmp_path_factory.mktemp("cli") / "fleet.csv")


@pytest.fixture(scope="module")
def trained(fleet) -> Path:
    folder = fleet.parent / "run"
    run("train", fleet, "--label", "label", "--id", "id", *QUICK, "-o", folder)
    return folder


def test_help_is_there_at_once_without_tensorflow():
    script = (
        "import sys, time; begin = time.perf_counter(); sys.argv = ['deepfeatiot', '--help']\n"
        "from deepfeatiot_tf.cli import main\n"
        "try: main()\n"
        "finally:\n"
        "    slow = {'tensorflow', 'keras', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "    print('slow imports:', slow, 'in time:', time.perf_counter() - begin < 2)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "slow imports: set() in time: True" in result.stdout
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command):
    assert f"deepfeatiot {command}" in run(command, "--help").replace("Usage: deepfeatiot", "")


def test_every_setting_of_a_run_can_be_given():
    assert set(SETTINGS) == {field.name for field in fields(RunSettings)}


def test_every_way_to_read_a_table_can_be_given():
    from deepfeatiot_tf.readings.parsing.options import TableOptions

    known = {field.name for field in fields(TableOptions)} - {"cells", "class_names", "name"}
    assert set(TABLE_OPTIONS) == known | {"missing", "decimal"}


def test_train_prints_scores_and_says_where_the_report_is(fleet, trained):
    printed = run("train", fleet, "--label", "label", "--id", "id", *QUICK, "-o", trained)
    assert "finished already" in printed
    assert "accuracy" in printed
    assert str(trained / "report.md") in printed
    assert (trained / "model.keras").exists()


def test_options_reach_the_run(fleet, tmp_path):
    options = ["--dilation", "1:8", "--test", "paper", "--seed", "3", "--balance", "--missing", "-999"]
    options += ["--windows", "2,3", "--augmented-copies", "2"]
    options += ["--units", "temperature=degC,pressure=hPa"]
    run("train", fleet, "--label", "label", *options, *QUICK, "--readings", "reading_", "-o", tmp_path / "run")
    record = json.loads((tmp_path / "run" / "settings.json").read_text())
    expected = {
        "dilation": [1, 8],
        "test": "paper",
        "seed": 3,
        "balance": True,
        "windows": [2, 3],
        "augmented_copies": 2,
        "units": {"temperature": "degC", "pressure": "hPa"},
    }
    assert expected.items() <= record["settings"].items()
    assert record["table"] == {"label": "label", "missing": ["-999"], "readings": "reading_"}


def test_a_network_trained_by_gradient_goes_on_after_an_interruption(fleet, tmp_path, monkeypatch):
    from deepfeatiot_tf.training import RunCheckpoint

    def interrupt(self, epoch, logs=None):
        saved(self, epoch, logs)
        raise KeyboardInterrupt

    saved = RunCheckpoint.on_epoch_end
    command = ["train", fleet, "--label", "label", "--head", "mlp"]
    command += ["--branches", "statistics", "--epochs", 2, "-o", tmp_path]
    with monkeypatch.context() as patch:
        patch.setattr(RunCheckpoint, "on_epoch_end", interrupt)
        message = one_line(run(*command, status=130))
    assert "interrupted; give the same command again to go on" in message
    assert "epoch 2/2" in run(*command)
    assert len(pd.read_csv(tmp_path / "history.csv")) == 2


def test_with_a_precision_a_run_says_unknown_or_one_line_why_it_cannot_promise_that(fleet, trained, tmp_path):
    run("predict", trained, fleet, "-o", tmp_path / "out.csv", "--precision", "0.9")
    assert {"temperature", "CO2", "pressure"} >= set(pd.read_csv(tmp_path / "out.csv")["label"]) - {"unknown"}
    run("export", trained, "-o", tmp_path / "serving" / "sensor_type", "--precision", "0.9")
    about = json.loads((tmp_path / "serving" / "sensor_type" / "1" / "assets.extra" / "about.json").read_text())
    assert about["precision"] == 0.9
    for command in (["predict", trained, fleet, "-o", tmp_path / "no.csv"], ["export", trained, "-o", tmp_path / "no"]):
        assert "cannot be promised" in one_line(run(*command, "--precision", "0.999", status=2))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "serving"]


def test_names_used_elsewhere_come_with_labels_and_export_where_asked_for(fleet, trained, tmp_path):
    run("predict", trained, fleet, "-o", tmp_path / "out.csv", "--standard-names")
    labelled = pd.read_csv(tmp_path / "out.csv")
    carbon = labelled[labelled["label"] == "CO2"]
    assert set(carbon["brick_class"]) == {"brick:CO2_Level_Sensor"}
    run("export", trained, "-o", tmp_path / "serving", "--standard-names")
    assert "CO2,brick:CO2_Level_Sensor" in (tmp_path / "serving/1/assets.extra/standard_names.csv").read_text()


def test_a_name_that_ends_in_tflite_asks_for_a_file_for_gateways(trained, tmp_path):
    file = tmp_path / "sensor_type.tflite"
    assert f"TFLite: {file}" in run("export", trained, "-o", file, "--precision", "0.9")
    assert zipfile.ZipFile(file).read("labels.txt").decode().split() == ["CO2", "pressure", "temperature"]
    assert "go with a SavedModel" in one_line(run("export", trained, "-o", file, "--standard-names", status=2))


def test_evaluate_predict_and_export_follow_from_the_run(fleet, trained, tmp_path):
    assert "accuracy" in run("evaluate", trained, fleet, "-o", tmp_path / "report")
    assert (tmp_path / "report" / "metrics.json").exists()
    assert "36 sensors labelled" in run("predict", trained, fleet, "-o", tmp_path / "out.csv")
    columns = ["id", "label", "confidence", "runner_up", "runner_up_confidence"]
    assert list(pd.read_csv(tmp_path / "out.csv")) == columns
    assert "sensor_type/1" in run("export", trained, "-o", tmp_path / "serving" / "sensor_type")


def test_evaluate_replaces_no_report_on_a_table_of_the_same_name(fleet, trained, tmp_path):
    tables = [write_fleet(tmp_path / f"{name}.csv", seed=seed).rename for seed, name in ((3, "north"), (4, "south"))]
    places = [tmp_path / name / "june.csv" for name in ("north", "south")]
    for rename, place in zip(tables, places, strict=True):
        place.parent.mkdir()
        rename(place)
    assert "evaluation-june" in run("evaluate", trained, places[0])
    assert "holds the report on" in one_line(run("evaluate", trained, places[1], status=2))
    run("evaluate", trained, places[1], "-o", tmp_path / "south" / "report")


@pytest.mark.parametrize(
    ("command", "report"), [("benchmark", "report.md"), ("transfer", "report.md"), ("ablate", "ablation.md")]
)
def test_a_comparison_replaces_nothing_of_others(data_folder, trained, command, report, tmp_path):
    data = ["--train", "swiss", "--test", "iowa"] if command == "transfer" else ["--data", "swiss"]
    (tmp_path / report).write_text("my own")
    for place, says in ((trained, "is the folder of a run"), (tmp_path, "is of no comparison")):
        assert says in one_line(run(command, *data, "--folder", data_folder, "-o", place, status=2))
    assert (tmp_path / report).read_text() == "my own"


def test_ablate_looks_for_the_language_model_before_anything_is_trained(data_folder, tmp_path):
    ablate = ["ablate", "--data", "swiss", "--folder", data_folder, "--language", "nosuch", "-o", tmp_path / "ablation"]
    assert "nosuch: no language encoder" in one_line(run(*ablate, status=2))
    assert not (tmp_path / "ablation").exists()


def test_datasets_lists_what_is_known_and_what_is_on_disk(tmp_path):
    printed = run("datasets", "--folder", tmp_path)
    assert all(name in printed for name in ("swiss", "urban", "iowa", "sbas", "ts-m", "ts-n", "senseur"))


def test_a_data_set_is_trained_by_name(data_folder, tmp_path):
    printed = run("train", "sbas", "--folder", data_folder, *QUICK, "-o", tmp_path / "run")
    assert "SBAS" in printed
    run("predict", tmp_path / "run", "sbas", "--folder", data_folder, "-o", tmp_path / "out.csv")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 255


def test_a_list_is_given_with_spaces_or_commas(data_folder, tmp_path):
    command = ["benchmark", "--folder", data_folder, "--systems", "statistics-trees", "mace", "--seeds", "1"]
    printed = run(*command, "--data", "sbas", "swiss", "-o", tmp_path)
    assert "not run: MACE" in printed
    assert str(tmp_path / "report.md") in printed
    run(*command, "--data=swiss,sbas", "-o", tmp_path)
    assert sorted(pd.read_csv(tmp_path / "cells.csv")["data"]) == ["SBAS", "Swiss"]


def test_train_compares_with_peers_on_the_same_split(fleet, trained, monkeypatch):
    from deepfeatiot_tf.runs import compare

    monkeypatch.setattr(compare, "QUICK", ("statistics-trees",))
    printed = run("train", fleet, "--label", "label", "--id", "id", *QUICK, "-o", trained, "--compare")
    assert "this run" in printed
    assert "statistics + extra trees" in printed
    assert len(pd.read_csv(trained / "comparison.csv")) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["benchmark", "--data", "swis", "-o", "results"], "swis"),
        (["benchmark", "--data", "sbas", "--systems", "rockt", "-o", "results"], "did you mean 'rocket'"),
        (["benchmark", "--data", "sbas", "--epochs", "0", "-o", "results"], "epochs is 0"),
        (["ablate", "--data", "sbas", "--head", "wide", "-o", "ablation"], "head is 'wide'"),
        (["train", "nosuch.csv", "--label", "x", "-o", "run"], "nosuch.csv: no such file"),
        (["train", "{fleet}", "-o", "run"], "name it with --label"),
        (["train", "{fleet}", "--label", "lable", "-o", "run"], "did you mean 'label'"),
        (
            ["train", "{fleet}", "--label", "label", "--branches", "local", "--head", "closed_form", "-o", "run"],
            "closed_form",
        ),
        (["train", "{fleet}", "--label", "label", "--branches", "nonsense", "-o", "run"], "nonsense"),
        (["train", "{fleet}", "--label", "label", "--epochs", "0", "-o", "run"], "epochs is 0"),
        (["train", "{fleet}", "--label", "label", "--seed", "99999999999999999999", "-o", "run"], "give 0 to"),
        (["train", "iowa", "--metadata", "name", "-o", "run"], "leave out metadata"),
        (["train", "{fleet.parent}", "--label", "folder", "-o", "{fleet.parent}/run2"], "whose sub-folders are types"),
        (["predict", "norun", "{fleet}", "-o", "out.csv"], "norun: no such run folder"),
        (["evaluate", "norun", "{fleet}"], "norun: no such run folder"),
        (["export", "norun", "-o", "serving"], "norun: no such run folder"),
        (["datasets", "--folder", "nofolder"], "is not a folder"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_status_2(fleet, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = one_line(run(*(argument.format(fleet=fleet) for argument in arguments), status=2))
    assert message in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("--dilation", "wide"), ("--test", "half"), ("--epochs", "x"), ("--units", "CO2=ppm,CO2=ppb")],
)
def test_an_option_that_is_no_number_is_a_usage_error(fleet, option, value):
    assert option in run("train", fleet, "--label", "label", option, value, "-o", "run", status=2)


def test_a_damaged_model_file_is_one_line(trained, fleet, tmp_path):
    damaged = tmp_path / "run"
    damaged.mkdir()
    for name in ("settings.json", "report.md"):
        (damaged / name).write_text((trained / name).read_text())
    (damaged / "model.keras").write_bytes((trained / "model.keras").read_bytes()[:1000])
    assert "model.keras" in one_line(run("predict", damaged, fleet, "-o", tmp_path / "out.csv", status=2))
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "run/x"), "run/x: the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "run/x"), "run/x: may not be read or written"),
        (OSError("unable to flush"), "unable to flush"),
        (InputError("[brackets] are no markup"), "[brackets] are no markup"),
    ],
)
def test_a_failure_of_the_machine_is_one_line_and_status_2(fleet, trained, monkeypatch, tmp_path, error, message):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("deepfeatiot_tf.runs.use.predict_table", fail)
    assert message in one_line(run("predict", trained, fleet, "-o", tmp_path / "out.csv", status=2))


def test_an_interrupted_prediction_leaves_no_file(fleet, trained, monkeypatch, tmp_path):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("deepfeatiot_tf.serving.labelling.Labeller.__call__", interrupt)
    message = one_line(run("predict", trained, fleet, "-o", tmp_path / "out.csv", status=130))
    assert "interrupted; nothing half-written" in message
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_told():
    assert run("--version") == f"deepfeatiot_tf {version('deepfeatiot_tf')}\n"


def test_predict_tells_where_it_takes_other_columns_for_readings_than_the_run_learned_from(fleet, trained, tmp_path):
    table = pd.read_csv(fleet).drop(columns="label")
    flags = pd.DataFrame(0, index=table.index, columns=[f"err{i}" for i in range(40)])
    table.join(flags).to_csv(tmp_path / "flags.csv", index=False)
    text = CliRunner().invoke(
        app, ["predict", str(trained), str(tmp_path / "flags.csv"), "-o", str(tmp_path / "a.csv")]
    )
    said = " ".join(text.stderr.split())
    assert "taken to be err0 to err39, where the run learned from reading_0 to reading_15" in said
    told = CliRunner().invoke(app, ["predict", str(trained), str(fleet), "-o", str(tmp_path / "b.csv")])
    assert "taken to be" not in told.stderr


def test_a_sheet_named_by_digits_is_read_by_its_name(fleet, tmp_path):
    table = pd.read_csv(fleet)
    with pd.ExcelWriter(tmp_path / "months.xlsx") as book:
        table.to_excel(book, sheet_name="01", index=False)
        table.head(9).to_excel(book, sheet_name="02", index=False)
    path, out = tmp_path / "months.xlsx", tmp_path / "run"
    run("train", path, "--sheet", "01", "--label", "label", "--id", "id", *QUICK, "-o", out)
    assert json.loads((out / "settings.json").read_text())["data"]["series"] == 36
