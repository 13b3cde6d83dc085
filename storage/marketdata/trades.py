"""Trades in and out of the tables, a batch a row.

Batches of an instrument do not overlap, and follow one another by the venue's ids. Sequences rise with every
batch: they are what subscribers resume by. What is deleted for its age is always the beginning of the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from skewline.storage.marketdata.retention import Expired
from skewline.storage.marketdata.tables import TRADE_BATCHES
from skewline.v1 import order_book_pb2

_PAGE = 64
_ROW = (TRADE_BATCHES.c.sequence, TRADE_BATCHES.c.received_ns, TRADE_BATCHES.c.batch)


@dataclass(frozen=True, slots=True)
class StoredTrades:
    """A batch with its place in the log, and the wall clock when it was received."""

    sequence: int
    received_ns: int
    batch: order_book_pb2.TradeBatch


@dataclass(frozen=True, slots=True)
class TradeQuery:
    """Which trades; 0 leaves a side open, `from_ns` is inclusive, `to_ns` exclusive."""

    instrument_id: str
    from_ns: int = 0
    to_ns: int = 0


def add(connection: Connection, batch: order_book_pb2.TradeBatch, received_ns: int) -> int:
    """Store a batch, which is not empty; returns its sequence."""
    sequence = connection.execute(
        insert(TRADE_BATCHES)
        .values(
            instrument_id=batch.instrument_id,
            first_id=batch.trade_id[0],
            last_id=batch.trade_id[-1],
            first_ns=min(batch.time_ns),
            last_ns=max(batch.time_ns),
            received_ns=received_ns,
            published=False,
            batch=batch,
        )
        .returning(TRADE_BATCHES.c.sequence)
    ).scalar_one()
    return int(sequence)


def last_id(connection: Connection, instrument_id: str) -> int:
    """The venue's id of the newest trade stored of an instrument; 0 if there is none."""
    newest = select(func.max(TRADE_BATCHES.c.last_id)).where(TRADE_BATCHES.c.instrument_id == instrument_id)
    return connection.execute(newest).scalar_one() or 0


def since(connection: Connection, sequence: int, limit: int) -> list[StoredTrades]:
    """The oldest `limit` batches after `sequence`."""
    rows = connection.execute(
        select(*_ROW)
        .where(TRADE_BATCHES.c.sequence > sequence)
        .order_by(TRADE_BATCHES.c.sequence)
        .limit(limit)
    )
    return [StoredTrades(*row) for row in rows]


def newest(connection: Connection) -> list[StoredTrades]:
    """The newest batch of each instrument, by sequence."""
    last = select(func.max(TRADE_BATCHES.c.sequence)).group_by(TRADE_BATCHES.c.instrument_id)
    rows = connection.execute(
        select(*_ROW).where(TRADE_BATCHES.c.sequence.in_(last)).order_by(TRADE_BATCHES.c.sequence)
    )
    return [StoredTrades(*row) for row in rows]


def bounds(connection: Connection) -> tuple[int, int]:
    """The oldest and the newest sequence; 0 where there is none."""
    oldest, last = connection.execute(
        select(func.min(TRADE_BATCHES.c.sequence), func.max(TRADE_BATCHES.c.sequence))
    ).one()
    return oldest or 0, last or 0


def unpublished_after(connection: Connection) -> int:
    """The sequence behind which the first batch lies that is not marked as published."""
    first = connection.execute(
        select(func.min(TRADE_BATCHES.c.sequence)).where(TRADE_BATCHES.c.published.is_(False))
    ).scalar_one()
    return bounds(connection)[1] if first is None else int(first) - 1


def mark_published(connection: Connection, up_to: int) -> None:
    """Mark all up to a sequence."""
    connection.execute(
        update(TRADE_BATCHES)
        .where(TRADE_BATCHES.c.published.is_(False), TRADE_BATCHES.c.sequence <= up_to)
        .values(published=True)
    )


def batches(
    connection: Connection, query: TradeQuery, after_id: int, limit: int
) -> list[order_book_pb2.TradeBatch]:
    """The first `limit` batches with a trade behind `after_id` that may be within the query's times."""
    wanted = [*_wanted(query), TRADE_BATCHES.c.last_id > after_id]
    rows = connection.execute(
        select(TRADE_BATCHES.c.batch).where(*wanted).order_by(TRADE_BATCHES.c.last_id).limit(limit)
    )
    return list(rows.scalars())


def oldest_first(connection: Connection, query: TradeQuery) -> Iterator[order_book_pb2.TradeBatch]:
    """Batches that may be within the query's times, one by one."""
    after_id = -1
    while page := batches(connection, query, after_id, _PAGE):
        yield from page
        after_id = page[-1].trade_id[-1]


def newest_first(connection: Connection, query: TradeQuery) -> Iterator[order_book_pb2.TradeBatch]:
    """The same from the last one on."""
    before: list[ColumnElement[bool]] = []
    while True:
        rows = connection.execute(
            select(TRADE_BATCHES.c.batch)
            .where(*_wanted(query), *before)
            .order_by(TRADE_BATCHES.c.last_id.desc())
            .limit(_PAGE)
        )
        page = list(rows.scalars())
        yield from page
        if len(page) < _PAGE:
            return
        before = [TRADE_BATCHES.c.last_id < page[-1].trade_id[0]]


def expired(connection: Connection, age_ns: int) -> Expired:
    """Batches before the first one that has a trade within `age_ns` of the newest of all."""
    count, oldest, last = connection.execute(
        select(func.count(), func.min(TRADE_BATCHES.c.first_ns), func.max(TRADE_BATCHES.c.last_ns)).where(
            TRADE_BATCHES.c.sequence < _first_kept(connection, age_ns)
        )
    ).one()
    return Expired(count, oldest or 0, last or 0)


def delete_expired(connection: Connection, age_ns: int, limit: int) -> int:
    """Delete up to `limit` of them, the oldest first; returns how many."""
    sequences: Sequence[int] = (
        connection.execute(
            select(TRADE_BATCHES.c.sequence)
            .where(TRADE_BATCHES.c.sequence < _first_kept(connection, age_ns))
            .order_by(TRADE_BATCHES.c.sequence)
            .limit(limit)
        )
        .scalars()
        .all()
    )
    if sequences:
        connection.execute(delete(TRADE_BATCHES).where(TRADE_BATCHES.c.sequence <= sequences[-1]))
    return len(sequences)


def _wanted(query: TradeQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [TRADE_BATCHES.c.instrument_id == query.instrument_id]
    if query.from_ns:
        wanted.append(TRADE_BATCHES.c.last_ns >= query.from_ns)
    if query.to_ns:
        wanted.append(TRADE_BATCHES.c.first_ns < query.to_ns)
    return wanted


def _first_kept(connection: Connection, age_ns: int) -> int:
    newest_ns = connection.execute(select(func.max(TRADE_BATCHES.c.last_ns))).scalar_one()
    if newest_ns is None:
        return 0
    kept = select(func.min(TRADE_BATCHES.c.sequence)).where(TRADE_BATCHES.c.last_ns >= newest_ns - age_ns)
    # Whatever its age, what the bus has yet to get stays.
    waiting = select(func.min(TRADE_BATCHES.c.sequence)).where(TRADE_BATCHES.c.published.is_(False))
    first, unpublished = connection.execute(kept).scalar_one(), connection.execute(waiting).scalar_one()
    return int(first if unpublished is None else min(first, unpublished))
