import numpy as np
import pytest
import tensorflow as tf
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import LaplacianFeatures


def adapted(features, *args, **options):
    layer = LaplacianFeatures(*args, **options)
    layer.build(features.shape)
    layer.adapt(features, np.eye(2)[np.arange(len(features)) % 2])
    return layer


def kernel(features, importances, gamma=0.5, rank_gamma=2.0):
    def difference(x):
        return np.abs(x[:, None] - x[None]) @ np.array(importances)

    below = (features[None] < features[:, None]) + 0.5 * (features[None] == features[:, None])
    return np.exp(-gamma * difference(features) - rank_gamma * difference(below.mean(axis=1)))


def test_passes_the_shared_check(rng, tmp_path):
    features = rng.normal(size=(3, 10)).astype("float32")
    frozen = 2 * 6 * 10 + 10 + 6 + 6 * 6
    check_layer(LaplacianFeatures(6), features, trainable=0, frozen=frozen, output_shape=(3, 6))
    check_half_precision(lambda dtype: adapted(features, 6, dtype=dtype), features)
    check_saving(adapted(features, 6), tmp_path / "layer.keras", features)


@pytest.mark.parametrize("gammas", [{}, {"gamma": 1.5, "rank_gamma": 0.0}, {"gamma": 0.0, "rank_gamma": 4.0}])
def test_products_of_features_are_the_kernel_where_all_series_are_landmarks(rng, gammas):
    features = np.round(rng.normal(size=(12, 4)), 1).astype("float32")
    layer = adapted(features, 15, **gammas)
    out = layer(features).numpy()
    np.testing.assert_allclose(out @ out.T, kernel(features, layer.importances, **gammas), atol=1e-4)


def test_products_come_near_the_kernel_where_some_are(rng):
    features = rng.normal(size=(200, 2)).astype("float32")
    layer = adapted(features, 100)
    out = layer(features).numpy()
    assert np.abs(out @ out.T - kernel(features, layer.importances)).mean() < 0.01


def test_landmarks_that_are_the_same_series_do_no_harm(rng):
    features = np.repeat(rng.normal(size=(4, 3)), 3, axis=0).astype("float32")
    layer = adapted(features, 12)
    out = layer(features).numpy()
    np.testing.assert_allclose(out @ out.T, kernel(features, layer.importances), atol=1e-4)


def test_what_tells_the_classes_apart_weighs_more_than_what_does_not(rng):
    features = rng.normal(size=(60, 3)).astype("float32")
    layer = LaplacianFeatures(10)
    layer.build(features.shape)
    layer.adapt(features, np.eye(2)[(features[:, 1] > 0).astype(int)])
    weights = np.array(layer.importances)
    assert weights[1] > 0.5
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-5)


def test_without_anything_to_tell_apart_all_features_weigh_alike(rng):
    features = rng.normal(size=(6, 4)).astype("float32")
    layer = LaplacianFeatures(10)
    layer.build(features.shape)
    layer.adapt(features, np.eye(2)[np.zeros(6, int)])
    np.testing.assert_allclose(layer.importances, 0.25)


def test_the_seed_decides_the_draw(rng):
    features = rng.normal(size=(20, 3)).astype("float32")
    places = [np.array(adapted(features, 5, seed=seed).places) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(places[0], places[1])
    assert not np.array_equal(places[0], places[2])


def test_no_landmarks_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        LaplacianFeatures(0)


def test_the_order_of_the_series_decides_nothing(rng):
    features = rng.normal(size=(40, 3)).astype("float32")
    one_hot = np.eye(2)[(features[:, 0] > 0).astype(int)]
    outputs = []
    for order in (np.arange(40), rng.permutation(40)):
        layer = LaplacianFeatures(8)
        layer.build(features.shape)
        layer.adapt(features[order], one_hot[order])
        outputs.append(layer(features))
    np.testing.assert_allclose(*outputs, atol=1e-6)


def test_its_graph_is_as_small_for_many_features_as_for_one():
    # Each of fit, predict and export traces it; a Python loop over the features made `train` take 1.3 times as long.
    def operations(features):
        layer = LaplacianFeatures(5)
        return len(tf.function(layer).get_concrete_function(tf.TensorSpec((None, features))).graph.get_operations())

    assert operations(50) == operations(1)


def test_answers_and_gradients_are_the_same_out_of_a_graph_and_under_xla(rng):
    features = rng.normal(size=(8, 3)).astype("float32")
    layer = adapted(features, 8)

    def answers(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            out = layer(x)
            total = tf.reduce_sum(out * tf.range(8.0))
        return out, tape.gradient(total, x)

    x = tf.constant(features[::-1] + 0.1)
    expected = answers(x)
    assert np.abs(expected[1]).min() > 0
    for compiled in (False, True):
        for found, wanted in zip(tf.function(answers, jit_compile=compiled)(x), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-4)
