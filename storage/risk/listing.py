"""Lists of the risk service, a page at a time: newest first, from below a number on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from skewline.storage.risk.tables import DECISIONS, PORTFOLIOS
from skewline.v1 import risk_pb2


@dataclass(frozen=True, slots=True)
class PortfolioQuery:
    """Data time from (inclusive) and to (exclusive, 0 for no end)."""

    from_ns: int = 0
    to_ns: int = 0


@dataclass(frozen=True, slots=True)
class DecisionQuery:
    """Which decisions; empty means all."""

    signal_id: str = ""
    refused_only: bool = False


def newest_portfolio(connection: Connection) -> risk_pb2.PortfolioSnapshot | None:
    """The portfolio after the newest batch; None before the first."""
    newest = select(PORTFOLIOS.c.message).order_by(PORTFOLIOS.c.number.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()


def portfolios(
    connection: Connection, query: PortfolioQuery, before: int | None, limit: int
) -> list[tuple[int, risk_pb2.PortfolioSnapshot]]:
    """Portfolios with their numbers."""
    wanted: list[ColumnElement[bool]] = [PORTFOLIOS.c.time_ns >= query.from_ns]
    if query.to_ns:
        wanted.append(PORTFOLIOS.c.time_ns < query.to_ns)
    if before is not None:
        wanted.append(PORTFOLIOS.c.number < before)
    rows = connection.execute(
        select(PORTFOLIOS.c.number, PORTFOLIOS.c.message)
        .where(*wanted)
        .order_by(PORTFOLIOS.c.number.desc())
        .limit(limit)
    )
    return [(row.number, row.message) for row in rows]


def decisions(
    connection: Connection, query: DecisionQuery, before: int | None, limit: int
) -> list[tuple[int, risk_pb2.RiskDecision]]:
    """Decisions with their numbers."""
    wanted: list[ColumnElement[bool]] = []
    if query.signal_id:
        wanted.append(DECISIONS.c.signal_id == query.signal_id)
    if query.refused_only:
        wanted.append(DECISIONS.c.approved.is_(False))
    if before is not None:
        wanted.append(DECISIONS.c.number < before)
    rows = connection.execute(
        select(DECISIONS.c.number, DECISIONS.c.message)
        .where(*wanted)
        .order_by(DECISIONS.c.number.desc())
        .limit(limit)
    )
    return [(row.number, row.message) for row in rows]
