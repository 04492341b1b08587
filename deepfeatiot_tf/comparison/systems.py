"""Every system that can be compared, by the name that the command line takes."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.evaluation.protocols import System
from deepfeatiot_tf.evaluation.system_entry import ROBUST_EPOCHS, SystemEntry, Training
from deepfeatiot_tf.peers import PEERS

REFERENCE = "deepfeatiot"  # what the others are compared with


def ours(
    title: str,
    model: str = "DeepFeatIoT",
    recipe: str | None = None,
    balance: bool = False,
    epochs: int | None = None,
    quick: bool | None = None,
    fresh_features: bool = True,
    collective: bool = False,
    ranked: bool = True,
    **options: Any,
) -> SystemEntry:
    """A model of this library.

    Args:
        title: see `SystemEntry`.
        model: its class.
        recipe: see `FrozenFeatureModel.compile`. Default: the model's own.
        balance: whether rare classes weigh as much as frequent ones in training. Default False.
        epochs: of the training, at most. Default: those of the comparison.
        quick: whether a cell takes seconds. Default: with a closed-form head.
        fresh_features: see `KerasSystem`; False where nobody asks for the seconds. Default True.
        collective: whether the test part is answered together, beside the training part; see `CollectiveSystem`.
            Default False.
        ranked: see `SystemEntry`. Default True.
        **options: of the model.
    """
    closed_form = options.get("head") == "closed_form"
    trained = {"recipe": recipe, "balance": balance, "epochs": epochs, "collective": collective}

    def make(training: Training) -> System:
        chosen = replace(training, epochs=min(epochs, training.epochs)) if epochs else training
        return _keras_system(chosen, model, recipe, balance, fresh_features, collective, options)

    return SystemEntry(
        title,
        make,
        quick=closed_form if quick is None else quick,
        network=not closed_form,
        reads_metadata=bool(options.get("text_encoder")),
        ranked=ranked,
        options=tuple(sorted({**options, **{name: value for name, value in trained.items() if value}}.items())),
    )


def _keras_system(
    training: Training,
    model: str,
    recipe: str | None,
    balance: bool,
    fresh_features: bool,
    collective: bool,
    options: dict[str, Any],
) -> System:
    import keras

    from deepfeatiot_tf import models
    from deepfeatiot_tf.evaluation import CollectiveSystem, KerasSystem
    from deepfeatiot_tf.peers.inputs import sentence_encoder

    encoder = options.get("text_encoder")
    encoders = {"text_encoder": sentence_encoder(encoder)} if encoder not in (None, "ngrams") else {}

    def build(class_names: tuple[str, ...], seed: int) -> keras.Model:
        made = getattr(models, model)(class_names, seed=seed, **{**options, **encoders})
        made.compile(recipe=recipe)
        return made

    if collective:
        return CollectiveSystem(build)
    return KerasSystem(
        build,
        epochs=1 if options.get("head") == "closed_form" else training.epochs,
        patience=training.patience,
        batch_size=training.batch_size,
        balance=balance,
        fresh_features=fresh_features,
        # An epoch as published, or what a blend's two answers count for; else nothing, so all is learned from.
        selects=options.get("variant") == "paper" or options.get("head") == "blend",
    )


OURS: dict[str, SystemEntry] = {
    "deepfeatiot": ours("DeepFeatIoT, frozen features, closed-form head", head="closed_form"),
    "deepfeatiot-balanced": ours(
        "DeepFeatIoT, frozen features, closed-form head, balanced", head="closed_form", balance=True, ranked=False
    ),
    "deepfeatiot-augmented": ours(
        "DeepFeatIoT, frozen features, closed-form head, augmented copies",
        quick=False,  # of large data sets, minutes and gigabytes
        ranked=False,
        head="closed_form",
        augmented_copies=4,
    ),
    "deepfeatiot-collective": ours(
        "DeepFeatIoT, frozen features, closed-form head, test part together",
        quick=False,
        ranked=False,  # it sees all of the test part's readings at once, which no other does
        head="closed_form",
        collective=True,
    ),
    "deepfeatiot-metadata-collective": ours(
        "DeepFeatIoT with metadata, closed-form head, test part together",
        quick=False,
        ranked=False,
        head="closed_form",
        text_encoder="minilm",
        ngrams=True,
        collective=True,
    ),
    "deepfeatiot-metadata": ours(
        "DeepFeatIoT with metadata, closed-form head", head="closed_form", text_encoder="minilm", ngrams=True
    ),
    "deepfeatiot-multilingual": ours(
        "DeepFeatIoT with metadata, closed-form head, multilingual encoder",
        ranked=False,
        head="closed_form",
        text_encoder="use-multilingual",
        ngrams=True,
    ),
    "deepfeatiot-multilingual-collective": ours(
        "DeepFeatIoT with metadata, closed-form head, multilingual encoder, test part together",
        quick=False,
        ranked=False,
        head="closed_form",
        text_encoder="use-multilingual",
        ngrams=True,
        collective=True,
    ),
    "deepfeatiot-ngrams": ours(
        "DeepFeatIoT with metadata, closed-form head, n-grams alone",
        ranked=False,
        head="closed_form",
        text_encoder="ngrams",
    ),
    "deepfeatiot-wrong-metadata": ours(
        "DeepFeatIoT with metadata, closed-form head, taught wrong metadata",
        ranked=False,
        head="closed_form",
        text_encoder="minilm",
        ngrams=True,
        wrong_metadata=0.03,
    ),
    "deepfeatiot-blend": ours("DeepFeatIoT, closed-form head and network", head="blend", epochs=ROBUST_EPOCHS),
    "deepfeatiot-network": ours("DeepFeatIoT, full network", head="mlp", epochs=ROBUST_EPOCHS),
    "deepfeatiot-paper": ours("DeepFeatIoT, published network", variant="paper"),
    "deepfeatiot-paper-language": ours(
        "DeepFeatIoT, published network, SmolLM2 for GPT-2", variant="paper", language="smollm2"
    ),
    "deepfeatiot-metadata-blend": ours(
        "DeepFeatIoT with metadata, closed-form head and network",
        head="blend",
        text_encoder="minilm",
        ngrams=True,
        epochs=ROBUST_EPOCHS,
    ),
    "deepfeatiot-metadata-network": ours(
        "DeepFeatIoT with metadata, full network", head="mlp", text_encoder="minilm", epochs=ROBUST_EPOCHS
    ),
    "deepheteroiot": ours("DeepHeteroIoT", "DeepHeteroIoT", epochs=ROBUST_EPOCHS),
    "deepheteroiot-paper": ours("DeepHeteroIoT, published network", "DeepHeteroIoT", variant="paper"),
    "deepmetaiot": ours("DeepMetaIoT", "DeepMetaIoT", text_encoder="minilm", epochs=ROBUST_EPOCHS),
    "deepmetaiot-paper": ours("DeepMetaIoT, published network", "DeepMetaIoT", variant="paper", text_encoder="minilm"),
    "deepmetaiot-paper-ts-m": ours(
        "DeepMetaIoT, published network, learning rate for TS-M",
        "DeepMetaIoT",
        recipe="deepmetaiot-ts-m",
        variant="paper",
        text_encoder="minilm",
    ),
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
