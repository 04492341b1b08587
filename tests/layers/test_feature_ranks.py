import numpy as np
import pytest
from checks import check_layer, check_saving

from deepfeatiot_tf.layers import FeatureRanks

ROOT = np.sqrt(3)


def test_passes_the_shared_check(rng, tmp_path):
    features = rng.normal(size=(6, 3)).astype("float32")
    check_layer(FeatureRanks(knots=8), features, trainable=0, frozen=24, output_shape=(6, 3))
    adapted = FeatureRanks(knots=8)
    adapted.build(features.shape)
    adapted.adapt([features])
    check_saving(adapted, tmp_path / "layer.keras", features)


def adapted(features, knots=256):
    layer = FeatureRanks(knots)
    layer.build(features.shape)
    layer.adapt([features[: len(features) // 2], features[len(features) // 2 :]])
    return np.array(layer(features))


def test_ranks_are_even_whatever_the_distribution(rng):
    features = np.exp(5 * rng.normal(size=(1000, 1))).astype("float32")
    ranks = adapted(features)
    expected = (np.argsort(np.argsort(features[:, 0])) / 999 - 0.5) * 2 * ROOT
    np.testing.assert_allclose(ranks[:, 0], expected, atol=0.02)
    np.testing.assert_allclose([ranks.mean(), ranks.std()], [0, 1], atol=0.01)


def test_a_frequent_value_has_the_mean_of_its_ranks():
    features = np.array([0] * 50 + [1] * 25 + [2] * 25, "float32")[:, None]
    ranks = adapted(features)[[0, 60, 99], 0]
    np.testing.assert_allclose(ranks, np.array([-0.25, 0.125, 0.375]) * 2 * ROOT, atol=0.03)


def test_what_lies_outside_has_the_first_or_the_last_rank_and_what_never_varied_none():
    layer = FeatureRanks(16)
    layer.build((None, 2))
    layer.adapt([np.stack([np.arange(100), np.full(100, 7)], axis=1).astype("float32")])
    found = np.array(layer(np.array([[-1e30, 7], [1e30, 7], [49.5, 7]], "float32")))
    np.testing.assert_allclose(found[:, 0], [-ROOT, ROOT, 0], atol=1e-5)
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-6)


def test_too_few_knots_are_refused():
    with pytest.raises(ValueError, match="knots is 1"):
        FeatureRanks(1)
