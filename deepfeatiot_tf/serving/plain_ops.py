"""Graphs of core TensorFlow ops alone, which every server can run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from deepfeatiot_tf.errors import InputError

# What a server without Python, cuDNN or XLA has no kernel for.
BOUND_OPS = ("PyFunc", "EagerPyFunc", "Cudnn", "Xla", "_Xla", "TensorRT", "TRTEngine")
XLA_MARK = "_XlaMustCompile"


@contextmanager
def plain_ops(*models: keras.Model) -> Iterator[None]:
    """Within it, the layers of the models trace to plain ops; after it, all is as before."""
    plain = {"jit_compile": False, "use_cudnn": False}
    before = [
        (layer, name, getattr(layer, name))
        for model in models
        for layer in model._flatten_layers()
        for name in plain
        # A model's own jit_compile is about its training step.
        if hasattr(layer, name) and not isinstance(layer, keras.Model)
    ]
    try:
        for layer, name, _ in before:
            setattr(layer, name, plain[name])
        yield
    finally:
        for layer, name, value in before:
            setattr(layer, name, value)


def check_plain(graph: tf.compat.v1.GraphDef) -> None:
    """Pass a graph that every server can run.

    Raises:
        InputError: the graph, or a function in it, is bound to Python, cuDNN or XLA.
    """
    functions = graph.library.function
    nodes = [*graph.node, *(node for function in functions for node in function.node_def)]
    bound = sorted({node.op for node in nodes if node.op.startswith(BOUND_OPS)})
    if any(part.attr[XLA_MARK].b for part in [*nodes, *functions] if XLA_MARK in part.attr):
        bound.append("XLA")
    if bound:
        raise InputError(
            f"the model cannot be served: its graph holds {', '.join(bound)}, which a server may lack; "
            "build its layers of TensorFlow ops without jit_compile"
        )
