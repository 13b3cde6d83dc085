"""Reads LEAN's zips: one CSV a contract, prices times 10,000, each line a bar of quotes.

A line is its bar's start, then open, high, low, close and size of the bid, then those of the ask; a side
without a quote is empty. What a bar says is known at its end.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from skewline.servers.marketdata.chain_columns import Doubles
from skewline.servers.marketdata.sources.source import SourceError
from skewline.servers.runtime import new_york

PRICE_SCALE: Final = 10_000.0
MINUTE_NS: Final = 60_000_000_000
HOUR_NS: Final = 60 * MINUTE_NS
_MS: Final = 1_000_000
_MS_A_DAY: Final = 86_400_000
_NAME: Final = re.compile(r"_(?:american|european)_(call|put)_(\d+)_(\d{8})\.csv$")
# A contract's times lie within one key range: ns of two centuries are too many to multiply by thousands.
_SECOND: Final = 1_000_000_000

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a member's name says."""

    listed: date
    strike: float
    is_call: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """Lines of many contracts, by contract, then time; `known_ns` is a bar's end, `values` a row a column."""

    contracts: tuple[Contract, ...]
    contract: Longs
    known_ns: Longs
    values: Doubles

    def last_before(self, day_start_ns: int, time_ns: int) -> tuple[Longs, Longs]:
        """Contracts that had a line on the day until `time_ns`, and the newest line of each."""
        first = np.searchsorted(self.contract, np.arange(len(self.contracts)))
        origin = int(self.known_ns.min()) // _SECOND - 1 if self.known_ns.size else 0
        seconds = self.known_ns // _SECOND - origin
        span = int(seconds.max()) + 2 if seconds.size else 2
        at = min(max(time_ns // _SECOND - origin, 0), span - 1)
        wanted = np.arange(len(self.contracts)) * span + at
        line = np.searchsorted(self.contract * span + seconds, wanted, side="right") - 1
        quoted = (line >= first) & (line >= 0)
        quoted &= self.known_ns[np.maximum(line, 0)] > day_start_ns
        return np.flatnonzero(quoted), line[quoted]


def read_bars(file: Path, day: date | None, bar_ns: int, width: int) -> Bars:
    """All lines of an options zip, `width` columns after the time. Raises SourceError naming file and member.

    With `day`, times are milliseconds since its New York midnight; without, they are YYYYMMDD HH:MM.
    """
    with opened(file) as archive:
        members = sorted(name for name in archive.namelist() if not name.endswith("/"))
        texts = [_content(file, archive, name) for name in members]
    contracts = tuple(_contract(file, name) for name in members)
    counts = [text.count(b"\n") + (bool(text) and not text.endswith(b"\n")) for text in texts]
    joined = b"".join(text if not text or text.endswith(b"\n") else text + b"\n" for text in texts)
    try:
        starts, values = parse_lines(joined, day, width)
    except ValueError as error:
        raise SourceError(
            _fault(file, members, texts, day, width) or f"{file}: {error}; fetch it again"
        ) from error
    contract = np.repeat(np.arange(len(members)), counts)
    order = np.lexsort((starts, contract))
    return Bars(contracts, contract[order], starts[order] + bar_ns, values[:, order])


def parse_lines(text: bytes, day: date | None, width: int) -> tuple[Longs, Doubles]:
    """Start instants and `width` columns of lines; empty fields are NaN. Raises ValueError."""
    if not text:
        return np.zeros(0, np.int64), np.zeros((width, 0))
    names = ["time", *(str(place) for place in range(width))]
    types = {name: pa.float64() for name in names[1:]} | {"time": pa.int64() if day else pa.string()}
    table = pyarrow.csv.read_csv(
        io.BytesIO(text),
        read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
        convert_options=pyarrow.csv.ConvertOptions(column_types=types, null_values=[""]),
    )
    values = np.stack([table[name].to_numpy() for name in names[1:]])
    if day is not None:
        since_midnight = table["time"].to_numpy()
        outside = (since_midnight < 0) | (since_midnight >= _MS_A_DAY)
        if outside.any():
            raise ValueError(f"time {since_midnight[outside][0]} is no millisecond of a day")
        return since_midnight * _MS + new_york.instant_ns(day, time()), values
    coded = table["time"].combine_chunks().dictionary_encode()
    instants = [_instant(stamp) for stamp in coded.dictionary.to_pylist()]
    return np.array(instants, dtype=np.int64)[coded.indices.to_numpy(zero_copy_only=False)], values


def opened(file: Path) -> zipfile.ZipFile:
    """The zip. Raises SourceError."""
    try:
        return zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        raise SourceError(f"{file} cannot be read as zip ({error}): fetch it again") from error


def _content(file: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        return archive.read(name)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{file}, {name} cannot be read ({error}): fetch it again") from error


def _contract(file: Path, name: str) -> Contract:
    found = _NAME.search(name)
    if found is None:
        raise SourceError(
            f"{file}, {name}: is no contract such as "
            "20151223_goog_minute_quote_american_call_6000000_20151224.csv; correct the name"
        )
    right, strike, listed = found.groups()
    try:
        expiry = datetime.strptime(listed, "%Y%m%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise SourceError(f"{file}, {name}: {listed} is no date; correct the name") from error
    # Strikes after a split have more decimals than OSI symbols, which round them as the exchange does.
    return Contract(expiry, round(int(strike) / PRICE_SCALE, 3), right == "call")


def _instant(stamp: str) -> int:
    moment = datetime.strptime(stamp, "%Y%m%d %H:%M")  # noqa: DTZ007
    return new_york.instant_ns(moment.date(), moment.time())


def _fault(file: Path, members: Sequence[str], texts: Sequence[bytes], day: date | None, width: int) -> str:
    for name, text in zip(members, texts, strict=True):
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                parse_lines(line + b"\n", day, width)
            except ValueError as error:
                said: Any = str(error).splitlines()[0]
                return f"{file}, {name}, line {number}: {said}; correct or remove the line"
    return ""
