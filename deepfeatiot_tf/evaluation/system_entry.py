"""A system that a comparison knows by name, before anything of it is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.protocols import System

# Epochs of a network whose learning rate falls over them, unless told otherwise; see `training.recipe`.
ROBUST_EPOCHS = 40


@dataclass(frozen=True)
class Training:
    """How networks are trained in a comparison; other systems take no notice.

    Args:
        epochs: at most. Default 200 (published).
        patience: epochs without a better one after which training stops. Default 20.
        batch_size: series per step. Default 32 (published).

    Raises:
        InputError: a number is below 1.
    """

    epochs: int = 200
    patience: int = 20
    batch_size: int = 32

    def __post_init__(self) -> None:
        for name, number in asdict(self).items():
            if number < 1:
                raise InputError(f"{name} is {number}; give at least 1")


@dataclass(frozen=True)
class SystemEntry:
    """One row of a table of systems.

    Args:
        title: as tables and plots write it.
        make: builds the system. Default: there is none, for the reason in `absent`.
        quick: whether a cell of some hundred series takes seconds. Default False.
        network: whether it is trained by gradient, so that its cells depend on `Training`. Default False.
        packages: to import, beyond those that this package requires. Default none.
        extra: of this package that brings them. Default `"peers"`.
        reads_metadata: whether it needs the text about the sensors, so that it has no cell on data without. Default
            False.
        ranked: whether it is a rival of the others, and no other setting of one of them. Default True.
        options: what else decides its cells. Default nothing.
        absent: why there is no such system here. Default: there is one.
    """

    title: str
    make: Callable[[Training], System] | None = None
    quick: bool = False
    network: bool = False
    packages: tuple[str, ...] = ()
    extra: str = "peers"
    reads_metadata: bool = False
    ranked: bool = True
    options: tuple[tuple[str, Any], ...] = ()
    absent: str = ""

    @property
    def missing(self) -> str:
        """The first package that is not installed; empty if there is none."""
        return next((package for package in self.packages if find_spec(package) is None), "")

    def build(self, training: Training) -> System:
        """The system, untrained.

        Raises:
            InputError: a package is missing, or there is no such system here.
        """
        if self.make is None:
            raise InputError(f"{self.title}: {self.absent}")
        if self.missing:
            raise InputError(
                f"{self.title} needs {self.missing}, which is not installed; "
                f"run pip install 'deepfeatiot_tf[{self.extra}]', or leave it out"
            )
        return self.make(training)

    def settings(self, training: Training) -> dict[str, Any]:
        """What decides its cells beside data, split and seed."""
        return {**(asdict(training) if self.network else {}), **dict(self.options)}


def from_module(module: str, function: str) -> Callable[[Training], System]:
    """A `make` that imports its module when it is called."""

    def make(training: Training) -> System:
        return getattr(import_module(module), function)(training)

    return make
