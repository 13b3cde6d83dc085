"""Tables in files: CSV, gzipped or zipped, and Parquet, as columns of text or of typed values."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from skewline.servers.marketdata.sources.source import SourceError

CSV_NAMES: Final = ("*.csv", "*.csv.gz", "*.zip")
PARQUET_NAMES: Final = ("*.parquet",)
_DELIMITERS: Final = ",;\t|"
_BLOCK: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows; `broken` are numbers of the lines that have another number of fields than the header."""

    file: Path
    data: Any
    broken: tuple[int, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of its columns."""
        return list(self.data.column_names)

    def column(self, name: str) -> Any:
        """A column in one piece."""
        return self.data[name].combine_chunks()

    def place(self, row: int) -> str:
        """Where a row is, for people."""
        return f"{self.file}, line {row + 2 + sum(line <= row + 2 for line in self.broken)}"


def files_of(place: Path, patterns: Sequence[str], holds: str) -> list[Path]:
    """The file that `place` is, or those of the folder by name. Raises SourceError if there is none."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise SourceError(f"{place} does not exist: name a file or folder of {holds}")
    found = sorted({file for pattern in patterns for file in place.glob(pattern) if file.is_file()})
    if not found:
        raise SourceError(f"{place} holds no {' and no '.join(patterns)}: name a file or folder of {holds}")
    return found


def read_table(file: Path) -> Table:
    """All of a file. Raises SourceError that names it and the fix."""
    if file.suffix == ".parquet":
        try:
            return Table(file, pq.read_table(file))
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"{file} cannot be read as Parquet ({error}): write it again") from error
    return _parsed(file, _content(file))


def _content(file: Path) -> bytes:
    try:
        if file.suffix == ".gz":
            return gzip.decompress(file.read_bytes())
        if file.suffix != ".zip":
            return file.read_bytes()
        with zipfile.ZipFile(file) as archive:
            members = [name for name in archive.namelist() if name.endswith(".csv")]
            if len(members) != 1:
                raise SourceError(f"{file} holds {len(members)} files *.csv: a zip must hold one; unpack it")
            return archive.read(members[0])
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise SourceError(f"{file} cannot be read ({error}): fetch the file again") from error


def _parsed(file: Path, raw: bytes) -> Table:
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SourceError(f"{file}, line {line}: is not UTF-8 text; save the file as UTF-8") from error
    head, _, rest = raw.partition(b"\n")
    if not rest.strip():
        where = "line 2: no row follows the header" if head.strip() else "line 1: is empty"
        raise SourceError(f"{file}, {where}; fetch the file again or take it away")
    first = head.decode().strip("\r")
    delimiter = max(_DELIMITERS, key=first.count)
    names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(f"{file}, line 1: column {twice[0]!r} is there twice; rename one")
    broken: list[int] = []

    def skip(row: Any) -> str:
        broken.append(row.number)
        return "skip"

    try:
        data = pyarrow.csv.read_csv(
            io.BytesIO(raw),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=names, skip_rows=1, block_size=_BLOCK
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, invalid_row_handler=skip),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[], strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(f"{file}: {error}; fetch the file again or take it away") from error
    return Table(file, data, tuple(broken))
