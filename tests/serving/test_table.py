import tracemalloc

import numpy as np
import pandas as pd
import pytest

from deepfeatiot_tf import InputError, predict, predict_table
from deepfeatiot_tf.serving import table
from deepfeatiot_tf.serving.classifier import Classifier

TIME = 24


@pytest.fixture
def quick(monkeypatch):
    """Instead of a model: positive or negative on the whole, at once."""

    def probabilities(readings, metadata):
        positive = np.nansum(readings, axis=1) > 0
        return np.stack([~positive, positive], axis=1).astype(np.float32) * 0.8 + 0.1

    classifier = Classifier(("negative", "positive"), probabilities, compiles=False, ignores_padding=False)
    monkeypatch.setattr(table, "classifier_of", lambda model: classifier)


def wide(n, first=0):
    """Sensors whose sign alternates."""
    values = np.where(np.arange(first, first + n)[:, None] % 2, 1.0, -1.0) * np.ones((n, TIME))
    frame = pd.DataFrame(values, columns=[f"reading_{i}" for i in range(TIME)])
    frame.insert(0, "sensor", [f"s{i}" for i in range(first, first + n)])
    return frame


def expected(n):
    return ["positive" if i % 2 else "negative" for i in range(n)]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_is_labelled_as_in_memory_and_in_its_order(ending, model, fleet, tmp_path):
    source, target = tmp_path / "fleet.parquet", tmp_path / f"labelled{ending}"
    frame = pd.DataFrame(fleet.values, columns=[f"reading_{i}" for i in range(fleet.values.shape[1])])
    frame.assign(sensor=fleet.ids).to_parquet(source)
    assert predict_table(model, source, target, rows=25, id="sensor") == len(fleet)
    found = pd.read_csv(target) if ending == ".csv" else pd.read_parquet(target)
    whole = predict(model, fleet)
    assert list(found.columns) == list(whole.columns)
    for column in ("id", "label", "runner_up"):
        assert found[column].tolist() == whole[column].tolist()
    np.testing.assert_allclose(found["confidence"], whole["confidence"], atol=1e-5)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_progress_is_told_after_each_part(quick, tmp_path):
    wide(10).to_csv(tmp_path / "fleet.csv", index=False)
    told = []
    predict_table(None, tmp_path / "fleet.csv", tmp_path / "out.csv", rows=4, progress=told.append, id="sensor")
    assert told == [4, 8, 10]
    assert pd.read_csv(tmp_path / "out.csv")["label"].tolist() == expected(10)


def test_a_long_table_is_labelled_by_sensor(quick, tmp_path):
    long = wide(5).melt("sensor", var_name="at", value_name="value")
    long["at"] = long["at"].str.removeprefix("reading_").astype(int)
    long.sort_values(["sensor", "at"]).to_csv(tmp_path / "log.csv", index=False)
    predict_table(None, tmp_path / "log.csv", tmp_path / "out.csv", id="sensor", time="at", value="value")
    assert pd.read_csv(tmp_path / "out.csv")["label"].tolist() == expected(5)


def test_a_sensor_without_readings_keeps_its_row_with_an_empty_label(quick, tmp_path):
    frame = wide(3)
    frame.loc[1, frame.columns[1:]] = np.nan
    frame.to_csv(tmp_path / "fleet.csv", index=False)
    predict_table(None, tmp_path / "fleet.csv", tmp_path / "out.csv", id="sensor")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[1:] == ["s0,negative,0.9,positive,0.1", "s1,,0,,0", "s2,negative,0.9,positive,0.1"]


def test_a_bad_row_far_down_leaves_no_half_table_and_the_earlier_one_in_place(quick, tmp_path):
    frame = wide(40).astype(object)
    frame.loc[33, "reading_5"] = "broken"
    frame.to_csv(tmp_path / "fleet.csv", index=False)
    (tmp_path / "out.csv").write_text("earlier")
    with pytest.raises(InputError, match=r"fleet\.csv, line 35"):
        predict_table(None, tmp_path / "fleet.csv", tmp_path / "out.csv", rows=5, id="sensor")
    assert (tmp_path / "out.csv").read_text() == "earlier"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["fleet.csv", "out.csv"]


def test_an_interrupted_run_leaves_nothing(quick, tmp_path):
    def interrupt(done):
        raise KeyboardInterrupt

    wide(10).to_csv(tmp_path / "fleet.csv", index=False)
    with pytest.raises(KeyboardInterrupt):
        predict_table(None, tmp_path / "fleet.csv", tmp_path / "out.parquet", rows=4, progress=interrupt)
    assert [each.name for each in tmp_path.iterdir()] == ["fleet.csv"]


def test_memory_does_not_grow_with_the_table(quick, tmp_path):
    def peak(n):
        wide(n).to_csv(tmp_path / "fleet.csv", index=False)
        tracemalloc.start()
        predict_table(None, tmp_path / "fleet.csv", tmp_path / "out.csv", rows=200)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(200)  # what is imported on the first use
    # From 4000 rows on the buffers are full; a growth of 19 bytes a row would be seen.
    assert peak(16_000) < 1.3 * peak(4000)


def test_the_table_to_label_is_not_written_over(quick, tmp_path):
    wide(3).to_csv(tmp_path / "fleet.csv", index=False)
    before = (tmp_path / "fleet.csv").read_text()
    with pytest.raises(InputError, match="is the table to label"):
        predict_table(None, tmp_path / "fleet.csv", tmp_path / "." / "fleet.csv")
    assert (tmp_path / "fleet.csv").read_text() == before


def test_labels_are_not_put_among_the_sensors_of_a_folder(quick, tmp_path):
    pd.DataFrame({"value": [1, 2]}).to_csv(tmp_path / "s-1.csv", index=False)
    for name in ("labelled.csv", "s-1.csv"):
        with pytest.raises(InputError, match="lies among the sensors to label"):
            predict_table(None, tmp_path, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["s-1.csv"]


@pytest.mark.parametrize("name", ["labelled.xlsx", "labelled"])
def test_an_ending_that_is_not_written_is_refused_before_any_work(name, tmp_path):
    with pytest.raises(InputError, match=r"written as \.csv or \.parquet"):
        predict_table(None, tmp_path / "absent.csv", tmp_path / name)


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv"):
        predict_table(None, tmp_path / "absent.csv", tmp_path / "out.csv")


def test_a_missing_folder_for_the_labels_is_named(quick, tmp_path):
    wide(3).to_csv(tmp_path / "fleet.csv", index=False)
    with pytest.raises(InputError, match=r"out\.csv: cannot be written"):
        predict_table(None, tmp_path / "fleet.csv", tmp_path / "absent" / "out.csv", id="sensor")


def test_a_source_that_is_missing_is_told_before_the_target_is_looked_at(quick, tmp_path):
    target = tmp_path / "labels.csv"
    target.write_text("mine")
    with pytest.raises(InputError, match=r"fleet\.csv"):
        predict_table(None, tmp_path / "fleet.csv", target, together=lambda readings: None)
    assert target.read_text() == "mine"
