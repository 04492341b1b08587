"""What the command line calls TABLE: a file or folder of readings, or the name of a public data set."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings import SensorReadings, list_datasets, load_dataset, read_table
from deepfeatiot_tf.readings.datasets import catalogue
from deepfeatiot_tf.readings.parsing.columns import reading_columns, shape_of
from deepfeatiot_tf.readings.parsing.files import extension, open_table
from deepfeatiot_tf.readings.parsing.options import FOLDER_LABEL, check_options

logger = logging.getLogger(__name__)

FORGOTTEN: tuple[Any, ...] = (None, "", [], [""])  # an option that is given so is none


def is_dataset(source: str | Path) -> bool:
    """Whether `source` names a public data set; write `./swiss` for a folder that is called so."""
    return str(source).lower() in catalogue()


def read_source(
    source: str | Path,
    options: Mapping[str, Any],
    *,
    folder: str | Path | None = None,
    class_names: Sequence[str] | None = None,
) -> SensorReadings:
    """Labelled readings.

    Args:
        source: a table, or the name of a data set.
        options: of `read_table`; a data set has its own.
        folder: where the files of data sets lie. Default: see `load_dataset`.
        class_names: all that a table may hold. Default: whatever it holds.

    Raises:
        InputError: it cannot be read, or no label column is named.
    """
    if is_dataset(source):
        return load_dataset(str(source), folder)
    if not options.get("label"):
        raise InputError(f"{source}: which column holds the sensor types? name it with --label")
    return read_table(source, class_names=class_names, **options)


def check_given(source: str | Path, options: Mapping[str, Any]) -> None:
    """An `InputError` for options of a table where the source is a data set, which has its own."""
    named = next((name for name, value in options.items() if value not in FORGOTTEN), None)
    if named is not None and is_dataset(source):
        raise InputError(f"{source}: a data set has its own columns; leave out {named}, or give the path of its file")


def check_outside(source: str | Path, output: Path, options: Mapping[str, Any]) -> None:
    """An `InputError` for a run among the files of sensors, which would be taken for sensors later."""
    if Path(source).is_dir() and Path(source).resolve() == output.resolve():
        raise InputError(f"{output}: is the folder of the sensors; name another for the run")
    if options.get("label") == FOLDER_LABEL and Path(source).resolve() in output.resolve().parents:
        raise InputError(f"{output}: lies in {source}, whose sub-folders are types of sensors; name a folder elsewhere")


def options_of(source: str | Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `read_table` that read a source: those given, or those of the data set's file."""
    if not is_dataset(source):
        return dict(given)
    entry = catalogue()[str(source).lower()]
    columns = {"label": entry.label, "metadata": entry.metadata, "id": entry.id}
    return {role: column for role, column in columns.items() if column is not None}


def path_of(source: str | Path, folder: str | Path | None = None) -> Path:
    """The file of a source; that of a data set is downloaded if need be."""
    if not is_dataset(source):
        return Path(source)
    load_dataset(str(source), folder)  # fetches and checks the file
    known = list_datasets(folder)
    return Path(known["path"][known["name"] == str(source).lower()].iloc[0])


def columns_found(source: str | Path, options: Mapping[str, Any]) -> list[str] | None:
    """First and last column of the readings of a wide table, where they are not named but found; else None."""
    if is_dataset(source) or not Path(source).is_file():
        return None
    checked = check_options(**options)
    if checked.readings is not None or checked.is_long:
        return None
    file = open_table(Path(source), checked)
    columns = reading_columns(file, checked, file.sample())
    return [columns[0], columns[-1]]


def tell_of_other_columns(source: str | Path, options: Mapping[str, Any], learned: Sequence[str] | None) -> None:
    """Warn where the readings found in a table are called otherwise than those of the run, but for numbers."""
    found = columns_found(source, options) if learned else None
    if learned and found and shape_of(found[0]) != shape_of(learned[0]):
        logger.warning(
            "%s: its readings are taken to be %s to %s, where the run learned from %s to %s; --readings names others",
            *(source, *found, *learned),
        )


def without_labels(path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that read the same table without asking it for labels; a label column is still no reading."""
    rest = {name: value for name, value in options.items() if name not in ("label", "empty")}
    label = options.get("label")
    if label is None or not path.exists():
        return rest
    if path.is_dir():
        # Sensors in sub-folders have labels, those in the folder itself have none.
        flat = any(each.is_file() and extension(each) for each in path.iterdir())
        return rest if flat or label != FOLDER_LABEL else {**rest, "label": label}
    checked = check_options(**options)
    file = open_table(path, checked)
    named = isinstance(checked.readings, tuple)
    if not checked.is_long and not named and label in file.columns:
        rest["readings"] = reading_columns(file, checked, file.sample())
    return rest
