"""Recorded bars in and out of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, select

from skewline.storage.bulk import copy_rows
from skewline.storage.listing import within
from skewline.storage.marketdata.tables import BARS

# Below the number of parameters that any build of SQLite takes in one statement.
_CHUNK = 500


class BarRow(NamedTuple):
    """One bar; `provenance` is the contract's number."""

    underlying: str
    interval_ns: int
    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    source: str
    provenance: int


@dataclass(frozen=True, slots=True)
class BarQuery:
    """Which bars, by start: `from_ns` inclusive, `to_ns` exclusive, 0 open."""

    underlying: str
    interval_ns: int
    from_ns: int = 0
    to_ns: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """How many bars were new, stored with other values before, and stored as they are before."""

    added: int
    replaced: int
    unchanged: int


def save(connection: Connection, rows: Sequence[BarRow]) -> Saved:
    """Store bars of one underlying and length, each start once; those of the same start are replaced."""
    if not rows:
        return Saved(0, 0, 0)
    these = BarQuery(rows[0].underlying, rows[0].interval_ns)
    before = {row.start_ns: row for row in _known(connection, these, [row.start_ns for row in rows])}
    fresh = [row for row in rows if before.get(row.start_ns) != row]
    gone = [row.start_ns for row in fresh if row.start_ns in before]
    for starts in _chunks(gone):
        connection.execute(delete(BARS).where(*_wanted(these), BARS.c.start_ns.in_(starts)))
    copy_rows(connection, BARS, BarRow._fields, fresh)
    return Saved(len(fresh) - len(gone), len(gone), len(rows) - len(fresh))


def intervals(connection: Connection, underlying: str) -> list[int]:
    """Lengths of the bars of `underlying`, longest first."""
    found: list[int] = []
    longest = select(func.max(BARS.c.interval_ns)).where(BARS.c.underlying == underlying)
    # One look into the index for each length, where a DISTINCT would go over all bars.
    step = connection.execute(longest).scalar_one()
    while step is not None:
        found.append(step)
        step = connection.execute(longest.where(BARS.c.interval_ns < step)).scalar_one()
    return found


def oldest(connection: Connection, query: BarQuery, limit: int) -> list[BarRow]:
    """The first `limit` bars, oldest first."""
    rows = connection.execute(select(BARS).where(*_wanted(query)).order_by(BARS.c.start_ns).limit(limit))
    return [BarRow(*row) for row in rows]


def newest(connection: Connection, query: BarQuery, limit: int) -> list[BarRow]:
    """The last `limit` bars, oldest first."""
    newest_first = select(BARS).where(*_wanted(query)).order_by(BARS.c.start_ns.desc()).limit(limit)
    return [BarRow(*row) for row in connection.execute(newest_first)][::-1]


def _known(connection: Connection, query: BarQuery, starts: Sequence[int]) -> list[BarRow]:
    return [
        BarRow(*row)
        for chunk in _chunks(starts)
        for row in connection.execute(select(BARS).where(*_wanted(query), BARS.c.start_ns.in_(chunk)))
    ]


def _wanted(query: BarQuery) -> list[ColumnElement[bool]]:
    return [
        BARS.c.underlying == query.underlying,
        BARS.c.interval_ns == query.interval_ns,
        *within(BARS.c.start_ns, query.from_ns, query.to_ns),
    ]


def _chunks(starts: Sequence[int]) -> list[Sequence[int]]:
    return [starts[first : first + _CHUNK] for first in range(0, len(starts), _CHUNK)]
