import numpy as np
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import FeatureStandardization


def test_passes_the_shared_check(rng, tmp_path):
    features = rng.normal(size=(3, 10)).astype("float32")
    check_layer(FeatureStandardization(), features, trainable=0, frozen=20, output_shape=(3, 10))
    check_half_precision(lambda dtype: FeatureStandardization(dtype=dtype), features)
    check_saving(FeatureStandardization(), tmp_path / "layer.keras", features)


def test_batches_adapt_like_the_whole(rng):
    features = rng.normal(5, 3, (50, 4)).astype("float32")
    layer = FeatureStandardization(clip=100)
    layer.build((None, 4))
    layer.adapt([features[:7], features[7:]])
    out = layer(features).numpy()
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=0), 1, atol=1e-5)


def test_a_constant_feature_gives_zero_even_where_it_varies_later():
    layer = FeatureStandardization()
    layer.build((None, 2))
    layer.adapt([np.array([[0.1, 1.0], [0.1, 2.0]], "float32")])
    assert layer(np.array([[9.0, 1.0]], "float32"))[0, 0] == 0


def test_outliers_are_clipped():
    layer = FeatureStandardization(clip=5)
    layer.build((None, 1))
    layer.adapt([np.array([[0.0], [1.0]], "float32")])
    assert layer(np.array([[1e9]], "float32"))[0, 0] == 5
