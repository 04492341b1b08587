import numpy as np
from checks import check_layer, check_saving

from deepfeatiot_tf.layers import SampleSizeScale


def adapted(series, **options):
    layer = SampleSizeScale(**options)
    layer.build((None, 3))
    layer.adapt(series)
    return layer


def test_passes_the_shared_check(rng, tmp_path):
    features = rng.normal(size=(4, 3)).astype("float32")
    check_layer(SampleSizeScale(), features, trainable=0, frozen=1, output_shape=(4, 3))
    check_saving(adapted(50), tmp_path / "layer.keras", features)


def test_at_half_the_series_a_kernel_of_the_features_has_half_its_weight():
    features = np.eye(3, dtype="float32")
    out = np.array(adapted(100, scale=3.0, half=100.0)(features))
    np.testing.assert_allclose(out @ out.T, 9 * np.eye(3) / 2, rtol=1e-6)


def test_with_many_series_the_whole_scale_counts():
    np.testing.assert_allclose(adapted(10**7, scale=2.0)(np.ones((1, 3), "float32")), 2.0, rtol=1e-4)
