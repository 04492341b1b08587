import numpy as np
import pytest
from checks import check_layer, check_saving

from deepfeatiot_tf.layers import JointFourierFeatures


def test_passes_the_shared_check(rng, tmp_path):
    x, y = rng.normal(size=(4, 5)).astype("float32"), rng.normal(size=(4, 3)).astype("float32")
    layer = JointFourierFeatures(width=16)
    check_layer(layer, x, y, trainable=0, frozen=5 * 16 + 3 * 16 + 16, output_shape=(4, 16))
    check_saving(JointFourierFeatures(width=16), tmp_path / "layer.keras", x, y)


def test_the_kernel_is_the_product_of_two(rng):
    """With all of x read and one scale each: exp(−s²‖x−x'‖²/2) · exp(−t²‖y−y'‖²/2)."""
    x, y = rng.normal(size=(6, 2)).astype("float32"), rng.normal(size=(6, 8)).astype("float32")
    features = np.array(JointFourierFeatures(width=40_000, reads=2, x_scale=0.7, y_scale=0.3)(x, y), "float64")
    found = features @ features.T / features.shape[1]

    def kernel(z, scale):
        return np.exp(-(scale**2) * ((z[:, None] - z[None]) ** 2).sum(axis=-1) / 2)

    np.testing.assert_allclose(found, kernel(x, 0.7) * kernel(y, 0.3), atol=0.03)


@pytest.mark.parametrize("sizes", [{"width": 0}, {"reads": 0}])
def test_sizes_that_are_not_positive_are_refused(sizes):
    with pytest.raises(ValueError, match="give positive sizes"):
        JointFourierFeatures(**sizes)
