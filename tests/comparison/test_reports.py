import itertools
import json
import shutil

import pandas as pd
import pytest

from deepfeatiot_tf.comparison import report, tables
from deepfeatiot_tf.comparison.ablation import KERNELS, WHOLE, effects, variants
from deepfeatiot_tf.comparison.ablation_report import write_ablation
from deepfeatiot_tf.comparison.plots import _cliques, class_gains_figure, cost_figure
from deepfeatiot_tf.comparison.report import TITLE, write_report
from deepfeatiot_tf.comparison.systems import SYSTEMS

ACCURACY = {TITLE: 0.9, "ROCKET": 0.8, "QUANT": 0.9}


def cell(system, data, accuracy, seed=0, protocol="honest", split="paper", **more):
    f1 = {"co2": accuracy, "light": 1 - accuracy}
    cost = {"fit_seconds": 2.0, "predict_seconds": 0.5, "peak_memory_mb": 100.0, "parameters": float("nan")}
    key = {"system": system, "data": data, "checksum": data, "protocol": protocol, "split": split, "seed": seed}
    scores = {"accuracy": accuracy, "macro_f1": accuracy}
    return {**key, **scores, **cost, "f1_by_class": json.dumps(f1), **more}


@pytest.fixture
def cells():
    rows = [
        cell(system, data, accuracy + 0.02 * seed, seed, protocol)
        for system, accuracy in ACCURACY.items()
        for data in ("Swiss", "Iowa")
        for seed in range(2)
        for protocol in ("honest", "paper")
    ]
    return pd.DataFrame(rows)


def test_the_report_has_every_table_and_picture(cells, tmp_path):
    text = write_report(cells, {"MACE": "not here"}, tmp_path).read_text()
    assert "| ROCKET | 81.0 ± 1.4 / 81.0 (2) | 81.0 ± 1.4 / 81.0 (2) |" in text
    assert "| ROCKET | 4 | 0 | 0 | 4 |" in text
    assert "| QUANT | 0 | 4 | 0 | 4 |" in text
    assert "| ROCKET | Swiss | 81.0 | 75.0 | +6.0 | 2 |" in text  # table 2 of the paper
    assert "- MACE: not here" in text
    pictures = {f"{p}-paper-{what}.png" for p in ("honest", "paper") for what in ("ranks", "cost", "classes")}
    assert {path.name for path in tmp_path.iterdir()} == {"report.md", *pictures}
    assert all(name in text for name in pictures)


