"""CSV and TSV, plain or gzipped."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pandas as pd

from deepfeatiot_tf.errors import InputError
from deepfeatiot_tf.readings.parsing.options import TableOptions
from deepfeatiot_tf.readings.parsing.table_file import SAMPLE_ROWS, unique_names

DELIMITERS = (",", ";", "\t", "|")
_EMPTY = ' \r\n"' + "".join(DELIMITERS)  # what a row without cells is made of
_QUOTED = re.compile(r'"\s*[+-]?\d+,\d+\s*"')
_SAYS_DELIMITER = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # the first line, as spreadsheets write it
_CELLS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


class CsvFile:
    """A text table; see `TableFile`."""

    def __init__(self, path: Path, options: TableOptions) -> None:
        self.path = path
        self._cells = options.cells
        self._time = options.time
        self._encoding = _known_encoding(options.encoding)
        self._gzipped = path.suffix.lower() == ".gz"
        self._open: Any = gzip.open if self._gzipped else open
        self._above = 0  # lines above the header
        with self._explained():
            self._check_mark()
            self._above, said = self._above_header()
            self._delimiter = options.delimiter or said or _sniff(self._first_line())
            if not self._delimiter.isascii():
                raise InputError(
                    f"{path}: the delimiter {self._delimiter!r} is not ASCII; write the table with another"
                )
            self._check_nul()
            self.columns = unique_names(self._header())
            if self._delimiter == options.cells.decimal and not self._quotes_numbers():
                raise InputError(
                    f"{path}: {self._delimiter!r} cannot be both the delimiter and the decimal sign, unless numbers "
                    "are quoted; say the option `delimiter`"
                )
        # where a line is one cell, an empty line is a missing reading
        self._skip_blank = len(self.columns) > 1

    def sample(self) -> pd.DataFrame:
        """See `TableFile`."""
        with self._explained():
            return self._read(nrows=SAMPLE_ROWS)

    def chunks(self, rows: int | None, text: Sequence[str], numbers: Sequence[str]) -> Iterator[pd.DataFrame]:
        """See `TableFile`."""
        words = sorted(self._cells.missing_texts)
        how: dict[str, Any] = {
            "dtype": dict.fromkeys(text, str),
            # A mark of a missing reading may well be a time.
            "na_values": {column: words for column in numbers if column != self._time} if words else None,
        }
        if rows is None:
            with self._explained():
                frame = self._read(**how)
            yield frame
            return
        with self._explained():
            reader = self._read(chunksize=rows, **how)
        with reader:
            while True:
                with self._explained():
                    frame = next(reader, None)
                if frame is None:
                    return
                yield frame

    def where(self, row: int) -> str:
        """See `TableFile`."""
        found = -2  # the header is record -1
        line = self._above + 1
        try:
            with self._open_text() as text:
                reader = csv.reader(text, delimiter=self._delimiter)
                for record in reader:
                    blank = len(record) <= 1 and not "".join(record).strip()
                    found += not blank or (found >= -1 and not self._skip_blank)
                    if found == row:
                        return f"{self.path}, line {line}"
                    line = self._above + reader.line_num + 1
        except csv.Error:  # a cell longer than this module takes; pandas took it
            pass
        return f"{self.path}, row {row + 1}"

    def _read(self, **how: Any) -> Any:
        return pd.read_csv(
            self.path,
            header=0,
            skiprows=self._above,
            names=self.columns,
            index_col=False,
            sep=self._delimiter,
            decimal=self._cells.decimal,
            encoding=self._encoding,
            compression="gzip" if self._gzipped else None,
            skip_blank_lines=self._skip_blank,
            low_memory=False,
            **how,
        )

    def _surplus(self) -> str:
        return (
            f"more cells than the {len(self.columns)} of the header; "
            f"quote a text that holds {self._delimiter!r}, complete the header, or say the option `delimiter`"
        )

    def _check_mark(self) -> None:
        """An `InputError` for a file that says of itself that it is UTF-8, where another encoding is named."""
        with self._open(self.path, "rb") as file:
            marked = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        if marked and not codecs.lookup(self._encoding).name.startswith("utf"):
            raise InputError(f"{self.path}: begins with the mark of UTF-8; leave out the option `encoding`")

    def _check_nul(self) -> None:
        """An `InputError` for NUL bytes, at which pandas would cut a cell."""
        if codecs.lookup(self._encoding).name.startswith(("utf-16", "utf-32")):
            return
        line = 1
        with self._open(self.path, "rb") as file:
            while block := file.read(1 << 16):
                place = block.find(b"\0")
                if place >= 0:
                    line += block.count(b"\n", 0, place)
                    hint = "perhaps of a write that was broken off; remove them"
                    raise InputError(f"{self.path}, line {line}: has NUL bytes, {hint}")
                line += block.count(b"\n")

    def _above_header(self) -> tuple[int, str | None]:
        """How many lines stand above the header, which are empty or say the delimiter, and which that is."""
        said = None
        with self._open_text() as text:
            for above, line in enumerate(text):
                if "\0" in line:
                    raise InputError(f"{self.path}: not a table of text; check the file, or say the option `encoding`")
                saying = _SAYS_DELIMITER.fullmatch(line)
                if saying:
                    said = saying[1]
                elif line.strip(_EMPTY):
                    return above, said
        raise pd.errors.EmptyDataError

    def _first_line(self) -> str:
        with self._open_text() as text:
            return text.readline()

    def _header(self) -> list[str]:
        with self._open_text() as text:
            return next(csv.reader(text, delimiter=self._delimiter))

    def _quotes_numbers(self) -> bool:
        """Whether a number with a decimal comma stands in quotes, as spreadsheets write it between commas."""
        with self._open_text() as text:
            return any(_QUOTED.search(line) for line in islice(text, SAMPLE_ROWS))

    def _open_text(self) -> IO[str]:
        encoding = "utf-8-sig" if codecs.lookup(self._encoding).name == "utf-8" else self._encoding
        text = self._open(self.path, "rt", encoding=encoding, newline="")
        for _ in range(self._above):
            text.readline()
        return text

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with warnings.catch_warnings():
                # surplus cells in the first row make pandas drop a column, with this warning
                warnings.simplefilter("error", pd.errors.ParserWarning)
                yield
        except pd.errors.ParserWarning as error:
            raise InputError(f"{self.where(0)}: {self._surplus()}") from error
        except pd.errors.EmptyDataError as error:
            raise InputError(f"{self.path}: the file is empty; give a table with a header line") from error
        except (pd.errors.ParserError, csv.Error) as error:
            raise InputError(self._unparsable(str(error))) from error
        except UnicodeError as error:
            if "BOM" in str(error):  # UTF-16 without the mark that tells the order of its bytes
                hint = "say the option `encoding`, perhaps 'utf-16-le'"
                raise InputError(f"{self.path}: not {self._encoding} ({error}); {hint}") from error
            raise InputError(self._undecodable()) from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{self.path}: the gzip file is cut off or damaged; copy it again") from error

    def _unparsable(self, message: str) -> str:
        cells = _CELLS.search(message)
        if cells:
            return f"{self.path}, line {cells[2]}: {self._surplus()}"
        if "EOF inside string" in message:
            return f'{self.path}: a quote (") is opened and never closed; close it or remove it'
        return f"{self.path}: not a table of text ({message.splitlines()[0]}); check the file"

    def _undecodable(self) -> str:
        decoder = codecs.getincrementaldecoder(self._encoding)()
        line = 1
        start = b""
        with self._open(self.path, "rb") as file:
            while True:
                block = file.read(1 << 16)
                start = start or block
                try:
                    line += decoder.decode(block, final=not block).count("\n")
                except UnicodeDecodeError as error:
                    line += error.object[: error.start].count(b"\n")
                    byte = error.object[error.start]
                    break
        other = "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"
        return (
            f"{self.path}, line {line}: byte 0x{byte:02x} is not {self._encoding}; "
            f"say the option `encoding`, perhaps {other!r}"
        )


def _known_encoding(name: str) -> str:
    try:
        "a".encode(name)
    except (LookupError, UnicodeError) as error:
        raise InputError(f"encoding {name!r} is not known; say for example 'utf-8' or 'latin-1'") from error
    return name


def _sniff(header: str) -> str:
    """The delimiter that cuts the header into most cells; in the readings a comma may be the decimal sign."""
    return max(DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)
