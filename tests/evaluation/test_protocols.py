import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation import EstimatorSystem, run_protocol
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

LEVELS = {"co2": 400.0, "humidity": 50.0, "temperature": 20.0}


@pytest.fixture
def readings():
    rng = np.random.default_rng(0)
    labels = np.repeat(list(LEVELS), 20)
    values = np.array([LEVELS[label] for label in labels])[:, np.newaxis] + rng.normal(size=(60, 5))
    return SensorReadings(values, labels=labels, name="fleet")


class Recorder:
    """Remembers what it was given, and says the same of every series."""

    def __init__(self, selects=True):
        self.selects, self.calls, self.asked = selects, [], []

    def fit(self, train, validation, *, seed, protocol):
        self.calls.append((train, validation, seed, protocol))
        return {"epochs": 7, "best_epoch": 4}

    def predict(self, readings):
        self.asked.append(set(readings.ids))
        return np.tile([0.6, 0.3, 0.1], (len(readings), 1))


def ids(readings):
    return set(readings.ids)


def test_honest_protocol_keeps_the_test_part_out_of_training_and_selection(readings):
    system = Recorder()
    run_protocol(system, readings, protocol="honest", seeds=[5])
    ((train, validation, seed, protocol),) = system.calls
    assert (seed, protocol) == (5, "honest")
    assert len(validation) > 0
    assert not system.asked[0] & (ids(train) | ids(validation))
    assert not ids(train) & ids(validation)
    assert system.asked[0] | ids(train) | ids(validation) == ids(readings)


def test_paper_protocol_selects_on_the_test_part_and_trains_on_all_the_rest(readings):
    system = Recorder()
    run_protocol(system, readings, protocol="paper", seeds=[5])
    ((train, validation, _, protocol),) = system.calls
    assert protocol == "paper"
    assert ids(validation) == system.asked[0]
    assert ids(train) == ids(readings) - ids(validation)


@pytest.mark.parametrize("protocol", ["honest", "paper"])
def test_a_system_that_selects_nothing_learns_from_the_whole_training_part(readings, protocol):
    system = Recorder(selects=False)
    cells = run_protocol(system, readings, protocol=protocol, seeds=[0]).cells
    assert system.calls[0][1] is None
    assert cells[["n_train", "n_validation", "n_test"]].to_numpy().tolist() == [[42, 0, 18]]


def test_paper_split_stays_and_resampled_splits_change_with_the_seed(readings):
    fixed, changing = Recorder(), Recorder()
    run_protocol(fixed, readings, splits="paper", seeds=[0, 1])
    run_protocol(changing, readings, splits="resample", seeds=[0, 1])
    assert fixed.asked[0] == fixed.asked[1]
    assert changing.asked[0] != changing.asked[1]
    assert ids(fixed.calls[0][1]) != ids(fixed.calls[1][1])  # the validation part follows the seed


def test_cells_and_summary_hold_what_was_measured(readings):
    result = run_protocol(Recorder(), readings, seeds=[0, 1, 2], name="constant")
    cell = result.cells.iloc[0]
    assert cell["accuracy"] == pytest.approx(1 / 3)  # everything is co2, a third of the fleet
    assert cell["macro_f1"] == pytest.approx(0.5 / 3)  # 2·6/(2·6+12) for co2, 0 for the others
    assert cell["ece"] == pytest.approx(0.6 - 1 / 3)
    assert cell["log_loss"] == pytest.approx(-np.log([0.6, 0.3, 0.1]).mean())
    assert (cell["system"], cell["split"], cell["epochs"], cell["best_epoch"]) == ("constant", "paper", 7, 4)
    assert result.summary.loc["accuracy"].tolist() == [pytest.approx(1 / 3), pytest.approx(0), 3]
    assert repr(result).startswith("ProtocolResult(constant on 'fleet', honest protocol, 3 cells: accuracy 33.3%")


def test_finished_cells_are_read_not_run_again(readings, tmp_path):
    table = tmp_path / "results" / "cells.csv"
    first = run_protocol(Recorder(), readings, seeds=[0, 1], table=table)
    again, seen = Recorder(), []
    result = run_protocol(
        again,
        readings,
        seeds=[0, 1, 2],
        table=table,
        cell_done=lambda cell, done, total: seen.append((done, total)),
    )
    assert [seed for _, _, seed, _ in again.calls] == [2]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    pd.testing.assert_frame_equal(result.cells.head(2), first.cells, check_dtype=False)
    assert pd.read_csv(table)["seed"].tolist() == [0, 1, 2]


