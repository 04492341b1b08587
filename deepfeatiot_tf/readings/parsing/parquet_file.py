"""Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.table_file import SAMPLE_ROWS, unique_names

_BUFFER = 1 << 16  # bytes per column: without it a whole row group would be held


class ParquetFile:
    """A Parquet table; see `TableFile`."""

    def __init__(self, path: Path, options: TableOptions) -> None:
        self.path = path
        with self._explained(), self._open() as file:
            self._names = file.schema_arrow.names
        self.columns = unique_names(self._names)

    def sample(self) -> pd.DataFrame:
        """See `TableFile`."""
        with self._explained(), self._open() as file:
            frames = (b.to_pandas(ignore_metadata=True) for b in file.iter_batches(SAMPLE_ROWS))
            frame = next(frames, pd.DataFrame(columns=self.columns))
            return frame.set_axis(self.columns, axis="columns")

    def chunks(self, rows: int | None, text: Sequence[str], numbers: Sequence[str]) -> Iterator[pd.DataFrame]:
        """See `TableFile`."""
        called = dict(zip(self.columns, self._names, strict=True))
        wanted = [called[column] for column in dict.fromkeys([*text, *numbers])]
        given = {name: column for column, name in called.items()}  # a name that stands twice is refused
        with self._explained(), self._open() as file:
            if rows is None:
                yield file.read(columns=wanted).to_pandas(ignore_metadata=True).rename(columns=given)
                return
            done = 0
            for batch in file.iter_batches(rows, columns=wanted):
                frame = batch.to_pandas(ignore_metadata=True).rename(columns=given)
                frame.index = pd.RangeIndex(done, done + len(frame))
                done += len(frame)
                yield frame

    def where(self, row: int) -> str:
        """See `TableFile`."""
        return f"{self.path}, row {row + 1}"

    def _open(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.path, buffer_size=_BUFFER, pre_buffer=False)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{self.path}: not a whole Parquet file, cut off or damaged ({reason}); copy or write it again"
            ) from error
