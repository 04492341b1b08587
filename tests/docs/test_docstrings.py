"""Every public name says what it takes, gives and raises, and the pages made of it build without a warning."""

import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import keras
import pytest

import deepfeatiot_tf
from deepfeatiot_tf.errors import InputError

ROOT = Path(__file__).parents[2]
ROOMS = ("readings", "language", "layers", "models", "training", "evaluation", "serving", "runs")
MODULES = [deepfeatiot_tf, *(import_module(f"deepfeatiot_tf.{room}") for room in ROOMS)]
PUBLIC = {
    found.__qualname__: found
    for module in MODULES
    for found in (getattr(module, name) for name in module.__all__)
    if callable(found) and found is not InputError
}
CLASSES = {name: found for name, found in PUBLIC.items() if inspect.isclass(found)}
METHODS = {
    method.__qualname__: method
    for found in CLASSES.values()
    for name, member in vars(found).items()
    if not name.startswith("_") and not any(hasattr(base, name) for base in found.__mro__[1:])  # Keras explains its own
    for method in [getattr(member, "__func__", getattr(member, "fget", member))]
    if inspect.isfunction(method)
}
EVERYTHING = {**PUBLIC, **METHODS}
LAYERS = [name for name, found in CLASSES.items() if issubclass(found, keras.layers.Layer)]


def section(doc: str, name: str) -> dict[str, str]:
    """The entries of a section such as `Args:`, by name."""
    found = re.search(rf"^{name}:\n((?:    .*\n|\n)+)", doc + "\n", re.MULTILINE)
    entries = re.split(r"^    (?=\S)", found[1], flags=re.MULTILINE)[1:] if found else []
    return {entry.partition(":")[0].lstrip("*"): entry.partition(":")[2] for entry in entries}


def doc(found: object) -> str:
    return inspect.cleandoc((found and found.__doc__) or "")


@pytest.mark.parametrize("name", EVERYTHING)
def test_it_says_what_it_is_for(name):
    assert doc(EVERYTHING[name])


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "System"])
def test_it_explains_every_argument(name):
    found = PUBLIC[name]
    explained = section(doc(found), "Args") | section(doc(found), "Attributes")
    parameters = [each for each in inspect.signature(found).parameters if each != "kwargs" and each[0] != "_"]
    assert not set(parameters) - set(explained)


@pytest.mark.parametrize("name", EVERYTHING)
def test_arrays_have_a_shape(name):
    found = EVERYTHING[name]
    signature = inspect.signature(found)
    explained = section(doc(found), "Args")
    for parameter in signature.parameters.values():
        if "np.ndarray" in str(parameter.annotation) and parameter.name in explained:
            assert "[" in explained[parameter.name], parameter.name
    assert "[" in doc(found) or "np.ndarray" not in str(signature.return_annotation)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_and_models_state_input_and_output(name):
    text = doc(CLASSES[name])
    assert re.search(r"^Inputs? ?.*: ?.*\[", text, re.MULTILINE | re.DOTALL)
    assert re.search(r"^(Output|Input and output): ", text, re.MULTILINE)


@pytest.mark.parametrize("name", EVERYTHING)
def test_what_is_raised_is_said(name):
    found = EVERYTHING[name]
    where = vars(found).get("__post_init__", vars(found).get("__init__")) if inspect.isclass(found) else found
    if not inspect.isfunction(where) or where.__code__.co_filename == "<string>":
        return  # a constructor that a dataclass or a base made
    # A ValueError within a function may be caught there; in a constructor it is meant for the caller.
    kinds = "InputError|ValueError" if inspect.isclass(found) else "InputError"
    raised = set(re.findall(rf"raise ({kinds})\(", inspect.getsource(where)))
    owner = CLASSES.get(name.rpartition(".")[0])
    assert not {error for error in raised if error not in doc(found) + doc(owner)}


def test_the_reference_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", str(ROOT / "docs" / "api.py")]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Bi-GRUs" in (tmp_path / "deepfeatiot_tf" / "models.html").read_text(encoding="utf-8")
