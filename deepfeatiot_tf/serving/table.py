"""Labels for a table of any length, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.files import write_beside
from deepfeatiot_tf.readings.sensor_readings import SensorReadings
from deepfeatiot_tf.readings.table import iter_tables, read_table
from deepfeatiot_tf.readings.vocabularies import COLUMNS
from deepfeatiot_tf.serving.classifier import classifier_of
from deepfeatiot_tf.serving.labelling import Labeller

if TYPE_CHECKING:
    import keras

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.string()),
        ("confidence", pa.float32()),
        ("runner_up", pa.string()),
        ("runner_up_confidence", pa.float32()),
    ]
)
NAMES = pa.schema([(column, pa.string()) for column in COLUMNS])


def predict_table(
    model: keras.Model | str | Path,
    source: str | Path,
    target: str | Path,
    *,
    rows: int = 2048,
    batch_size: int = 256,
    threshold: float | None = None,
    standard_names: bool = False,
    progress: Callable[[int], object] | None = None,
    together: Callable[[SensorReadings], np.ndarray] | None = None,
    **options: Any,
) -> int:
    """Label a table of readings of any length into a file; memory grows with `rows`, not with the table.

    Args:
        model: from raw readings to probabilities, with `class_names`; or a folder that `export_saved_model`
            wrote.
        source: CSV, Parquet or Excel, or a folder; see `read_table`.
        target: the file to write, `.csv` or `.parquet`, with the columns of `predict`, in the order of the
            source. It appears when it is whole.
        rows: sensors read at a time. Default 2048.
        batch_size: series per step; fewer, where they are long. Default 256.
        threshold: see `predict`. Default None.
        standard_names: see `predict`. Default False.
        progress: called after each part with the number of sensors done. Default: nothing.
        together: what gives the probabilities float32 `[sensors, types]` of all sensors of the table at once, such as
            `CollectiveClassifier.predict`; the table is then read whole. Default: the model, of each by itself.
        **options: as for `read_table`. A sensor without any reading is kept (`empty="keep"`), with empty
            labels and confidence 0, unless `empty="error"`.

    Returns:
        the number of sensors.

    Raises:
        InputError: see `iter_tables` and `predict`; `target` has another ending, is the source, or cannot be
            written.

    Example:
        >>> predict_table(model, "fleet.parquet", "labelled.csv", id="device")  # doctest: +SKIP
    """
    source, target = Path(source), Path(target)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        raise InputError(f"{target}: labels are written as {' or '.join(WRITERS)}; name such a file")
    options = {"empty": "keep", **options}
    parts = iter_tables(source, rows=rows, **options) if together is None else iter([read_table(source, **options)])
    if target.exists() and target.samefile(source):
        raise InputError(f"{target}: is the table to label; name another file for the labels")
    if source.is_dir() and source.resolve() in target.resolve().parents:
        raise InputError(f"{target}: lies among the sensors to label; name a file in another folder for the labels")
    labeller = Labeller(classifier_of(model), batch_size, threshold, standard_names)
    schema = pa.schema([*SCHEMA, *NAMES]) if standard_names else SCHEMA
    done = 0

    def frames() -> Iterator[pd.DataFrame]:
        nonlocal done
        for part in parts:
            yield labeller(part) if together is None else labeller.frame(part, together(part))
            done += len(part)
            if progress is not None:
                progress(done)

    write_beside(target, lambda beside: write(beside, frames(), schema))
    return done


def _write_csv(path: Path, frames: Iterable[pd.DataFrame], schema: pa.Schema) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, frame in enumerate(frames):
            frame.to_csv(file, header=number == 0, index=False, float_format="%.6g", lineterminator="\n")


def _write_parquet(path: Path, frames: Iterable[pd.DataFrame], schema: pa.Schema) -> None:
    with pq.ParquetWriter(path, schema) as file:
        for frame in frames:
            file.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))


WRITERS = {".csv": _write_csv, ".parquet": _write_parquet}
