"""A folder of one file per sensor."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.cells import survey
from deepfeatiot_tf.readings.parsing.columns import require, require_rows
from deepfeatiot_tf.readings.parsing.files import READERS, extension, open_table
from deepfeatiot_tf.readings.parsing.labels import check_class
from deepfeatiot_tf.readings.parsing.long import sensors_of
from deepfeatiot_tf.readings.parsing.options import FOLDER_LABEL, TableOptions
from deepfeatiot_tf.readings.parsing.table_file import TableFile
from deepfeatiot_tf.readings.parsing.times import Zone
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

logger = logging.getLogger(__name__)


def iter_folder(folder: Path, options: TableOptions, rows: int | None) -> Iterator[SensorReadings]:
    """The sensors of a folder, `rows` files at a time, or all at once where `rows` is None."""
    if options.id is not None:
        raise InputError(f"{folder}: in a folder the name of each file is the id; leave out the option `id`")
    if options.period is not None and options.time is None:
        raise InputError(f"{folder}: a period needs times; say the option `time`")
    paths = _files(folder, by_label=options.label == FOLDER_LABEL)
    step = rows or len(paths)
    zone = Zone()
    for start in range(0, len(paths), step):
        yield _together([_read(path, options, zone) for path in paths[start : start + step]], folder, options)


def sensor_id(path: Path) -> str:
    """The name of a file without its ending."""
    return path.name[: -len(extension(path) or "")]


def _files(folder: Path, *, by_label: bool) -> list[Path]:
    """The tables of a folder, or those of its sub-folders, each of which is a label."""
    pattern = "*/*" if by_label else "*"
    files = _visible_files(folder, pattern)
    paths = [path for path in files if extension(path)]
    if not paths:
        kinds = ", ".join(READERS)
        if by_label:
            hint = f"with label='{FOLDER_LABEL}' put them in sub-folders named by label"
        elif any(extension(path) for path in folder.glob("*/*")):
            hint = f"there are some in sub-folders: if those are labels, say label='{FOLDER_LABEL}'"
        else:
            hint = "put one file per sensor there"
        raise InputError(f"{folder}: no table in this folder ({kinds}); {hint}")
    stray = next((p for p in folder.iterdir() if by_label and p.is_file() and extension(p)), None)
    if stray is not None:
        raise InputError(f"{stray}: in no sub-folder, so it has no label; move it to the folder of its label")
    for path in paths:
        try:
            str(path.relative_to(folder)).encode()
        except UnicodeEncodeError as error:
            shown = str(path).encode("utf-8", errors="replace").decode()
            raise InputError(f"{shown}: its name, which becomes an id or a label, is not UTF-8; rename it") from error
    first: dict[str, Path] = {}
    for path in paths:
        other = first.setdefault(sensor_id(path), path)
        if other is not path:
            raise InputError(f"{path}: id {sensor_id(path)!r} as of {other}; ids must be unique, so rename one")
    deeper = [path for path in _visible_files(folder, f"{pattern}/*") if extension(path)]
    if deeper:
        logger.warning(
            "%s: tables in deeper folders are passed over: %d, %s the first",
            *(folder, len(deeper), deeper[0].relative_to(folder)),
        )
    if len(paths) < len(files):
        passed_over = next(path for path in files if not extension(path))
        logger.warning(
            "%s: passed over %d files that are no tables (%s), %s the first",
            *(folder, len(files) - len(paths), ", ".join(READERS), passed_over.relative_to(folder)),
        )
    return paths


def _visible_files(folder: Path, pattern: str) -> list[Path]:
    """Sorted; without the hidden ones, those in hidden folders, and the locks of spreadsheets."""
    return sorted(
        path
        for path in folder.glob(pattern)
        if path.is_file() and not any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
    )


def _read(path: Path, options: TableOptions, zone: Zone) -> SensorReadings:
    label = None
    if options.label == FOLDER_LABEL:
        label = path.parent.name.strip()
        check_class(label, f"{path.parent}", options)
        options = replace(options, label=None, class_names=None)
    file = open_table(path, options)
    for column, role in ((options.time, "time"), (options.value, "value"), (options.label, "label")):
        require(file, column, role)
    for column in options.metadata:
        require(file, column, "metadata")
    value = _value_column(file, options)
    times = [] if options.time is None else [options.time]
    frame = next(file.chunks(None, text=options.text, numbers=[*times, value]))
    codes = np.zeros(len(frame), dtype=np.int64)
    series = sensors_of(frame, codes, np.array([sensor_id(path)], dtype=object), value, file, options, zone)
    if label is None:
        return series
    return SensorReadings(series.values, ids=series.ids, labels=[label], metadata=series.metadata)


def _value_column(file: TableFile, options: TableOptions) -> str:
    """The column named by the user, else the only one that can hold readings."""
    sample = file.sample()
    require_rows(file, sample)
    if options.value is not None:
        return options.value
    free = [column for column in file.columns if column not in options.named]
    numbers, _ = survey(sample, options.cells)
    candidates = [column for column in free if column in numbers] or free
    if len(candidates) != 1:
        found = ", ".join(map(repr, candidates[:8])) or "no other column"
        raise InputError(
            f"{file.path}: one column of readings is needed, found {found}; say the options `value` and `time`"
        )
    return candidates[0]


def _together(series: list[SensorReadings], folder: Path, options: TableOptions) -> SensorReadings:
    width = max(one.values.shape[1] for one in series)
    values = np.full((len(series), width), np.nan, dtype=np.float32)
    for row, one in enumerate(series):
        values[row, : one.values.shape[1]] = one.values[0]
    return SensorReadings(
        values,
        ids=[one.ids[0] for one in series],
        labels=None if options.label is None else [one.labels[0] for one in series if one.labels is not None],
        metadata=[one.metadata[0] for one in series if one.metadata is not None] if options.metadata else None,
        class_names=options.class_names,
        name=options.name or folder.name,
    )
