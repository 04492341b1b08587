import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from deepfeatiot_tf.evaluation import metrics, plots
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


def answers(classes):
    rng = np.random.default_rng(0)
    true = rng.integers(0, classes, 200)
    probabilities = rng.dirichlet(np.ones(classes), 200) / 2 + np.eye(classes)[true] / 2
    names = [f"{i} {'relative humidity of the air in the duct, percent' * (i % 2)}" for i in range(classes)]
    return true, probabilities, names


def drawn_texts(figure):
    figure.savefig(io.BytesIO(), format="png", dpi=50)
    return [text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()]


@pytest.mark.parametrize("classes", [3, 21])
def test_long_class_names_stay_inside_the_picture(classes):
    true, probabilities, names = answers(classes)
    figure = plots.confusion_figure(metrics.confusion(true, probabilities), names)
    drawn_texts(figure)
    width, height = figure.bbox.size
    for label in [*figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()]:
        box = label.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_confusion_prints_every_count_that_is_not_zero():
    figure = plots.confusion_figure(np.array([[12_345, 7], [0, 0]]), ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["12k", "7"]


def test_dollar_signs_in_names_are_no_formulas():
    figure = plots.confusion_figure(np.eye(2, dtype=int), ["price $", r"cost $\x$"])
    drawn_texts(figure)  # a formula with an unknown command would raise


@pytest.mark.parametrize("classes", [3, 21])
def test_overview_has_its_parts_and_their_axes_are_named(classes):
    true, probabilities, names = answers(classes)
    figure = plots.overview_figure(
        "fleet",
        metrics.confusion(true, probabilities),
        metrics.per_class(true, probabilities, names),
        metrics.reliability(true, probabilities),
    )
    texts = {text.get_text() for text in drawn_texts(figure)}
    assert {"true class (series)", "answered class", "F1", "accuracy", "confidence", "series"} <= texts


def test_absent_class_has_words_instead_of_a_bar():
    table = metrics.per_class(np.array([0, 0]), np.eye(3)[[0, 1]], ["a", "b", "c"])
    figure = plots.overview_figure(
        "fleet", np.zeros((3, 3), int), table, metrics.reliability(np.array([0]), np.eye(3)[[0]])
    )
    texts = {text.get_text() for text in drawn_texts(figure)}
    assert {"not in the test part", "not in the test part, but answered"} <= texts


def misread(ids):
    rows = [{"id": i, "label": "co2", "predicted": "wind", "confidence": 0.9} for i in ids]
    return pd.DataFrame(rows, columns=["id", "label", "predicted", "confidence"])


def test_gallery_shades_gaps_and_ends_where_the_series_ends():
    values = np.array([[1, np.nan, np.nan, 4, 5, np.nan, np.nan]])
    figure = plots.misread_figure(SensorReadings(values), misread(["0"]))
    panel = figure.axes[0]
    assert panel.get_xlim() == (0.5, 5.5)
    assert [(patch.get_x(), patch.get_width()) for patch in panel.patches] == [(1.5, 2)]
    line, alone = panel.lines
    assert np.isnan(line.get_ydata()).tolist() == [False, True, True, False, False]
    assert alone.get_xdata().tolist() == [1]  # between nothing and a gap no line would show
    assert panel.get_title() == "co2 → wind (90%)\n0"


@pytest.mark.parametrize(("count", "panels"), [(1, 1), (2, 2), (4, 4), (20, 12)])
def test_gallery_shows_the_first_twelve(count, panels):
    ids = [str(i) for i in range(count)]
    figure = plots.misread_figure(SensorReadings(np.random.default_rng(0).normal(size=(count, 8))), misread(ids))
    assert [axes.get_title().split("\n")[1] for axes in figure.axes if axes.axison] == ids[:panels]


def test_gallery_of_nothing_and_of_a_series_without_readings_can_be_drawn():
    readings = SensorReadings(np.full((1, 3), np.nan))
    assert drawn_texts(plots.misread_figure(readings, misread([])))[0].get_text() == "No series was misread."
    drawn_texts(plots.misread_figure(readings, misread(["0"])))


@pytest.mark.parametrize(
    ("history", "best", "marked"),
    [
        ({"loss": [3, 2, 1], "val_loss": [3, 1, 2]}, None, "lowest validation loss, 2"),
        ({"loss": [3, 2, 1], "val_loss": [np.nan, 2, 1]}, None, "lowest validation loss, 3"),
        ({"loss": [3, 2, 1], "val_loss": [3, 1, 2]}, 3, "epoch kept, 3"),
        ({"loss": [3, 2, 1]}, None, None),
    ],
)
def test_learning_curves_mark_the_epoch_that_was_kept_where_it_is_known(history, best, marked):
    axes = plots.learning_curves_figure(history, best).axes[0]
    marks = axes.lines[sum(name in history for name in ("loss", "val_loss")) :]
    assert [mark.get_label() for mark in marks] == ([] if marked is None else [marked])
    assert all(str(mark.get_xdata()[0]) == marked[-1] for mark in marks)


def test_learning_curves_find_the_accuracy_under_its_keras_name():
    history = {"categorical_accuracy": [0.5], "val_categorical_accuracy": [0.4], "loss": [1], "val_loss": [1]}
    loss, accuracy = plots.learning_curves_figure(history).axes
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert [line.get_label() for line in accuracy.lines][:2] == ["training", "validation"]
