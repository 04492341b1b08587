import pytest
import tensorflow as tf

from deepfeatiot_tf import InputError
from deepfeatiot_tf.serving.plain_ops import check_plain, plain_ops


def graph_of(function):
    return tf.function(function).get_concrete_function(tf.TensorSpec([None], tf.float32)).graph.as_graph_def()


def test_core_ops_pass():
    check_plain(graph_of(lambda x: tf.map_fn(tf.sin, x)))


def test_a_compiled_function_is_found_inside_another():
    compiled = tf.function(tf.sin, jit_compile=True)
    with pytest.raises(InputError, match="graph holds XLA"):
        check_plain(graph_of(lambda x: tf.map_fn(compiled, x)))


def test_settings_come_back_when_tracing_fails(model):
    layers = list(model._flatten_layers())
    grus = [layer for layer in layers if hasattr(layer, "use_cudnn")]

    def trace():
        assert {gru.use_cudnn for gru in grus} == {False}
        raise RuntimeError("while tracing")

    with pytest.raises(RuntimeError, match="while tracing"), plain_ops(model):
        trace()
    assert {gru.use_cudnn for gru in grus} == {"auto"}
    assert {layer.jit_compile for layer in layers if layer.name == "random_kernels"} == {True}
