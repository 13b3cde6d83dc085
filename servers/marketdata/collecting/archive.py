"""A folder of chains in Parquet, a file an underlying and day, that the source `parquet:` replays.

Each chain becomes a small file of its own at once, and these are put into the day's file when there are
enough of them. Every file is written whole under another name and then renamed, and a part goes only when the
day's file has it: whenever the process ends, nothing is lost and nothing is half.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from skewline.servers.marketdata.sources.parquet import ParquetSource, rows_of
from skewline.servers.runtime import new_york
from skewline.v1 import chain_pb2

_PART: Final = re.compile(r"(chains-.+-\d{4}-\d{2}-\d{2})\.part-\d+\.parquet")
_UNFINISHED: Final = ".unfinished-"
_FEWEST_PARTS: Final = 32
# The whole day's file is written anew: with so many more each time that this happens seldom.
_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class Day:
    """The files of one underlying and day."""

    whole: Path
    parts: tuple[Path, ...]


class ChainArchive:
    """Chains in and out of a folder, which it makes. Used in one thread at a time. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_UNFINISHED}*"):
            left.unlink()

    def add(self, chain: chain_pb2.OptionChain) -> Path:
        """Keep a chain; returns its day's file, in which it is sooner or later."""
        day = new_york.date_of(chain.time_ns)
        stem = f"chains-{chain.underlying}-{day.isoformat()}"
        part = self._folder / f"{stem}.part-{chain.time_ns}.parquet"
        write_whole(part, rows_of(chain))
        whole = self._folder / f"{stem}.parquet"
        parts = sorted(self._folder.glob(f"{stem}.part-*.parquet"))
        if len(parts) >= max(_FEWEST_PARTS, _snapshots(whole) // _SHARE):
            _join(Day(whole, tuple(parts)))
        return whole

    def join(self) -> None:
        """Put all parts into their days' files."""
        for day in self._days():
            _join(day)

    def newest(self) -> list[chain_pb2.OptionChain]:
        """The newest chain of each underlying. Raises SourceError for a file that cannot be read."""
        if not any(self._folder.glob("chains*.parquet")):
            return []
        source = ParquetSource(self._folder)
        newest = {ref.underlying: ref for ref in source.plan()}
        return [source.load(ref) for ref in newest.values()]

    def _days(self) -> Iterable[Day]:
        parts: dict[str, list[Path]] = defaultdict(list)
        for file in sorted(self._folder.glob("chains-*.part-*.parquet")):
            if (found := _PART.fullmatch(file.name)) is not None:
                parts[found[1]].append(file)
        return [Day(self._folder / f"{stem}.parquet", tuple(files)) for stem, files in parts.items()]


def write_whole(file: Path, table: Any) -> None:
    """Write a Parquet file so that it is there as a whole or not at all, also after a crash."""
    unfinished = file.with_name(f"{_UNFINISHED}{file.name}")
    try:
        pq.write_table(table, unfinished, compression="zstd")
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _join(day: Day) -> None:
    tables = [pq.read_table(file) for file in (day.whole, *day.parts) if file.is_file()]
    # A part may be in the whole already: then only its removal was missed.
    seen: set[int] = set()
    fresh = []
    for table in tables:
        times = set(pc.unique(table["time_ns"]).to_pylist())
        kept = table.filter(pc.invert(pc.is_in(table["time_ns"], pa.array(sorted(seen), pa.int64()))))
        seen |= times
        fresh.append(kept)
    joined = pa.concat_tables(fresh, promote_options="default")
    write_whole(day.whole, joined.sort_by("time_ns") if not _in_order(joined) else joined)
    for part in day.parts:
        part.unlink()


def _in_order(table: Any) -> bool:
    times = table["time_ns"].to_numpy()
    return bool((times[1:] >= times[:-1]).all())


def _snapshots(whole: Path) -> int:
    if not whole.is_file():
        return 0
    times: Sequence[int] = pc.unique(pq.read_table(whole, columns=["time_ns"])["time_ns"]).to_pylist()
    return len(times)
