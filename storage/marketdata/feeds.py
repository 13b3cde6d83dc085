"""Live feeds that were started by request: which of them go on after a restart."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from skewline.storage.marketdata.tables import FEEDS


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One request for a feed."""

    request_id: str
    feed: str
    started_ns: int
    stopped: bool


def add(connection: Connection, row: FeedRow) -> None:
    """Enter a request. Raises IntegrityError if its request_id was used before."""
    connection.execute(
        insert(FEEDS),
        {
            "request_id": row.request_id,
            "feed": row.feed,
            "started_ns": row.started_ns,
            "stopped": row.stopped,
        },
    )


def mark_stopped(connection: Connection, feed: str) -> None:
    """`feed` does not go on."""
    connection.execute(update(FEEDS).where(FEEDS.c.feed == feed).values(stopped=True))


def feed(connection: Connection, request_id: str) -> FeedRow | None:
    """What a request started, None if there was none."""
    row = connection.execute(select(FEEDS).where(FEEDS.c.request_id == request_id)).one_or_none()
    return None if row is None else FeedRow(*row)


def started(connection: Connection) -> list[FeedRow]:
    """Those that go on, oldest first."""
    rows = connection.execute(select(FEEDS).where(~FEEDS.c.stopped).order_by(FEEDS.c.started_ns))
    return [FeedRow(*row) for row in rows]