def test_a_cell_is_kept_as_soon_as_it_is_done(readings, tmp_path):
    class Breaks(Recorder):
        def fit(self, train, validation, *, seed, protocol):
            if seed == 1:
                raise KeyboardInterrupt
            return super().fit(train, validation, seed=seed, protocol=protocol)

    with pytest.raises(KeyboardInterrupt):
        run_protocol(Breaks(), readings, seeds=[0, 1], table=tmp_path / "cells.csv")
    assert pd.read_csv(tmp_path / "cells.csv")["seed"].tolist() == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["cells.csv"]


@pytest.mark.parametrize(
    "changed",
    [{"name": "other"}, {"protocol": "paper"}, {"splits": "resample"}, {"readings": "other values"}],
)
def test_a_cell_of_another_system_protocol_split_or_content_is_not_taken(readings, tmp_path, changed):
    table = tmp_path / "cells.csv"
    run_protocol(Recorder(), readings, seeds=[0], table=table)
    if changed.pop("readings", None):
        readings = SensorReadings(np.add(readings.values, 1), labels=readings.labels, name=readings.name)
    system = Recorder()
    run_protocol(system, readings, seeds=[0], table=table, **changed)
    assert len(system.calls) == 1
    assert len(pd.read_csv(table)) == 2


CELL = "system,data,checksum,protocol,split,seed,accuracy,macro_f1,fit_seconds"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not a table of cells"),
        ("a,b\n1,2\n", "column 'system' is missing"),
        ("seed\nx\n", "not a table"),
        ("system,data,checksum,protocol,split,seed\n", "column 'accuracy' is missing"),
        (
            "system,data,checksum,protocol,split,seed,accuracy,macro_f1,fit_seconds\na,b,c,honest,paper,0,good,1,1\n",
            "column 'accuracy' is not of numbers",
        ),
        (f"{CELL},parameters\na,b,c,honest,paper,0,1,1,1,many\n", "column 'parameters' is not of numbers"),
        (f"{CELL},f1_by_class\na,b,c,honest,paper,0,1,1,1,{{\n", "column 'f1_by_class' is not of JSON"),
        (f"{CELL}\na,b,c,honst,paper,0,1,1,1\n", "protocol 'honst' and the split 'paper'"),
        (f"{CELL}\na,b,c,honest,mine,0,1,1,1\n", "protocol 'honest' and the split 'mine'"),
    ],
)
def test_a_foreign_table_is_refused_and_kept(readings, tmp_path, content, message):
    table = tmp_path / "cells.csv"
    table.write_text(content)
    with pytest.raises(InputError, match=message):
        run_protocol(Recorder(), readings, table=table)
    assert table.read_text() == content


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"protocol": "fair"}, "protocol='fair' is unknown; give one of 'honest', 'paper'"),
        ({"splits": "random"}, "splits='random' is unknown"),
        ({"seeds": []}, "seeds is empty"),
        ({"validation": 0.0}, "none to choose on"),
    ],
)
def test_wrong_choices_are_named(readings, choice, message):
    with pytest.raises(InputError, match=message):
        run_protocol(Recorder(), readings, **choice)


def test_an_estimator_with_probabilities_is_scored_by_them(readings):
    system = EstimatorSystem(lambda seed: LogisticRegression(random_state=seed, max_iter=1000))
    cell = run_protocol(system, readings, seeds=[0]).cells.iloc[0]
    assert cell["accuracy"] == 1
    assert cell["log_loss"] < 0.1
    assert np.isnan(cell["epochs"])


def test_an_estimator_without_probabilities_counts_as_certain(readings):
    system = EstimatorSystem(lambda seed: RidgeClassifier(), inputs=lambda r: np.round(r.values))
    cell = run_protocol(system, readings, seeds=[0]).cells.iloc[0]
    assert cell["ece"] == pytest.approx(1 - cell["accuracy"])


def test_a_class_the_estimator_never_saw_gets_probability_zero(readings):
    system = EstimatorSystem(lambda seed: LogisticRegression(max_iter=1000))
    system.fit(readings.take(readings.labels != "humidity"))
    probabilities = system.predict(readings)
    assert probabilities.shape == (60, 3)
    assert (probabilities[:, 1] == 0).all()


def test_predicting_before_fitting_is_refused(readings):
    with pytest.raises(InputError, match="call fit first"):
        EstimatorSystem(lambda seed: RidgeClassifier()).predict(readings)
