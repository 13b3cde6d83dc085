"""What a source of recorded chains is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from skewline.v1 import chain_pb2


class SourceError(Exception):
    """Data that cannot be read; the message names the file, where in it, and the fix."""


@dataclass(frozen=True, slots=True)
class SnapshotRef:
    """One snapshot that a source can load; `key` is the source's own."""

    underlying: str
    time_ns: int
    key: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of a source's snapshots: underlyings (empty means all) and New York dates, inclusive."""

    symbols: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None

    def wants_symbol(self, underlying: str) -> bool:
        """Whether `underlying` is one of them."""
        return not self.symbols or underlying in self.symbols

    def wants_day(self, day: date) -> bool:
        """Whether `day` is within the dates."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Source(Protocol):
    """Recorded chains, read one at a time."""

    def plan(self) -> list[SnapshotRef]:
        """Everything there is to load, in order of data time, then underlying. Raises SourceError."""

    def load(self, ref: SnapshotRef) -> chain_pb2.OptionChain:
        """One snapshot, its snapshot_id empty. Raises SourceError."""


def in_order(refs: list[SnapshotRef]) -> list[SnapshotRef]:
    """`refs` by data time, then underlying."""
    return sorted(refs, key=lambda ref: (ref.time_ns, ref.underlying, ref.key))


def require_folder(folder: Path, holds: str) -> None:
    """Raise SourceError unless `folder` is one; `holds` says what should be in it."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise SourceError(f"{folder} {what}: name a folder that holds {holds}")
