import numpy as np
import pytest
from checks import check_layer, check_saving
from test_laplacian_features import kernel

from deepfeatiot_tf.layers import JointKernelFeatures


def adapted(x, embedding, *args, **options):
    layer = JointKernelFeatures(*args, **options)
    layer.build(x.shape, embedding.shape)
    layer.adapt(x, embedding, np.eye(2)[np.arange(len(x)) % 2])
    return layer


def draw(rng, series):
    return rng.normal(size=(series, 4)).astype("float32"), rng.normal(size=(series, 5)).astype("float32")


def test_passes_the_shared_check(rng, tmp_path):
    x, embedding = draw(rng, 3)
    frozen = 2 * 6 * 4 + 4 + 6 + 6 * 6 + 6 * 5
    check_layer(JointKernelFeatures(6), x, embedding, trainable=0, frozen=frozen, output_shape=(3, 6))
    check_saving(adapted(x, embedding, 6), tmp_path / "layer.keras", x, embedding)


@pytest.mark.parametrize("embedding_gamma", [0.0, 2.0])
def test_products_of_features_are_the_product_of_the_kernels(rng, embedding_gamma):
    x, embedding = draw(rng, 12)
    layer = adapted(x, embedding, 15, embedding_gamma=embedding_gamma)
    out = layer(x, embedding).numpy()
    units = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    alike = np.exp(-embedding_gamma * np.sum((units[:, None] - units[None]) ** 2, axis=-1))
    np.testing.assert_allclose(out @ out.T, kernel(x, layer.importances) * alike, atol=1e-4)


def test_the_length_of_an_embedding_says_nothing(rng):
    x, embedding = draw(rng, 8)
    layer = adapted(x, embedding, 8)
    np.testing.assert_allclose(layer(x, 3 * embedding), layer(x, embedding), atol=1e-5)
