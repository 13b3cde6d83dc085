"""Snapshots that are older than they are to be kept: counted, and deleted a part at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from skewline.storage.marketdata.tables import CHAINS
from skewline.v1 import chain_pb2


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


def _expired(status: int, age_ns: int) -> Select[Any]:
    # By the data's own time: years of recorded data may well be replayed today. A rejected snapshot's may be
    # any, and must not make accepted ones old; with the newest of these the service begins at its next start.
    newest = select(CHAINS.c.underlying, func.max(CHAINS.c.time_ns).label("time_ns"))
    if status == chain_pb2.CHAIN_STATUS_ACCEPTED:
        newest = newest.where(CHAINS.c.status == status)
    last = newest.group_by(CHAINS.c.underlying).subquery()
    return (
        select(CHAINS.c.snapshot_id, CHAINS.c.time_ns)
        .join(last, last.c.underlying == CHAINS.c.underlying)
        .where(CHAINS.c.status == status, CHAINS.c.time_ns < last.c.time_ns - age_ns)
    )
