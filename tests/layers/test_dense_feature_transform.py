import numpy as np
from checks import check_half_precision, check_layer, check_saving

from deepfeatiot_tf.layers import DenseFeatureTransform


def test_passes_the_shared_check(rng, tmp_path):
    features = rng.normal(size=(3, 10)).astype("float32")
    trainable = (10 * 6 + 6) + 2 * 6 + (6 * 4 + 4) + 2 * 4
    check_layer(
        DenseFeatureTransform((6, 4), dropout=0.5),
        features,
        trainable=trainable,
        frozen=0,
        output_shape=(3, 4),
    )
    check_half_precision(lambda dtype: DenseFeatureTransform((6, 4), dtype=dtype), features)
    check_saving(DenseFeatureTransform((6, 4)), tmp_path / "layer.keras", features)


def test_each_dense_layer_ends_in_layer_normalization(rng):
    out = DenseFeatureTransform((16,))(rng.normal(size=(4, 10)).astype("float32")).numpy()
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(out.std(axis=1), 1, atol=0.05)


def test_dropout_acts_in_training_only(rng):
    features = rng.normal(size=(4, 10)).astype("float32")
    layer = DenseFeatureTransform((8,), dropout=0.9)
    np.testing.assert_array_equal(layer(features), layer(features))
    assert np.any(np.not_equal(layer(features, training=True), layer(features)))
