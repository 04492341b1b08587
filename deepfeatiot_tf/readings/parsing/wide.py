"""Wide tables: one row per sensor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.cells import joined_texts, label_texts, numbers, texts
from deepfeatiot_tf.readings.parsing.columns import reading_columns, require, require_rows
from deepfeatiot_tf.readings.parsing.labels import check_labels
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.seen_ids import SeenIds, check_spaces, without_spaces
from deepfeatiot_tf.readings.parsing.table_file import TableFile, where_first
from deepfeatiot_tf.readings.sensor_readings import SensorReadings


def iter_wide(file: TableFile, options: TableOptions, rows: int | None) -> Iterator[SensorReadings]:
    """The sensors of a wide table, `rows` at a time, or all at once where `rows` is None."""
    require(file, options.label, "label")
    require(file, options.id, "id")
    for column in options.metadata:
        require(file, column, "metadata")
    sample = file.sample()
    require_rows(file, sample)
    columns = reading_columns(file, options, sample)
    seen = SeenIds()
    done = 0
    for frame in file.chunks(rows, text=options.named, numbers=columns):
        yield SensorReadings(
            _values(frame, columns, file, options),
            ids=_ids(frame, done, seen, file, options),
            labels=_labels(frame, file, options),
            metadata=joined_texts(frame[list(options.metadata)], options.repair_text) if options.metadata else None,
            class_names=options.class_names,
            name=options.name or file.path.name,
        )
        done += len(frame)


def _values(frame: pd.DataFrame, columns: list[str], file: TableFile, options: TableOptions) -> np.ndarray:
    values = numbers(frame[columns], options.cells, file)
    empty = np.isnan(values).all(axis=1)
    if options.empty == "error" and empty.any():
        raise InputError(
            f"{where_first(file, frame.index, empty)}: no reading in any of the {len(columns)} columns "
            f"{columns[0]!r} to {columns[-1]!r}; drop the row, or set the option `empty` to 'keep'"
        )
    return values


def _labels(frame: pd.DataFrame, file: TableFile, options: TableOptions) -> np.ndarray | None:
    if options.label is None:
        return None
    labels = label_texts(frame[options.label])
    check_labels(labels, frame.index.to_numpy(), file, options)
    return labels


def _ids(frame: pd.DataFrame, done: int, seen: SeenIds, file: TableFile, options: TableOptions) -> np.ndarray:
    if options.id is None:
        return np.array([str(row) for row in range(done, done + len(frame))], dtype=object)
    ids = texts(frame[options.id])
    missing = np.array([cell is None for cell in ids], dtype=bool)
    if missing.any():
        raise InputError(f"{where_first(file, frame.index, missing)}, column {options.id!r}: no id; fill it in")
    check_spaces(ids, file)
    repeated = pd.Index(ids).duplicated()
    if repeated.any():
        second = int(np.argmax(repeated))
        first = int(np.argmax(ids == ids[second]))
        raise _repeated(ids[second], file.where(frame.index[second]), f" as on {_row(file, frame.index[first])}")
    again = seen.add(without_spaces(ids))
    if again is not None:
        raise _repeated(ids[again], file.where(frame.index[again]), " as on an earlier row")
    return ids


def _row(file: TableFile, row: int) -> str:
    return file.where(row).removeprefix(f"{file.path}, ")


def _repeated(id: str, where: str, earlier: str) -> InputError:
    return InputError(f"{where}: id {id!r}{earlier}; ids must be unique, so rename or drop one")
