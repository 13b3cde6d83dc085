"""The outbox and recent history of a service: what it decided, committed together with the decision itself.

Sequences rise with every append and are never used again. Those who append take turns (`take_turn`), so
that the order of sequences is the order of commits, and whoever read up to a sequence has missed nothing
below it. On PostgreSQL a repeated or undone append leaves a gap in the numbers (not on SQLite): a gap is no
lost event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from skewline.storage.schema import EVENT_LOG

# One statement, so that the usual append costs one round trip.
_APPEND = {
    dialect: insert(EVENT_LOG)
    .on_conflict_do_nothing(index_elements=[EVENT_LOG.c.event_id])
    .returning(EVENT_LOG.c.sequence)
    for dialect, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.event_log', 0))")
# Below the number of parameters that any build of SQLite takes in one statement.
_CHUNK = 500
_COLUMNS = (
    EVENT_LOG.c.sequence,
    EVENT_LOG.c.event_id,
    EVENT_LOG.c.subject,
    EVENT_LOG.c.time_ns,
    EVENT_LOG.c.payload,
    EVENT_LOG.c.traceparent,
)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One event of the log; `payload` is the serialised message, `traceparent` is empty without a trace."""

    sequence: int
    event_id: str
    subject: str
    time_ns: int
    payload: bytes
    traceparent: str


def take_turn(conn: Connection) -> None:
    """Wait until no other transaction appends, and keep others waiting until this one ends."""
    # On SQLite a write transaction is alone from its beginning.
    if conn.dialect.name == "postgresql":
        conn.execute(_TURN)


def append(
    conn: Connection, *, event_id: str, subject: str, time_ns: int, payload: bytes, traceparent: str = ""
) -> int:
    """Log an event and return its sequence; a known `event_id` adds nothing, and returns its first."""
    row = {
        "event_id": event_id,
        "subject": subject,
        "time_ns": time_ns,
        "payload": payload,
        "traceparent": traceparent,
    }
    added = conn.execute(_APPEND[conn.dialect.name], row).scalar_one_or_none()
    if added is not None:
        return int(added)
    return int(
        conn.execute(select(EVENT_LOG.c.sequence).where(EVENT_LOG.c.event_id == event_id)).scalar_one()
    )


def unpublished(conn: Connection, limit: int) -> list[LoggedEvent]:
    """The oldest `limit` events that are not marked as published, in order."""
    return _events(conn, EVENT_LOG.c.published.is_(False), limit=limit)


def mark_published(conn: Connection, sequences: Sequence[int]) -> None:
    """Mark these sequences as published; those already marked stay so."""
    for start in range(0, len(sequences), _CHUNK):
        chunk = sequences[start : start + _CHUNK]
        conn.execute(update(EVENT_LOG).where(EVENT_LOG.c.sequence.in_(chunk)).values(published=True))


def since(conn: Connection, sequence: int, subjects: Sequence[str] = (), *, limit: int) -> list[LoggedEvent]:
    """The oldest `limit` events after `sequence`, in order, published or not.

    Each of `subjects` is a whole subject (`signal.SPX`) or all below one (`signal.>`); none means all.
    """
    wanted = [_matches(subject) for subject in subjects]
    return _events(conn, EVENT_LOG.c.sequence > sequence, *([or_(*wanted)] if wanted else []), limit=limit)


def latest_sequence(conn: Connection) -> int:
    """The newest sequence of the log; 0 while it is empty."""
    return int(conn.execute(select(func.coalesce(func.max(EVENT_LOG.c.sequence), 0))).scalar_one())


def oldest_sequence(conn: Connection) -> int:
    """The oldest sequence not pruned: a client that resumes below it has a gap. 0 while it is empty."""
    return int(conn.execute(select(func.coalesce(func.min(EVENT_LOG.c.sequence), 0))).scalar_one())


def prune(conn: Connection, keep: int) -> int:
    """Delete published events except the newest `keep` (at least 1) of the log; returns how many went."""
    if keep < 1:
        raise ValueError(
            f"keep is {keep}, and must be at least 1: the newest event tells where the log stands"
        )
    last = (
        select(EVENT_LOG.c.sequence)
        .order_by(EVENT_LOG.c.sequence.desc())
        .offset(keep)
        .limit(1)
        .scalar_subquery()
    )
    return conn.execute(delete(EVENT_LOG).where(EVENT_LOG.c.sequence <= last, EVENT_LOG.c.published)).rowcount


def _matches(subject: str) -> ColumnElement[bool]:
    if not subject.endswith(".>"):
        return EVENT_LOG.c.subject == subject
    prefix = subject[:-1]
    # Not LIKE: it ignores case on SQLite.
    return func.substr(EVENT_LOG.c.subject, 1, len(prefix)) == prefix


def _events(conn: Connection, *conditions: ColumnElement[bool], limit: int) -> list[LoggedEvent]:
    rows = conn.execute(select(*_COLUMNS).where(*conditions).order_by(EVENT_LOG.c.sequence).limit(limit))
    return [LoggedEvent(*row) for row in rows]
