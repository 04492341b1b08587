"""From a live model to a folder that TF Serving takes as it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.files import make_folder
from deepfeatiot_tf.models import CollectiveClassifier
from deepfeatiot_tf.readings.vocabularies import standard_names as names_elsewhere
from deepfeatiot_tf.serving.about import write_about
from deepfeatiot_tf.serving.class_names import LABELS_FILE, served_names, write_class_names
from deepfeatiot_tf.serving.classifier import METADATA
from deepfeatiot_tf.serving.endpoints import EmbeddingEndpoint, Endpoint, TextEndpoint, TogetherEndpoint
from deepfeatiot_tf.serving.plain_ops import check_plain, plain_ops
from deepfeatiot_tf.serving.unknown import check_threshold
from deepfeatiot_tf.serving.warmup import write_warmup

SIGNATURE, TOGETHER = "serving_default", "together"
NAMES_FILE = Path("assets.extra", "standard_names.csv")
WARMUP_LENGTH = 168
WARMUP_BATCH = 32


def export_saved_model(
    model: keras.Model | CollectiveClassifier,
    path: str | Path,
    *,
    warmup: np.ndarray | None = None,
    embeddings: bool = False,
    threshold: float | None = None,
    together_threshold: float | None = None,
    standard_names: bool = False,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write `model` as a SavedModel for TF Serving, or for TensorFlow alone, without this library.

    Signature `serving_default`: float32 `readings` `[batch, time]`, of any batch and length, in the sensors'
    own units, NaN for missing; of a model that reads metadata also string `metadata` `[batch]`, blank where there is
    none, or with `embeddings` float32 `metadata_embedding` `[batch, width]` in its place (beside it, where the model
    also reads n-grams of the text). It gives

    - `probabilities`: float32 `[batch, classes]`, in the order of `assets/labels.txt`;
    - `label` and `runner_up`: string `[batch]`, the two likeliest sensor types;
    - `confidence` and `runner_up_confidence`: float32 `[batch]`, their probabilities.

    With a `threshold`, a row whose confidence is below it has the label `unknown`; `runner_up` is then the likeliest
    type, and both confidences are that type's. A row of which nothing is known, without any reading and without
    metadata, gets empty labels with confidence 0.

    Of a `CollectiveClassifier` there is a second signature, `together`, whose request is one table: the same inputs,
    and string `known_label` `[batch]`, the type of each sensor that is labelled, blank for the others. It gives the
    same outputs; a labelled sensor comes back with its label. A `known_label` that is no class is an error.

    The graph holds core TensorFlow ops only, also where it reads text: no op of tensorflow-text, neither XLA nor cuDNN.
    In `assets.extra` are warm-up requests, and `about.json`, which says the threshold.

    Args:
        model: from `{"readings": …}` to probabilities, with `class_names`; or a fitted `CollectiveClassifier`.
        path: the folder of the version, `"serving/sensor_type/1"`; or the folder of the model,
            `"serving/sensor_type"`, where it becomes the next version.
        warmup: float32 `[batch, time]`, readings that the server tries, the first alone and all at once,
            before it takes traffic. Default: a batch of 32 made-up series of 168 readings.
        embeddings: whether the client sends embeddings of the metadata, computed by the text encoder of this very
            model; zeros for blank text. The SavedModel is then without the encoder.
            Default False.
        threshold: confidence from 0 to 1 below which a sensor is `unknown`; for a precision of your choice, see
            `Report.refusal`. Default None: every sensor gets a type.
        together_threshold: the same of the signature `together`. Default None.
        standard_names: whether `assets.extra/standard_names.csv` gives the class names in Brick, QUDT and SenML, in
            the order of the probabilities; see `standard_names` in `readings`. Default False.
        about: what else `about.json` should say, fit for JSON. Default: nothing.

    Returns:
        the folder of the version.

    Raises:
        InputError: that version exists, the folder cannot be written, or the model cannot be served: it has
            no `class_names`, needs Python, XLA or cuDNN to run, is to take embeddings but has no text encoder, or is to
            say `unknown` but has a class of that name; or a `CollectiveClassifier` was not fitted; or `warmup` has
            another shape; or there is a `together_threshold` without that signature.

    Example:
        >>> export_saved_model(model, "serving/sensor_type/1")  # doctest: +SKIP
    """
    model, second = (model.model, model.second) if isinstance(model, CollectiveClassifier) else (model, None)
    names = served_names(model)
    reads_metadata = getattr(model, "reads_metadata", False)
    if embeddings and not (reads_metadata and METADATA in model.frozen):
        what = "has no text encoder" if reads_metadata else "reads no metadata"
        raise InputError(f"the model {what}, so there are no embeddings to take; export it without them")
    if second is None and together_threshold is not None:
        raise InputError(
            "together_threshold is of a CollectiveClassifier, which alone has that signature; leave it out"
        )
    if warmup is not None and np.ndim(warmup) != 2:
        raise InputError(f"warmup has the shape {list(np.shape(warmup))}; give readings [batch, time]")
    least, least_together = (check_threshold(each, names) for each in (threshold, together_threshold))
    path = _version_folder(Path(path))
    if path.exists():
        raise InputError(f"{path}: this version exists; name another, or the folder above for the next one")
    make_folder(path.parent)
    # A name that is no number is no version to a server that watches the folder.
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        kind = EmbeddingEndpoint if embeddings else TextEndpoint if reads_metadata else Endpoint

        def endpoints(labels: Path) -> dict[str, Endpoint]:
            alone = kind(model, labels, least)
            if second is None:
                return {SIGNATURE: alone}
            return {SIGNATURE: alone, TOGETHER: TogetherEndpoint(alone, second, labels, least_together)}

        written = _write([model] if second is None else [model, second], names, beside, endpoints)
        facts = dict(about or {})
        if second is not None:
            facts[TOGETHER] = {**facts.get(TOGETHER, {}), "threshold": least_together}
        write_about(beside, least, facts)
        if standard_names:
            table = names_elsewhere(names)
            table.insert(0, "label", names)
            table.to_csv(beside / NAMES_FILE, index=False, lineterminator="\n")
        readings = _made_up() if warmup is None else np.asarray(warmup, np.float32)
        requests = [(name, each.request(part)) for name, each in written.items() for part in (readings[:1], readings)]
        write_warmup(beside, path.parent.name, requests)
        os.rename(beside, path)
    except (OSError, tf.errors.OpError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be written ({reason}); free space or name another folder") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return path


def _version_folder(path: Path) -> Path:
    if path.name.isdecimal():
        return path
    versions = [int(each.name) for each in path.glob("*") if each.name.isdecimal()]
    return path / str(max(versions, default=0) + 1)


def _write(
    models: list[keras.Model], names: tuple[str, ...], folder: Path, endpoints_of: Callable[[Path], dict[str, Endpoint]]
) -> dict[str, Endpoint]:
    """The SavedModel; what `endpoints_of` the file of the class names gives are its signatures."""
    with tempfile.TemporaryDirectory() as scratch, plain_ops(*models):
        labels = Path(scratch, LABELS_FILE.name)
        write_class_names(labels, names)
        endpoints = endpoints_of(labels)
        archive = keras.export.ExportArchive()
        # Not the whole model: what the endpoints read is found anyway, and would be stored a second time.
        for table in {
            *(table for each in models for table in _tables(each)),
            *(table for each in endpoints.values() for table in each.tables),
        }:
            archive.track(table)
        for name, endpoint in endpoints.items():
            serve = archive.add_endpoint(name, endpoint, endpoint.signature())
            check_plain(serve.get_concrete_function().graph.as_graph_def())
        archive.write_out(str(folder), verbose=False)
    return endpoints


def _tables(model: keras.Model) -> Iterator[tf.saved_model.experimental.TrackableResource]:
    """Lookup tables of the model's layers, such as a tokenizer's vocabulary."""
    for layer in model._flatten_layers():
        for part in vars(layer).values():
            if isinstance(part, tf.saved_model.experimental.TrackableResource):
                yield part


def _made_up() -> np.ndarray:
    """Daily waves of several heights, one reading in ten missing."""
    hours = np.arange(WARMUP_LENGTH) + np.arange(WARMUP_BATCH)[:, None]
    readings = 20.0 + np.arange(WARMUP_BATCH)[:, None] * np.sin(2 * np.pi * hours / 24)
    return np.where(hours % 10 == 0, np.nan, readings).astype(np.float32)
