"""Which reader opens which file."""

from __future__ import annotations

from pathlib import Path

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.csv_file import CsvFile
from deepfeatiot_tf.readings.parsing.excel_file import ExcelFile
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.parquet_file import ParquetFile
from deepfeatiot_tf.readings.parsing.table_file import TableFile

READERS: dict[str, type[CsvFile] | type[ParquetFile] | type[ExcelFile]] = {
    ".csv": CsvFile,
    ".csv.gz": CsvFile,
    ".tsv": CsvFile,
    ".tsv.gz": CsvFile,
    ".parquet": ParquetFile,
    ".pq": ParquetFile,
    ".xlsx": ExcelFile,
    ".xlsm": ExcelFile,
}


def extension(path: Path) -> str | None:
    """The ending of a name that decides how the file is read, or None for one that is not."""
    return next((end for end in READERS if path.name.lower().endswith(end)), None)


def check_exists(path: Path) -> None:
    """An `InputError` where nothing lies at `path`."""
    if not path.exists():
        raise InputError(f"{path}: no such file; check the name and the folder")


def open_table(path: Path, options: TableOptions) -> TableFile:
    """Opens a table by the ending of its name.

    Raises:
        InputError: there is none, it cannot be opened, or its kind is not known.
    """
    check_exists(path)
    end = extension(path)
    if end is None:
        raise InputError(f"{path}: unknown kind of file; save it as one of {', '.join(READERS)}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; give a table with a header line")
    try:
        return READERS[end](path, options)
    except PermissionError as error:
        raise InputError(f"{path}: may not be read; change its permissions") from error
