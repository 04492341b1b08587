"""Long tables: one row per reading."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.cells import joined_texts, label_texts, numbers, texts
from deepfeatiot_tf.readings.parsing.columns import require, require_rows
from deepfeatiot_tf.readings.parsing.labels import check_labels
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.seen_ids import SeenIds, check_spaces, without_spaces
from deepfeatiot_tf.readings.parsing.table_file import TableFile, where_first
from deepfeatiot_tf.readings.parsing.times import Zone, ticks
from deepfeatiot_tf.readings.sensor_readings import SensorReadings

logger = logging.getLogger(__name__)

_LINES = 200_000  # read at a time when streaming
_MOST_CELLS = 500_000_000  # 2 GB of float32: beyond it, a wrong date is likelier than a long series


def iter_long(file: TableFile, options: TableOptions, rows: int | None) -> Iterator[SensorReadings]:
    """The sensors of a long table, `rows` at a time, or all at once where `rows` is None."""
    id, time, value = options.id, options.time, options.value
    if id is None or time is None or value is None:
        absent = [name for name in ("id", "time", "value") if getattr(options, name) is None]
        raise InputError(f"{file.path}: a long table needs the columns id, time and value; say {', '.join(absent)}")
    for column, role in ((id, "id"), (time, "time"), (value, "value"), (options.label, "label")):
        require(file, column, role)
    for column in options.metadata:
        require(file, column, "metadata")
    require_rows(file, file.sample())
    zone = Zone()
    if rows is None:
        frames: Iterator[pd.DataFrame] = file.chunks(None, text=options.text, numbers=[time, value])
    else:
        frames = _whole_sensors(file.chunks(_LINES, text=options.text, numbers=[time, value]), id, rows)
    seen = SeenIds()
    for frame in frames:
        codes, ids = _sensors(frame[id], file)
        if rows is not None:
            _check_contiguous(codes, ids, frame, seen, file)
        yield sensors_of(frame, codes, ids, value, file, options, zone)


def sensors_of(
    frame: pd.DataFrame,
    codes: np.ndarray,
    ids: np.ndarray,
    value: str,
    file: TableFile,
    options: TableOptions,
    zone: Zone,
) -> SensorReadings:
    """One series for each sensor, in order of time.

    Args:
        frame: all rows of some sensors.
        codes: int `[rows]`, the position of each row's sensor in `ids`.
        ids: str `[sensors]`.
        value: the column of the readings.
        file: the table.
        options: what the user said about it; without a time column, rows are taken as they come.
        zone: see `ticks`.

    Raises:
        InputError: a cell cannot be used, a time repeats, a label varies, or there is no reading.
    """
    readings = numbers(frame[[value]], options.cells, file)[:, 0]
    if options.time is None:
        values = _pad(readings, codes, _count_up(codes), ids, file)
    else:
        times = ticks(frame[options.time], file, options, zone)
        order = _by_time(codes, times, ids, file)
        if options.period is None:
            _check_repeated(frame, codes, times, order, ids, file, options)
            values = _pad(readings[order], codes[order], _count_up(codes[order]), ids, file)
        else:
            values = _resample(readings, codes, times, ids, options.period, file)
    first_rows = frame.index.to_numpy()[np.unique(codes, return_index=True)[1]]
    empty = np.isnan(values).all(axis=1)
    if options.empty == "error" and empty.any():
        first = int(np.argmax(empty))
        raise InputError(
            f"{file.where(first_rows[first])}: sensor {ids[first]!r} has no reading in column {value!r}; "
            "drop its rows, or set the option `empty` to 'keep'"
        )
    labels = None
    if options.label is not None:
        labels = _constant(label_texts(frame[options.label]), codes, ids, frame, options.label, file)
        check_labels(labels, first_rows, file, options)
    metadata = None
    if options.metadata:
        columns = [_constant(texts(frame[c]), codes, ids, frame, c, file) for c in options.metadata]
        metadata = joined_texts(pd.DataFrame(dict(enumerate(columns))), options.repair_text)
    return SensorReadings(
        values,
        ids=ids,
        labels=labels,
        metadata=metadata,
        class_names=options.class_names,
        name=options.name or file.path.name,
    )


def _whole_sensors(chunks: Iterator[pd.DataFrame], id: str, sensors: int) -> Iterator[pd.DataFrame]:
    """Cuts a table sorted by sensor into frames of `sensors` whole sensors each."""
    held: list[pd.DataFrame] = []
    changes = 0
    last: object = None
    for chunk in chunks:
        if chunk.empty:
            continue
        cells = chunk[id].to_numpy(dtype=object)
        changes += int((cells[1:] != cells[:-1]).sum()) + (bool(held) and bool(cells[0] != last))
        last = cells[-1]
        held.append(chunk)
        if changes < sensors:
            continue
        frame = pd.concat(held)
        cells = frame[id].to_numpy(dtype=object)
        starts = np.flatnonzero(cells[1:] != cells[:-1]) + 1
        cuts = starts[sensors - 1 :: sensors]
        for start, end in zip([0, *cuts[:-1]], cuts, strict=True):
            yield frame.iloc[start:end]
        held = [frame.iloc[cuts[-1] :]]
        changes = len(starts) % sensors
    if held:
        yield pd.concat(held)


def _sensors(column: pd.Series, file: TableFile) -> tuple[np.ndarray, np.ndarray]:
    """The sensor of each row as a position in the ids, which stand in order of appearance."""
    try:
        codes, unique = pd.factorize(column)
    except TypeError as error:  # a list in each cell, say
        raise InputError(f"{file.path}: column {str(column.name)!r} holds no ids; name another as id") from error
    if (codes < 0).any():
        raise InputError(
            f"{where_first(file, column.index, codes < 0)}, column {str(column.name)!r}: no id; fill it in"
        )
    again, ids = pd.factorize(texts(pd.Series(unique)))  # the number 1 and the text "1" are one id
    check_spaces(ids, file)
    return again[codes], ids


def _check_contiguous(codes: np.ndarray, ids: np.ndarray, frame: pd.DataFrame, seen: SeenIds, file: TableFile) -> None:
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    again = pd.Index(codes[starts]).duplicated()
    old = seen.add(without_spaces(ids))
    if old is not None:
        row, id = int(np.argmax(codes == old)), ids[old]
    elif again.any():
        row = int(starts[np.argmax(again)])
        id = ids[codes[row]]
    else:
        return
    raise InputError(
        f"{file.where(frame.index[row])}: sensor {id!r} again, after rows of others; "
        "sort the table by id to stream it, or read it whole with read_table"
    )


def _by_time(codes: np.ndarray, times: np.ndarray, ids: np.ndarray, file: TableFile) -> np.ndarray:
    order = np.lexsort((times, codes))
    unsorted = np.unique(codes[order][1:][(np.diff(order) < 0) & (np.diff(codes[order]) == 0)])
    if unsorted.size:
        logger.info(
            "%s: times out of order for %d sensors, the first %r; sorted",
            file.path,
            unsorted.size,
            ids[unsorted[0]],
        )
    return order


def _check_repeated(
    frame: pd.DataFrame,
    codes: np.ndarray,
    times: np.ndarray,
    order: np.ndarray,
    ids: np.ndarray,
    file: TableFile,
    options: TableOptions,
) -> None:
    same = (np.diff(codes[order]) == 0) & (np.diff(times[order]) == 0)
    if same.any():
        row = int(order[1:][same].min())
        where = f"{file.where(frame.index[row])}, column {options.time!r}"
        raise InputError(
            f"{where}: sensor {ids[codes[row]]!r} has a reading "
            f"at {frame[options.time].iloc[row]} already; drop one, or average by `period`"
        )


def _resample(
    readings: np.ndarray,
    codes: np.ndarray,
    times: np.ndarray,
    ids: np.ndarray,
    period: pd.Timedelta,
    file: TableFile,
) -> np.ndarray:
    """The mean of each bin; bins are counted from 1970 and a series starts with its first."""
    bins = times // (period // pd.Timedelta(1, "us"))
    means = pd.Series(readings, dtype=np.float64).groupby([codes, bins]).mean()
    sensors = means.index.get_level_values(0).to_numpy()
    positions = means.index.get_level_values(1).to_numpy()
    firsts = positions[np.searchsorted(sensors, np.arange(len(ids)))]
    return _pad(means.to_numpy(np.float32), sensors, positions - firsts[sensors], ids, file)


def _count_up(codes: np.ndarray) -> np.ndarray:
    """The position of each row within its sensor; the rows of a sensor stand together."""
    starts = np.searchsorted(codes, np.arange(codes.max() + 1))
    return np.arange(len(codes)) - starts[codes]


def _pad(
    readings: np.ndarray, codes: np.ndarray, positions: np.ndarray, ids: np.ndarray, file: TableFile
) -> np.ndarray:
    width = int(positions.max()) + 1
    if width * len(ids) > _MOST_CELLS:
        longest = ids[codes[np.argmax(positions)]]
        raise InputError(
            f"{file.path}: sensor {longest!r} spans {width} readings, too many to hold for all "
            f"{len(ids)} sensors; check its times, or choose a longer period or fewer sensors at a time"
        )
    values = np.full((len(ids), width), np.nan, dtype=np.float32)
    values[codes, positions] = readings
    return values


def _constant(
    cells: np.ndarray, codes: np.ndarray, ids: np.ndarray, frame: pd.DataFrame, column: str, file: TableFile
) -> np.ndarray:
    """The one text of each sensor, None where it has none."""
    table = pd.DataFrame({"sensor": codes, "cell": cells}).dropna().drop_duplicates()
    again = table["sensor"].duplicated()
    if again.any():
        row = int(table.index[again][0])
        raise InputError(
            f"{file.where(frame.index[row])}, column {column!r}: sensor {ids[codes[row]]!r} has "
            f"{cells[row]!r} here and something else before; give one text per sensor"
        )
    constant = np.full(len(ids), None, dtype=object)
    constant[table["sensor"].to_numpy()] = table["cell"].to_numpy(dtype=object)
    return constant
