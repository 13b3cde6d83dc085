"""The events that a service has handled, so that a redelivered one changes nothing."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, insert, select

from skewline.storage.schema import INBOX


def seen(conn: Connection, event_id: str) -> bool:
    """Whether `event_id` was recorded by a committed transaction (or earlier in this one)."""
    return bool(conn.execute(select(exists().where(INBOX.c.event_id == event_id))).scalar_one())


def record(conn: Connection, event_id: str, time_ns: int) -> None:
    """Note that the event is handled, in the transaction with its consequences; `time_ns` is its own time.

    Raises `sqlalchemy.exc.IntegrityError` if it was recorded before: ask `seen` first.
    """
    conn.execute(insert(INBOX), {"event_id": event_id, "time_ns": time_ns})


def prune(conn: Connection, before_ns: int) -> int:
    """Forget events whose time is before `before_ns`; returns how many. They must be past any redelivery."""
    return conn.execute(delete(INBOX).where(INBOX.c.time_ns < before_ns)).rowcount
