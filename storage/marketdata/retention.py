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

    The newest accepted one of each underlying never is.
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
    # By the data's own time: years of recorded data may well be replayed today.
    newest = (
        select(CHAINS.c.underlying, func.max(CHAINS.c.time_ns).label("time_ns"))
        .group_by(CHAINS.c.underlying)
        .subquery()
    )
    accepted = (
        select(CHAINS.c.underlying, func.max(CHAINS.c.time_ns).label("time_ns"))
        .where(CHAINS.c.status == chain_pb2.CHAIN_STATUS_ACCEPTED)
        .group_by(CHAINS.c.underlying)
        .subquery()
    )
    return (
        select(CHAINS.c.snapshot_id, CHAINS.c.time_ns)
        .join(newest, newest.c.underlying == CHAINS.c.underlying)
        .outerjoin(accepted, accepted.c.underlying == CHAINS.c.underlying)
        .where(
            CHAINS.c.status == status,
            CHAINS.c.time_ns < newest.c.time_ns - age_ns,
            # The service begins with it at the next start.
            (CHAINS.c.status != chain_pb2.CHAIN_STATUS_ACCEPTED) | (CHAINS.c.time_ns < accepted.c.time_ns),
        )
    )
