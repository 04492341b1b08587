import numpy as np
import pytest
import tensorflow as tf
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import CrossResidual


@pytest.fixture
def pair(rng):
    return rng.normal(size=(3, 6)).astype("float32"), rng.normal(size=(3, 4)).astype("float32")


def crossing(source: int, target: int) -> int:
    """Weights of three dense layers and the norms behind them, and of the last norm."""
    widths = (source, source // 2, target)
    dense = sum(a * b + b for a, b in zip((source, *widths[:-1]), widths, strict=True))
    return dense + 2 * sum(widths) + 2 * target


def test_passes_the_shared_check(pair, tmp_path):
    trainable = 2 * (crossing(6, 4) + crossing(4, 6))
    check_layer(CrossResidual(rounds=2), *pair, trainable=trainable, frozen=0, output_shape=(3, 6))
    check_half_precision(lambda dtype: CrossResidual(dtype=dtype), *pair)
    check_saving(CrossResidual(), tmp_path / "layer.keras", *pair)


def test_a_round_is_the_published_formula_in_both_directions_at_once(pair):
    """With weights of the layer itself, step by step; the second direction reads what came in, not what came out."""
    x, y = pair
    layer = CrossResidual()
    found = layer(x, y)

    def norm(z):
        z = z - z.mean(axis=1, keepdims=True)
        return z / np.sqrt((z**2).mean(axis=1, keepdims=True) + 1e-3)

    def cross(source, target, dense):
        kernels = [(np.array(d.kernel), np.array(d.bias)) for d in dense]
        z = source
        for kernel, bias in kernels[:2]:
            z = np.maximum(norm(z @ kernel + bias), 0)
        z = norm(z @ kernels[2][0] + kernels[2][1])
        return np.maximum(norm(z + target), 0)

    ((to_y, to_x),) = layer.crossings
    np.testing.assert_allclose(found[0], cross(y, x, to_x.dense), atol=1e-4)
    np.testing.assert_allclose(found[1], cross(x, y, to_y.dense), atol=1e-4)


def test_gradient_reaches_both_inputs_from_either_output(pair):
    x, y = map(tf.constant, pair)
    layer = CrossResidual()
    for output in range(2):
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            # Squares, since the sum over a layer normalization is nearly constant.
            loss = tf.reduce_sum(tf.square(layer(x, y)[output] - 0.1))
        assert all(np.abs(gradient).max() > 1e-4 for gradient in tape.gradient(loss, [x, y]))


def test_dropout_acts_in_training_only(pair):
    layer = CrossResidual(dropout=0.9)
    np.testing.assert_array_equal(layer(*pair)[1], layer(*pair)[1])
    assert np.any(np.not_equal(layer(*pair, training=True)[1], layer(*pair)[1]))


def test_no_round_is_refused():
    with pytest.raises(ValueError, match="rounds is 0"):
        CrossResidual(rounds=0)
