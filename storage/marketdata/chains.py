"""Chain snapshots in and out of the tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, select

from skewline.storage.listing import behind, matching, within
from skewline.storage.marketdata.tables import CHAINS
from skewline.v1 import chain_pb2, common_pb2


@dataclass(frozen=True, slots=True)
class ChainQuery:
    """Which snapshots: empty or 0 means all; `from_ns` is inclusive, `to_ns` exclusive."""

    underlying: str = ""
    status: int = 0
    from_ns: int = 0
    to_ns: int = 0


def add(connection: Connection, summary: chain_pb2.ChainSummary, chain: chain_pb2.OptionChain) -> None:
    """Store a snapshot with what became of it. Raises IntegrityError if it is stored already."""
    connection.execute(
        insert(CHAINS),
        {
            "snapshot_id": summary.snapshot_id,
            "underlying": summary.underlying,
            "time_ns": summary.time_ns,
            "source": summary.source,
            "provenance": summary.provenance,
            "status": summary.status,
            "reason": summary.reason,
            "spot": summary.spot if math.isfinite(summary.spot) else None,
            "summary": summary,
            "chain": chain,
        },
    )


def summary(connection: Connection, snapshot_id: str) -> chain_pb2.ChainSummary | None:
    """The summary of a snapshot, None if it is not stored."""
    return connection.execute(
        select(CHAINS.c.summary).where(CHAINS.c.snapshot_id == snapshot_id)
    ).scalar_one_or_none()


def chain(
    connection: Connection, snapshot_id: str
) -> tuple[chain_pb2.OptionChain, chain_pb2.ChainSummary] | None:
    """A snapshot and its summary, None if it is not stored."""
    row = connection.execute(
        select(CHAINS.c.chain, CHAINS.c.summary).where(CHAINS.c.snapshot_id == snapshot_id)
    ).one_or_none()
    return None if row is None else (row.chain, row.summary)


def newest_id(connection: Connection, underlying: str, as_of_ns: int = 0) -> str:
    """The newest accepted snapshot of `underlying` not after `as_of_ns` (0: of all); "" if there is none."""
    wanted = [CHAINS.c.underlying == underlying, CHAINS.c.status == chain_pb2.CHAIN_STATUS_ACCEPTED]
    if as_of_ns:
        wanted.append(CHAINS.c.time_ns <= as_of_ns)
    found = connection.execute(
        select(CHAINS.c.snapshot_id).where(*wanted).order_by(CHAINS.c.time_ns.desc()).limit(1)
    ).scalar_one_or_none()
    return found or ""


def newest_accepted(connection: Connection) -> list[chain_pb2.OptionChain]:
    """The newest accepted snapshot of each underlying, by underlying."""
    newest = (
        select(CHAINS.c.underlying, func.max(CHAINS.c.time_ns).label("time_ns"))
        .where(CHAINS.c.status == chain_pb2.CHAIN_STATUS_ACCEPTED)
        .group_by(CHAINS.c.underlying)
        .subquery()
    )
    rows = connection.execute(
        select(CHAINS.c.chain)
        .join(newest, and_(CHAINS.c.underlying == newest.c.underlying, CHAINS.c.time_ns == newest.c.time_ns))
        .where(CHAINS.c.status == chain_pb2.CHAIN_STATUS_ACCEPTED)
        .order_by(CHAINS.c.underlying)
    )
    return list(rows.scalars())


def summaries(
    connection: Connection, query: ChainQuery, after: tuple[int, str] | None, limit: int
) -> list[chain_pb2.ChainSummary]:
    """Newest first; `after` is the (time_ns, snapshot_id) of the last one of the page before."""
    wanted = [
        *matching({CHAINS.c.underlying: query.underlying, CHAINS.c.status: query.status}),
        *within(CHAINS.c.time_ns, query.from_ns, query.to_ns),
        *behind(CHAINS.c.time_ns, CHAINS.c.snapshot_id, after),
    ]
    rows = connection.execute(
        select(CHAINS.c.summary)
        .where(*wanted)
        .order_by(CHAINS.c.time_ns.desc(), CHAINS.c.snapshot_id)
        .limit(limit)
    )
    return list(rows.scalars())


def newest_spots(
    connection: Connection, underlying: str, from_ns: int, to_ns: int, limit: int
) -> Sequence[tuple[int, float, common_pb2.Provenance.ValueType]]:
    """The last `limit` of `spots`, oldest first."""
    newest_first = _spots(underlying, from_ns, to_ns).order_by(CHAINS.c.time_ns.desc()).limit(limit)
    return [(time_ns, spot, provenance) for time_ns, spot, provenance in connection.execute(newest_first)][
        ::-1
    ]


def spots(
    connection: Connection, underlying: str, from_ns: int, to_ns: int, limit: int
) -> Sequence[tuple[int, float, common_pb2.Provenance.ValueType]]:
    """(time_ns, spot, provenance) of accepted snapshots whose spot is known, oldest first.

    `from_ns` ≤ time < `to_ns`, where 0 leaves a side open.
    """
    oldest_first = _spots(underlying, from_ns, to_ns).order_by(CHAINS.c.time_ns).limit(limit)
    return [(time_ns, spot, provenance) for time_ns, spot, provenance in connection.execute(oldest_first)]


def _spots(underlying: str, from_ns: int, to_ns: int) -> Select[Any]:
    return select(CHAINS.c.time_ns, CHAINS.c.spot, CHAINS.c.provenance).where(
        CHAINS.c.underlying == underlying,
        CHAINS.c.status == chain_pb2.CHAIN_STATUS_ACCEPTED,
        CHAINS.c.spot.is_not(None),
        *within(CHAINS.c.time_ns, from_ns, to_ns),
    )
