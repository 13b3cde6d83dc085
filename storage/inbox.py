"""The events that a service has handled, so that a redelivered one changes nothing."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, func, insert, select

from skewline.storage.schema import INBOX


def seen(conn: Connection, event_id: str) -> bool:
    """Whether `event_id` was recorded by a committed transaction (or earlier in this one)."""
    return bool(conn.execute(select(exists().where(INBOX.c.event_id == event_id))).scalar_one())


def record(conn: Connection, event_id: str, time_ns: int) -> None:
    """Note that the event is handled, in the transaction with its consequences; `time_ns` is its own time.

    Raises `sqlalchemy.exc.IntegrityError` if it was recorded before: ask `seen` first.
    """
    # The writer of a service's database is one, so that no two get the same place.
    place = select(func.coalesce(func.max(INBOX.c.place), 0) + 1).scalar_subquery()
    conn.execute(insert(INBOX).values(event_id=event_id, time_ns=time_ns, place=place))


def prune(conn: Connection, keep: int) -> int:
    """Forget all but the `keep` events recorded last; returns how many went.

    By the order of recording, since the times of different underlyings' data have none. `keep` must be far
    more than what can be delivered again.
    """
    last = select(func.max(INBOX.c.place) - keep).scalar_subquery()
    return conn.execute(delete(INBOX).where(INBOX.c.place <= last)).rowcount
