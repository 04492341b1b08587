import numpy as np
import pytest
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import RandomFourierFeatures


def test_passes_the_shared_check(rng, tmp_path):
    features = rng.normal(size=(3, 10)).astype("float32")
    check_layer(RandomFourierFeatures(6), features, trainable=0, frozen=10 * 6 + 6, output_shape=(3, 6))
    check_half_precision(lambda dtype: RandomFourierFeatures(6, dtype=dtype), features)
    check_saving(RandomFourierFeatures(6), tmp_path / "layer.keras", features)


def test_products_of_features_that_read_everything_are_a_gaussian_kernel(rng):
    features = rng.normal(size=(5, 4)).astype("float32")
    out = RandomFourierFeatures(40_000, reads=4, scale=0.5)(features).numpy()
    distance = np.square(features[:, None] - features[None]).sum(axis=-1)
    np.testing.assert_allclose(out @ out.T / 40_000, np.exp(-0.5 * 0.5**2 * distance), atol=0.03)


def test_each_feature_reads_so_many_inputs(rng):
    layer = RandomFourierFeatures(500, reads=3)
    layer(rng.normal(size=(2, 10)).astype("float32"))
    directions = np.array(layer.directions)
    np.testing.assert_array_equal((directions != 0).sum(axis=0), 3)
    assert (directions != 0).any(axis=1).all()
    with pytest.raises(ValueError, match="positive"):
        RandomFourierFeatures(4, reads=0)
