"""What a user's own layer computes with beside its weights: its code, and the files that it saves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType

import keras

# Packages whose code is left alone: their configs and ours tell their layers apart.
KNOWN = ("keras", "keras_hub", "tensorflow", "numpy", "deepfeatiot_tf")


def layer_code(layer: keras.layers.Layer) -> bytes:
    """Changes when the methods of the layer's own classes do, or functions that these call or hold; else empty.

    Where a line stands changes nothing. What a function reads from elsewhere, such as a table in a variable, is not
    looked at.
    """
    kinds = [kind for kind in type(layer).__mro__ if kind is not object and not _is_known(kind.__module__)]
    functions = [part for kind in kinds for part in vars(kind).values() if inspect.isfunction(part)]
    if kinds:
        functions += [value for value in vars(layer).values() if inspect.isfunction(value)]
    seen: set[int] = set()
    return b"".join(part for function in functions for part in _of_function(function, seen))


def layer_files(layer: keras.layers.Layer) -> bytes:
    """What a layer saves beside its weights, such as the vocabulary that it adapted to."""
    if not hasattr(layer, "save_assets"):
        return b""
    with TemporaryDirectory() as folder:
        layer.save_assets(folder)
        files = sorted(file for file in Path(folder).rglob("*") if file.is_file())
        return b"".join(file.name.encode() + file.read_bytes() for file in files)


def _is_known(module: str | None) -> bool:
    return (module or "").partition(".")[0] in KNOWN


def _of_function(function: FunctionType, seen: set[int]) -> Iterator[bytes]:
    if id(function) in seen or _is_known(function.__module__):
        return
    seen.add(id(function))
    yield from _of_code(function.__code__)
    try:
        names = inspect.getclosurevars(function)
    except ValueError:  # it holds what is not there yet
        return
    for each in (*names.nonlocals.values(), *names.globals.values()):
        if inspect.isfunction(each):
            yield from _of_function(each, seen)


def _of_code(code: CodeType) -> Iterator[bytes]:
    yield code.co_code + repr(code.co_names).encode()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)
        elif isinstance(constant, frozenset):  # in the order of its hashes, which another process has otherwise
            yield repr(sorted(map(repr, constant))).encode()
        else:
            yield repr(constant).encode()
