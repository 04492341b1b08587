"""Every system that can be compared, by the name that the command line takes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.evaluation.system_entry import SystemEntry, Training
from deepfeatiot_tf.peers import PEERS

REFERENCE = "deepfeatiot"  # what the others are compared with


def deepfeatiot(title: str, **options: Any) -> SystemEntry:
    """DeepFeatIoT with these options of the model, by the published recipe."""
    closed_form = options.get("head") == "closed_form"

    def make(training: Training) -> System:
        return _network(training, **options)

    return SystemEntry(title, make, quick=closed_form, network=not closed_form, options=tuple(sorted(options.items())))


def _network(training: Training, **options: Any) -> System:
    from deepfeatiot_tf.evaluation import KerasSystem
    from deepfeatiot_tf.models import DeepFeatIoT

    def build(class_names: tuple[str, ...], seed: int) -> DeepFeatIoT:
        model = DeepFeatIoT(class_names, seed=seed, **options)
        model.compile()
        return model

    closed_form = options.get("head") == "closed_form"
    system = KerasSystem(
        build,
        epochs=1 if closed_form else training.epochs,
        patience=training.patience,
        batch_size=training.batch_size,
    )
    # A head in closed form selects nothing, so it learns from the whole training part.
    system.selects = not closed_form
    return system


OURS: dict[str, SystemEntry] = {
    "deepfeatiot": deepfeatiot("DeepFeatIoT, frozen features, closed-form head", head="closed_form"),
    "deepfeatiot-network": deepfeatiot("DeepFeatIoT, full network", head="mlp"),
    "deepfeatiot-paper": deepfeatiot('DeepFeatIoT, full network, "paper" channels', head="mlp", channels="paper"),
}
SYSTEMS: dict[str, SystemEntry] = {**OURS, **PEERS}
GROUPS: dict[str, Callable[[SystemEntry], bool]] = {
    "all": lambda entry: True,
    "quick": lambda entry: entry.quick,
}


def chosen(names: Iterable[str], systems: dict[str, SystemEntry] = SYSTEMS) -> dict[str, SystemEntry]:
    """The systems of these names, in the order of the table.

    Args:
        names: of systems, or of groups: `all`, or `quick`, those whose cells take seconds.
        systems: to choose from. Default: all that there are.

    Raises:
        InputError: a name is unknown, or none is given.
    """
    wanted: set[str] = set()
    for name in names:
        if name in GROUPS:
            wanted |= {each for each, entry in systems.items() if GROUPS[name](entry)}
        elif name in systems:
            wanted.add(name)
        else:
            close = difflib.get_close_matches(name, [*systems, *GROUPS], n=1)
            hint = f", did you mean {close[0]!r}?" if close else ";"
            raise InputError(f"system {name!r} is unknown{hint} give any of {', '.join([*systems, *GROUPS])}")
    if not wanted:
        raise InputError("no system to compare; name some with --systems")
    return {name: entry for name, entry in systems.items() if name in wanted}
