"""Order books that were stored now and then."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, insert, or_, select

from skewline.storage.marketdata.retention import Expired
from skewline.storage.marketdata.tables import ORDER_BOOKS
from skewline.v1 import order_book_pb2


def add(connection: Connection, book: order_book_pb2.OrderBook) -> None:
    """Store a book. Raises IntegrityError if it is stored already."""
    connection.execute(
        insert(ORDER_BOOKS).values(
            instrument_id=book.instrument_id, time_ns=book.time_ns, update_id=book.update_id, order_book=book
        )
    )


def as_of(connection: Connection, instrument_id: str, time_ns: int) -> order_book_pb2.OrderBook | None:
    """The newest stored of an instrument not after `time_ns`, None if there is none."""
    return connection.execute(
        select(ORDER_BOOKS.c.order_book)
        .where(ORDER_BOOKS.c.instrument_id == instrument_id, ORDER_BOOKS.c.time_ns <= time_ns)
        .order_by(ORDER_BOOKS.c.time_ns.desc(), ORDER_BOOKS.c.update_id.desc())
        .limit(1)
    ).scalar_one_or_none()


def newest(connection: Connection) -> list[order_book_pb2.OrderBook]:
    """The newest stored of each instrument, by when they were received."""
    last = (
        select(ORDER_BOOKS.c.instrument_id, func.max(ORDER_BOOKS.c.time_ns).label("time_ns"))
        .group_by(ORDER_BOOKS.c.instrument_id)
        .subquery()
    )
    rows = connection.execute(
        select(ORDER_BOOKS.c.order_book)
        .join(
            last,
            and_(
                ORDER_BOOKS.c.instrument_id == last.c.instrument_id, ORDER_BOOKS.c.time_ns == last.c.time_ns
            ),
        )
        .order_by(ORDER_BOOKS.c.update_id)
    )
    by_instrument = {book.instrument_id: book for book in rows.scalars()}
    return sorted(by_instrument.values(), key=lambda book: book.received_ns)


def expired(connection: Connection, age_ns: int) -> Expired:
    """Books more than `age_ns` older than the newest of their instrument."""
    found = _expired(age_ns).subquery()
    count, oldest, last = connection.execute(
        select(func.count(), func.min(found.c.time_ns), func.max(found.c.time_ns)).select_from(found)
    ).one()
    return Expired(count, oldest or 0, last or 0)


def delete_expired(connection: Connection, age_ns: int, limit: int) -> int:
    """Delete up to `limit` of them, the oldest first; returns how many."""
    keys = list(connection.execute(_expired(age_ns).order_by(ORDER_BOOKS.c.time_ns).limit(limit)))
    if keys:
        each = [
            and_(
                ORDER_BOOKS.c.instrument_id == instrument_id,
                ORDER_BOOKS.c.time_ns == time_ns,
                ORDER_BOOKS.c.update_id == update_id,
            )
            for instrument_id, time_ns, update_id in keys
        ]
        connection.execute(delete(ORDER_BOOKS).where(or_(*each)))
    return len(keys)


def _expired(age_ns: int) -> Select[Any]:
    last = (
        select(ORDER_BOOKS.c.instrument_id, func.max(ORDER_BOOKS.c.time_ns).label("time_ns"))
        .group_by(ORDER_BOOKS.c.instrument_id)
        .subquery()
    )
    return (
        select(ORDER_BOOKS.c.instrument_id, ORDER_BOOKS.c.time_ns, ORDER_BOOKS.c.update_id)
        .join(last, last.c.instrument_id == ORDER_BOOKS.c.instrument_id)
        .where(ORDER_BOOKS.c.time_ns < last.c.time_ns - age_ns)
    )
