import json
import os

import numpy as np
import pytest

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import Report, evaluate
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

NAMES = ("co2", "humidity", "wind | gust")
LABELS = ["humidity", "co2", "co2", "humidity"]
PROBABILITIES = np.array([[0.9, 0.1, 0], [1, 0, 0], [0.2, 0.8, 0], [0, 1, 0]], dtype=np.float32)


class FixedModel:
    """Answers with what it was made with, whatever it is asked."""

    def __init__(self, probabilities=PROBABILITIES, class_names=NAMES):
        self.probabilities, self.class_names, self.batches = probabilities, class_names, 0

    def predict(self, dataset, verbose=0):
        self.batches = sum(1 for _ in dataset)
        return self.probabilities


@pytest.fixture
def readings():
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    values[0, 2] = np.nan  # missing
    values[1, 4:] = np.nan  # a shorter series
    return SensorReadings(values, labels=LABELS, ids=["a", "b", "c", "d"], name="fleet.csv")


@pytest.fixture
def report(readings):
    return evaluate(FixedModel(), readings)


def test_classes_are_matched_by_name_not_by_place(readings):
    model = FixedModel(PROBABILITIES[:, ::-1], NAMES[::-1])
    report = evaluate(model, readings)
    assert report.true.tolist() == [1, 2, 2, 1]
    assert report.metrics["accuracy"] == 0.5
    assert report.per_class.loc["co2", "support"] == 2


def test_misread_series_come_most_confident_first(report):
    assert report.misread.to_dict(orient="list") == {
        "id": ["a", "c"],
        "label": ["humidity", "co2"],
        "predicted": ["co2", "humidity"],
        "confidence": [pytest.approx(0.9), pytest.approx(0.8)],
    }


def test_report_cannot_be_changed(report):
    with pytest.raises(AttributeError):
        report.true = None
    with pytest.raises(ValueError, match="read-only"):
        report.probabilities[0, 0] = 1
    report.metrics["class_names"].append("x")
    assert report.metrics["class_names"] == list(NAMES)


def test_data_counts_missing_readings_but_not_the_end_of_a_shorter_series(report):
    data = report.data
    assert (data["shortest"], data["longest"], data["series_with_missing"]) == (4, 6, 1)
    assert data["missing_share"] == pytest.approx(1 / 22)  # 6 + 4 + 6 + 6 readings


def test_a_keras_model_is_asked_once_and_an_input_it_lacks_does_no_harm(readings):
    import keras

    inputs = keras.Input((None,), name="readings")
    known = keras.ops.where(keras.ops.isnan(inputs), 0.0, inputs)
    level = keras.ops.mean(known, axis=1, keepdims=True)
    model = keras.Model({"readings": inputs}, keras.layers.Dense(3, activation="softmax")(level))
    model.class_names = np.array(NAMES)  # as scikit-learn has them
    described = SensorReadings(readings.values, labels=readings.labels, metadata=["Feuchte"] * 4, name="described")
    report = evaluate(model, described, batch_size=3)
    expected = model.predict({"readings": readings.values}, verbose=0)
    np.testing.assert_allclose(report.probabilities, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": ["humidity", "noise", "noise", "dust"]},
            r"label 'noise' \(2 rows\) and 1 more label unknown .* knows co2, humidity, wind \| gust;",
        ),
        ({"labels": None}, "fleet.csv: no labels"),
        ({"values": np.empty((0, 6)), "labels": []}, "fleet.csv: no series"),
    ],
)
def test_readings_that_cannot_be_scored_are_refused_before_the_model_is_asked(change, message):
    model = FixedModel()
    given = {"values": np.zeros((4, 6)), "labels": LABELS, "name": "fleet.csv", **change}
    with pytest.raises(InputError, match=message):
        evaluate(model, SensorReadings(given.pop("values"), **given))
    assert model.batches == 0


@pytest.mark.parametrize(
    ("probabilities", "class_names", "message"),
    [
        (PROBABILITIES, None, "no class_names"),
        (PROBABILITIES[:, :2], NAMES, r"gave \[4, 2\] for 4 series and 3 classes"),
        (PROBABILITIES * np.nan, NAMES, "no finite probabilities for 4 of 4 series, first for id a"),
        (PROBABILITIES * 7, NAMES, "id a is no set of probabilities; end the model in a softmax"),
    ],
)
def test_a_model_that_gives_no_probabilities_is_named_as_the_cause(readings, probabilities, class_names, message):
    with pytest.raises(InputError, match=message):
        evaluate(FixedModel(probabilities, class_names), readings)


