import keras
import numpy as np
import pytest
from scipy.special import softmax

from deepfeatiot_tf.training.temperature import apply_temperature, fit_temperature


def drawn(rng, logits):
    """Labels that are as the logits say."""
    probabilities = softmax(logits, axis=1)
    return (probabilities.cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)


@pytest.mark.parametrize("promised", [0.5, 1.0, 3.0])
def test_logits_that_promise_so_many_times_too_much_are_divided_by_as_much(rng, promised):
    logits = rng.normal(0, 2, (4000, 5))
    temperature = fit_temperature(drawn(rng, logits), promised * logits)
    assert temperature == pytest.approx(promised, rel=0.1)


def test_a_few_series_without_an_error_do_not_make_a_network_certain(rng):
    probabilities = np.tile([0.8, 0.1, 0.1], (10, 1))
    temperature = fit_temperature(np.zeros(10, int), np.log(probabilities))
    sure = softmax(np.log(probabilities[0]) / temperature)[0]
    assert 0.8 < sure < 0.95


def test_dividing_changes_how_sure_a_layer_is_and_not_what_it_says(rng):
    layer = keras.layers.Dense(4)
    x = rng.normal(size=(20, 3)).astype("float32")
    before = np.asarray(layer(x))
    apply_temperature(layer, 2.5)
    np.testing.assert_allclose(layer(x), before / 2.5, rtol=1e-5, atol=1e-6)
