"""Snapshots that are older than they are to be kept: counted, and deleted a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, Subquery, delete, func, select, union_all

from skewline.storage import timescale
from skewline.storage.marketdata.tables import CHAINS, QUARANTINE
from skewline.v1 import chain_pb2, quarantine_pb2


@dataclass(frozen=True, slots=True)
class Expired:
    """Snapshots past their age; both times are 0 where there is none."""

    count: int
    oldest_ns: int
    newest_ns: int


def expired(connection: Connection, status: int, age_ns: int) -> Expired:
    """Snapshots of `status` whose time is more than `age_ns` before that of their underlying's newest one.

    For accepted ones that is the newest accepted one, which itself never expires.
    """
    found = _expired(status, age_ns).subquery()
    count, oldest, newest = connection.execute(
        select(func.count(), func.min(found.c.time_ns), func.max(found.c.time_ns)).select_from(found)
    ).one()
    return Expired(count, oldest or 0, newest or 0)


def delete_expired(connection: Connection, status: int, age_ns: int, limit: int) -> Sequence[str]:
    """Delete up to `limit` of them, the oldest first; returns their ids."""
    rows = connection.execute(_expired(status, age_ns).order_by(CHAINS.c.time_ns).limit(limit))
    ids = [snapshot_id for snapshot_id, _ in rows]
    if ids:
        connection.execute(delete(CHAINS).where(CHAINS.c.snapshot_id.in_(ids)))
    return ids


def quarantined(connection: Connection, age_ns: int) -> int:
    """How many entries of the quarantine are older than `age_ns` before the newest snapshot of theirs.

    For a snapshot that is the underlying's newest, for contracts its newest accepted one, for messages the
    newest message.
    """
    found = _quarantined(age_ns).subquery()
    return int(connection.execute(select(func.count()).select_from(found)).scalar_one())


def delete_quarantined(connection: Connection, age_ns: int, limit: int) -> int:
    """Delete up to `limit` of them; returns how many went."""
    ids = connection.execute(_quarantined(age_ns).limit(limit)).scalars().all()
    if ids:
        connection.execute(delete(QUARANTINE).where(QUARANTINE.c.entry_id.in_(ids)))
    return len(ids)


def give_back(connection: Connection) -> None:
    """Give the room of what was deleted back to the disk, where the database can do so a part at a time."""
    for table in (CHAINS, QUARANTINE):
        timescale.drop_emptied(connection, table)


def _quarantined(age_ns: int) -> CompoundSelect[Any]:
    entries = select(QUARANTINE.c.entry_id)
    old = []
    for kind, status in (
        (quarantine_pb2.QUARANTINE_KIND_SNAPSHOT, 0),
        (quarantine_pb2.QUARANTINE_KIND_CONTRACTS, chain_pb2.CHAIN_STATUS_ACCEPTED),
    ):
        last = _newest(status)
        old.append(
            entries.join(last, last.c.underlying == QUARANTINE.c.underlying).where(
                QUARANTINE.c.kind == kind, QUARANTINE.c.time_ns < last.c.time_ns - age_ns
            )
        )
    message = QUARANTINE.c.kind == quarantine_pb2.QUARANTINE_KIND_MESSAGE
    newest = select(func.max(QUARANTINE.c.time_ns)).where(message).scalar_subquery()
    old.append(entries.where(message, QUARANTINE.c.time_ns < newest - age_ns))
    return union_all(*old)


def _newest(status: int) -> Subquery:
    """The newest snapshot of each underlying; of `status`, unless that is 0."""
    newest = select(CHAINS.c.underlying, func.max(CHAINS.c.time_ns).label("time_ns"))
    if status:
        newest = newest.where(CHAINS.c.status == status)
    return newest.group_by(CHAINS.c.underlying).subquery()


def _expired(status: int, age_ns: int) -> Select[Any]:
    # By the data's own time: years of recorded data may well be replayed today. A rejected snapshot's may be
    # any, and must not make accepted ones old; with the newest of these the service begins at its next start.
    last = _newest(status if status == chain_pb2.CHAIN_STATUS_ACCEPTED else 0)
    return (
        select(CHAINS.c.snapshot_id, CHAINS.c.time_ns)
        .join(last, last.c.underlying == CHAINS.c.underlying)
        .where(CHAINS.c.status == status, CHAINS.c.time_ns < last.c.time_ns - age_ns)
    )