def test_markdown_tells_scores_confusions_and_what_is_not_known(report):
    text = report.to_markdown()
    assert "**Accuracy 50.0 %**" in text
    assert "- co2 taken for humidity: 1 of 2" in text
    assert "Not in the test part, so nothing is known about: wind \\| gust." in text
    assert "| wind \\| gust | – | – | – | 0 |" in text
    assert "92.5 % sure and 50.0 % right, so it is too sure of itself" in text
    assert "4.5 % of them missing, in 1 series" in text
    assert "Not stated." in text


@pytest.mark.parametrize(("protocol", "words"), [("honest", "answered once"), ("paper", "too high")])
def test_markdown_says_how_the_test_part_was_used(report, protocol, words):
    assert words in report.to_markdown({"protocol": protocol})


def test_no_error_is_not_sold_as_certainty(readings):
    text = evaluate(FixedModel(np.eye(3)[[1, 0, 0, 1]]), readings).to_markdown()
    assert "**Accuracy 100.0 %** (51.0 to 100.0 %), **macro F1 100.0 %** on 4 series" in text  # 4 / (4 + 1.96²)
    assert "every series was told right" in text


def test_saved_report_has_every_file_it_speaks_of_and_nothing_else(report, tmp_path):
    history = {"loss": [1.0, 0.5], "val_loss": [1.1, 0.9], "accuracy": [0.5, 0.6]}
    context = {
        "protocol": "honest",
        "seed": np.int64(3),
        "settings": {"path": tmp_path, "lr": np.float32(0.5)},
    }
    folder = report.save(tmp_path / "run" / "report", history, context)
    pictures = {"confusion.png", "reliability.png", "misread.png", "learning_curves.png"}
    assert {path.name for path in folder.iterdir()} == pictures | {"report.md", "metrics.json"}
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert all(f"({picture})" in text for picture in pictures)
    assert "| settings.lr | 0.5 |" in text
    saved = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert saved["context"]["seed"] == 3
    assert saved["per_class"]["wind | gust"]["f1"] is None  # NaN is no JSON
    assert saved["confusion"] == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert {name: saved[name] for name in report.metrics} == report.metrics


def test_report_without_history_speaks_of_no_learning_curves(report, tmp_path):
    report.save(tmp_path)
    assert "learning_curves" not in (tmp_path / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", [".png", ".pdf", ".svg"])
def test_plot_draws_one_picture(report, tmp_path, ending):
    path = report.plot(tmp_path / f"report{ending}")
    assert path.stat().st_size > 1000
    assert os.listdir(tmp_path) == [path.name]


def test_plot_of_another_kind_is_refused(report, tmp_path):
    with pytest.raises(InputError, match=r"report\.txt: cannot draw txt; end the name in \.png"):
        report.plot(tmp_path / "report.txt")


def test_what_cannot_be_written_leaves_nothing_behind(report, tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        report.plot(tmp_path / "missing" / "report.png")
    taken = tmp_path / "taken"
    taken.write_text("a file")
    with pytest.raises(InputError, match="the folder cannot be made"):
        report.save(taken)
    assert os.listdir(tmp_path) == ["taken"]


def test_a_full_disk_keeps_the_earlier_report(report, tmp_path, monkeypatch):
    report.save(tmp_path)
    before = (tmp_path / "report.md").read_bytes()

    def full(path, *args, **kwargs):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(InputError, match=r"metrics\.json: cannot be written \(No space left on device\)"):
        report.save(tmp_path)
    assert (tmp_path / "report.md").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_report_shows_itself_in_a_notebook(report):
    assert repr(report) == "Report('fleet.csv': 4 series, accuracy 50.0%, macro F1 50.0%)"
    assert report._repr_markdown_() == report.to_markdown()


def test_report_takes_the_probabilities_of_any_source(readings):
    assert Report(readings, NAMES, PROBABILITIES).metrics["misread"] == 2


class Told(FixedModel):
    """Right where it is told the metadata, never without, sometimes without readings."""

    reads_metadata = True
    inputs = ()

    def predict(self, dataset, verbose=0):
        (inputs, _), *_ = dataset
        if not np.isfinite(inputs["readings"]).any():
            return self.probabilities
        right = np.eye(3)[[1, 0, 0, 1]]
        return right if all(inputs["metadata"].numpy() != b"") else np.roll(right, 1, axis=1)


def test_a_model_that_reads_metadata_is_asked_without_either(readings):
    told = SensorReadings(readings.values, labels=LABELS, metadata=["a", "b", "c", "d"])
    found = evaluate(Told(), told).metrics["modalities"]
    assert [found[name]["accuracy"] for name in ("readings and metadata", "readings", "metadata")] == [1, 0, 0.5]
    assert "modalities" not in evaluate(FixedModel(), told).metrics
    assert "| metadata | 50.0 % |" in evaluate(Told(), told).to_markdown()
