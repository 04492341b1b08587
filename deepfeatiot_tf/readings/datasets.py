"""The public data sets by name: found on disk or downloaded, checked, and read."""

from __future__ import annotations

import hashlib
import logging
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.readings.table import read_table

FOLDER_VARIABLE = "DEEPFEATIOT_DATA"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DatasetEntry:
    """One table of `catalogue/datasets.toml`, where the fields are explained."""

    title: str
    file: str
    origin: str
    url: str
    sha256: str
    classes: int
    missing: str
    label: str
    note: str
    series: int | None = None
    readings: int | None = None
    metadata: str | None = None
    id: str | None = None
    integer_labels: bool = False
    class_names: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()


@cache
def catalogue() -> dict[str, DatasetEntry]:
    """The known data sets by name, in the order of the catalogue file."""
    text = resources.files(__package__).joinpath("catalogue/datasets.toml").read_text(encoding="utf-8")
    return {name: DatasetEntry(**table) for name, table in tomllib.loads(text).items()}


def load_dataset(
    name: str, folder: str | Path | None = None, *, metadata: bool = True, repair_text: bool = True
) -> SensorReadings:
    """Reads a public data set, from disk where it lies there, else downloaded once and kept.

    The file is looked for in `folder`, then in the folder that the environment variable `DEEPFEATIOT_DATA`
    names, then in the cache; its SHA-256 is checked each time.

    Args:
        name: `"swiss"`, `"urban"`, `"iowa"`, `"sbas"`, `"ts-m"`, `"ts-n"` or `"senseur"`, in any case.
        folder: a folder with the authors' file in it. Default: none.
        metadata: whether to read the text of each sensor where the set has one. Default True.
        repair_text: whether to repair it; see `read_table`. Default True.

    Returns:
        readings with labels by name, classes in the order of the authors' integers.

    Raises:
        InputError: the name is unknown, the file cannot be had, or it is not the published one.

    Example:
        >>> readings = load_dataset("swiss", "data/")  # doctest: +SKIP
    """
    entry = _entry(name)
    path = _on_disk(entry, _folders(folder))
    if path is None:
        path = _download(entry)
    else:
        _check(path, entry)
    if not entry.sha256:
        logger.warning("%s: no checksum is known for this data set, so the file was not checked", path)
    readings = read_table(
        path,
        label=entry.label,
        metadata=entry.metadata if metadata else None,
        id=entry.id,
        repair_text=repair_text,
        name=entry.title,
    )
    return _with_class_names(readings, entry)


def list_datasets(folder: str | Path | None = None) -> pd.DataFrame:
    """What `load_dataset` knows, and where each file lies on this machine.

    Args:
        folder: a further folder to look in. Default: none.

    Returns:
        one row per data set: name, series, readings, classes, missing, metadata (the column, or `""`), file,
        path (`""` where the file is not on disk), origin. `series` and `readings` are `<NA>` where unknown.

    Raises:
        InputError: the folder, or the one named by `DEEPFEATIOT_DATA`, does not exist.
    """
    folders = [*_folders(folder), _cache_folder()]
    rows = [
        {
            "name": name,
            "series": entry.series,
            "readings": entry.readings,
            "classes": entry.classes,
            "missing": entry.missing,
            "metadata": entry.metadata or "",
            "file": entry.file,
            "path": str(_on_disk(entry, folders) or ""),
            "origin": entry.origin,
        }
        for name, entry in catalogue().items()
    ]
    return pd.DataFrame(rows).astype({"series": "Int64", "readings": "Int64"})


def _entry(name: str) -> DatasetEntry:
    entry = catalogue().get(name.lower())
    if entry is None:
        raise InputError(f"unknown data set {name!r}; known are {', '.join(catalogue())}")
    return entry


def _folders(folder: str | Path | None) -> list[Path]:
    folders = []
    for what, given in (("folder", folder), (FOLDER_VARIABLE, os.environ.get(FOLDER_VARIABLE))):
        if given:
            path = Path(given).expanduser()
            if not path.is_dir():
                raise InputError(f"{what} {str(path)!r} is not a folder; create it or name another")
            folders.append(path)
    return folders


def _on_disk(entry: DatasetEntry, folders: list[Path]) -> Path | None:
    return next((folder / entry.file for folder in folders if (folder / entry.file).is_file()), None)


def _check(path: Path, entry: DatasetEntry) -> None:
    if not entry.sha256:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != entry.sha256:
        raise InputError(
            f"{path}: not the published file: SHA-256 expected {entry.sha256}, found {found}; "
            f"replace it by {entry.url}, or read your own version with read_table"
        )


def _cache_folder() -> Path:
    import pooch  # not needed until a file is fetched, and it takes a while to import

    return Path(pooch.os_cache("deepfeatiot_tf"))


def _download(entry: DatasetEntry) -> Path:
    import pooch

    known_hash = f"sha256:{entry.sha256}" if entry.sha256 else None
    try:
        return Path(pooch.retrieve(entry.url, known_hash, fname=entry.file, path=_cache_folder()))
    except OSError as error:  # every failure of the connection is one
        raise InputError(
            f"{entry.file}: not on disk, and the download of {entry.url} failed "
            f"({error.strerror or type(error).__name__}); fetch it by hand and pass its folder (folder=…, "
            f"--folder) or name the folder in {FOLDER_VARIABLE}"
        ) from error
    except ValueError as error:  # pooch's word for a wrong checksum; the file is already deleted
        raise InputError(f"{entry.file}: downloaded from {entry.url}, but {error}") from error


def _with_class_names(readings: SensorReadings, entry: DatasetEntry) -> SensorReadings:
    assert readings.labels is not None  # a label column was asked for
    names: tuple[str, ...] | None = tuple(entry.class_names) or None
    labels = list(readings.labels)
    if entry.integer_labels and names:
        labels = [names[int(label)] for label in labels]
    elif all(label.isdecimal() for label in labels):
        names = tuple(sorted(set(labels), key=int))
    return SensorReadings(
        readings.values,
        ids=readings.ids,
        labels=labels,
        metadata=readings.metadata,
        class_names=names,
        name=entry.title,
    )
