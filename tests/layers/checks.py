"""What every layer of the library must do, in one place."""

import keras
import numpy as np


def check_layer(layer, *inputs, trainable: int, frozen: int, output_shape: tuple) -> np.ndarray:
    """Symbolic and eager call agree, config round trip, explicit weight counts, one `fit` that moves nothing frozen.

    Args:
        layer: an instance, not yet built.
        *inputs: arrays, one for each argument of its call.
        trainable: number of trainable weights (scalars) expected.
        frozen: number of the others.
        output_shape: expected.

    Returns:
        the eager output.
    """
    symbolic = [keras.Input(x.shape[1:], dtype=x.dtype.name) for x in inputs]
    output = layer(*symbolic)
    output = output[0] if isinstance(output, tuple) else output
    eager = first(layer(*inputs))
    assert eager.shape == output_shape
    assert output.shape[1:] == output_shape[1:]
    assert np.isfinite(eager).all()
    assert count(layer.trainable_variables) == trainable
    assert count(layer.non_trainable_variables) == frozen

    again = type(layer).from_config(layer.get_config())
    again(*symbolic)
    assert again.get_config() == layer.get_config()
    # Same seed, same frozen weights and initial weights.
    np.testing.assert_array_equal(first(again(*inputs)), eager)

    flat = keras.layers.Flatten(dtype="float32")(output)
    model = keras.Model(symbolic, keras.layers.Dense(1, dtype="float32")(flat))
    before = [np.array(v) for v in layer.non_trainable_variables if "moving" not in v.path and "seed" not in v.path]
    model.compile("sgd", "mse")
    model.fit(list(inputs), np.ones(len(inputs[0])), epochs=1, verbose=0)
    after = [np.array(v) for v in layer.non_trainable_variables if "moving" not in v.path and "seed" not in v.path]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    return eager


def check_half_precision(build, *inputs) -> None:
    """Under `mixed_float16` the layer that `build()` makes gives finite numbers close to those of float32."""
    full = first(build(dtype="float32")(*inputs))
    half = first(build(dtype="mixed_float16")(*inputs))
    assert np.isfinite(half).all()
    np.testing.assert_allclose(half.astype("float32"), full, rtol=0.05, atol=0.05)


def check_saving(layer, path, *inputs) -> None:
    """A model around the layer survives a `.keras` file."""
    symbolic = [keras.Input(x.shape[1:], dtype=x.dtype.name) for x in inputs]
    output = layer(*symbolic)
    model = keras.Model(symbolic, output)
    model.save(path)
    expected, found = model(list(inputs)), keras.saving.load_model(path)(list(inputs))
    np.testing.assert_array_equal(first(found), first(expected))


def first(output) -> np.ndarray:
    return np.array(output[0] if isinstance(output, (tuple, list)) else output)


def count(variables) -> int:
    return sum(int(np.prod(v.shape)) for v in variables if "seed" not in v.path)