def test_the_picture_of_costs_has_systems_with_cells_on_every_data_set(cells, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(report, "cost_figure", lambda costs: drawn.extend(costs.index) or cost_figure(costs))
    honest = cells[cells["protocol"] == "honest"]
    text = write_report(pd.concat([honest, pd.DataFrame([cell("MACE", "Swiss", 1.0)])]), {}, tmp_path).read_text()
    assert sorted(drawn) == sorted(ACCURACY)
    assert "| MACE | 100.0% |" in text


def test_the_picture_of_classes_is_beside_systems_that_read_no_metadata_either(cells, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(report, "class_gains_figure", lambda gains: drawn.append(gains) or class_gains_figure(gains))
    with_metadata = pd.DataFrame([cell(SYSTEMS["deepmetaiot"].title, data, 1.0) for data in ("Swiss", "Iowa")])
    write_report(pd.concat([cells[cells["protocol"] == "honest"], with_metadata]), {}, tmp_path)
    assert set(drawn[0]["best_other"]) == {"QUANT", "ROCKET"}


def test_what_sees_the_test_part_whole_and_the_defaults_other_settings_are_told_and_not_ranked(
    cells, tmp_path, monkeypatch
):
    drawn = []
    monkeypatch.setattr(report, "cost_figure", lambda costs: drawn.extend(costs.index) or cost_figure(costs))
    monkeypatch.setattr(
        report, "class_gains_figure", lambda gains: drawn.extend(gains["best_other"]) or class_gains_figure(gains)
    )
    titles = [SYSTEMS[name].title for name in ("deepfeatiot-collective", "deepfeatiot-balanced")]
    others = pd.DataFrame([cell(title, data, 1.0) for title in titles for data in ("Swiss", "Iowa")])
    text = write_report(pd.concat([cells[cells["protocol"] == "honest"], others]), {}, tmp_path).read_text()
    assert drawn
    assert not set(titles) & set(drawn)
    assert all(f"| {title} | 100.0% |" in text for title in titles)


def test_a_data_set_with_more_seeds_counts_no_more():
    rows = [cell("ROCKET", "Iowa", 0.9, seed) for seed in range(3)] + [cell("ROCKET", "Swiss", 0.5, fit_seconds=8.0)]
    costs = tables.costs(pd.DataFrame(rows))
    assert costs.loc["ROCKET", "accuracy"] == pytest.approx(0.7)
    assert costs.loc["ROCKET", "fit_seconds"] == pytest.approx(5.0)


def test_seconds_are_those_of_the_device_with_cells_on_the_most_data_sets():
    rows = [cell("ROCKET", data, 0.9, device="H100", fit_seconds=80.0) for data in ("Iowa", "Swiss")]
    rows.append(cell("ROCKET", "Swiss", 0.9, seed=1, device="CPU", fit_seconds=600.0))
    assert list(tables.costs(pd.DataFrame(rows)).loc["ROCKET", ["fit_seconds", "device"]]) == [80.0, "H100"]


def test_published_figures_are_only_in_the_paper_protocol(cells, tmp_path):
    honest = write_report(cells[cells["protocol"] == "honest"], {}, tmp_path).read_text()
    assert "published accuracy" not in honest


def test_an_older_table_without_the_newer_columns_is_told(cells, tmp_path):
    older = cells.drop(columns=["peak_memory_mb", "parameters", "f1_by_class"])
    assert "| ROCKET | 81.0% | 2.0 | 0.50 | – | – |" in write_report(older, {}, tmp_path).read_text()


def test_seconds_of_another_device_do_not_enter_those_of_the_cpu(cells, tmp_path):
    gpu = [cell(name, "SBAS", 1.0, device="H100", fit_seconds=80.0) for name in ("ROCKET", "MACE")]
    costs = tables.costs(pd.concat([cells, pd.DataFrame(gpu)]))
    assert list(costs.loc["ROCKET", ["fit_seconds", "device"]]) == [2.0, "CPU"]
    assert list(costs.loc["MACE", ["fit_seconds", "device"]]) == [80.0, "H100"]
    assert costs.loc["ROCKET", "accuracy"] > cells[cells["system"] == "ROCKET"]["accuracy"].mean()


def test_a_system_without_cells_on_some_data_is_last_and_not_ranked(cells):
    part = cells[~((cells["system"] == "QUANT") & (cells["data"] == "Iowa"))]
    assert list(tables.scores(part).index) == [TITLE, "ROCKET", "QUANT"]
    assert tables.scores(part).loc["QUANT", "Iowa"] == "–"
    assert list(tables.complete_scores(part)) == [TITLE, "ROCKET"]


def test_gains_by_class_are_over_the_best_other_system(cells):
    gains = tables.class_gains(cells[cells["seed"] == 0], TITLE).set_index(["data", "class"])
    assert gains.loc[("Swiss", "co2"), "best_other"] == "QUANT"
    assert gains.loc[("Swiss", "co2"), "gain"] == pytest.approx(0)
    assert gains.loc[("Swiss", "light"), "best_other"] == "ROCKET"
    assert gains.loc[("Swiss", "light"), "gain"] == pytest.approx(-0.1)


def test_bars_join_what_the_critical_difference_does_not_tell_apart():
    assert _cliques(pd.Series([1.0, 1.5, 2.2, 4.0]).to_numpy(), 1.0) == [(0, 1), (1, 2)]
    assert _cliques(pd.Series([1.0, 1.5, 2.2, 4.0]).to_numpy(), 3.0) == [(0, 3)]
    assert _cliques(pd.Series([1.0, 3.0]).to_numpy(), 1.0) == []


def test_an_ablation_changes_one_thing_at_a_time():
    entries = variants()
    whole = dict(entries[WHOLE].options)
    assert whole == {"head": "closed_form", "branches": ("randomized", "statistics")}
    assert dict(entries["without statistics"].options)["branches"] == ("randomized",)
    assert "randomized alone" not in entries  # of two branches, the same as without the other
    network = variants("mlp", language="gpt2")
    assert dict(network["local alone"].options) == {"head": "mlp", "branches": ("local",), "language": None}
    assert dict(network["language alone"].options)["branches"] == ()
    assert {"direct concatenation", "DFT width 16", "paper variant", "without language"} <= set(network)
    assert dict(network["frozen branches without dropout"].options)["feature_dropout"] == 0
    assert set(network) - set(variants("mlp", language="gpt2", kernels=False)) == set(KERNELS)


def test_effects_are_paired_over_splits_and_written(tmp_path):
    entries = variants()
    change = "dilation 4"
    rows = []
    for seed, (whole, varied) in enumerate([(0.9, 0.8), (0.8, 0.72), (0.7, 0.58)]):
        split = f"resample {seed}"
        rows += [
            cell(entries[WHOLE].title, "Swiss", whole, seed, split=split),
            cell(entries[change].title, "Swiss", varied, seed, split=split),
        ]
    found = effects(pd.DataFrame(rows), entries)
    assert found["change"].tolist() == [change]
    assert found.loc[0, "loss"] == pytest.approx(0.1)
    assert found.loc[0, "pairs"] == 3
    alone = effects(pd.DataFrame(rows[::2]), entries)  # no change was run
    assert "- dilation 4: broken" in write_ablation(alone, {"dilation 4": "broken"}, tmp_path / "alone").read_text()
    shutil.rmtree(tmp_path / "alone")
    text = write_ablation(found, {}, tmp_path).read_text()
    assert f"| {change} | 70.0 | +10.0 | +5.0 to +15.0 |" in text
    assert {path.name for path in tmp_path.iterdir()} == {
        "ablation.md",
        "effects.csv",
        "ablation-honest-resample-swiss.png",
    }


@pytest.mark.parametrize("seconds", [(2.0, 60.0), (0.01, 9000.0), (3.0, 3.1)])
def test_the_seconds_of_the_picture_of_costs_can_be_read(seconds):
    costs = pd.DataFrame({"accuracy": [0.8, 0.9], "fit_seconds": seconds, "device": "CPU"}, index=["a", "b"])
    figure = cost_figure(costs)
    figure.canvas.draw()
    shown = [label for label in figure.axes[0].get_xticklabels() if label.get_text()]
    places = sorted((box.x0, box.x1) for box in (label.get_window_extent() for label in shown))
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(places))
