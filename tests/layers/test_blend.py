import numpy as np
import pytest
from checks import check_layer, check_saving

from deepfeatiot_tf.layers import Blend

RIGHT, WRONG, UNSURE = ([0.9, 0.1], [0.1, 0.9], [0.5, 0.5])
ONE_HOT = np.eye(2)[[0] * 40]


def answers(row, series=40):
    return np.tile(np.array(row, "float32"), (series, 1))


def adapted(solved, learned, series=40):
    layer = Blend()
    layer.build((None, 2), (None, 2))
    layer.adapt(answers(solved, series), answers(learned, series), ONE_HOT[:series])
    return layer


def test_passes_the_shared_check(tmp_path):
    check_layer(Blend(), answers(RIGHT, 4), answers(UNSURE, 4), trainable=0, frozen=1, output_shape=(4, 2))
    check_saving(adapted(RIGHT, WRONG), tmp_path / "layer.keras", answers(RIGHT, 4), answers(UNSURE, 4))


def test_in_training_the_network_answers_alone():
    layer, solved, learned = Blend(), answers(RIGHT), answers(WRONG)
    np.testing.assert_array_equal(layer(solved, learned, training=True), learned)
    np.testing.assert_allclose(layer(solved, learned), answers(UNSURE), rtol=1e-6)


def test_who_is_right_counts_for_more():
    assert adapted(RIGHT, WRONG).share < 0.2
    assert adapted(WRONG, RIGHT).share > 0.8
    assert float(adapted(RIGHT, RIGHT).share) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("weight", [1e-5, 1.0, 1e4])
def test_the_unit_of_the_weights_changes_nothing(weight):
    layer = Blend()
    layer.build((None, 2), (None, 2))
    layer.adapt(answers(WRONG), answers(RIGHT), ONE_HOT, np.full(40, weight))
    assert float(layer.share) == pytest.approx(float(adapted(WRONG, RIGHT).share), abs=1e-5)


def test_a_few_series_settle_little():
    assert 0.3 < adapted(RIGHT, WRONG, series=2).share < 0.5


def test_a_class_that_nobody_thought_possible_is_no_obstacle():
    assert np.isfinite(adapted([0.0, 1.0], [0.0, 1.0]).share)
