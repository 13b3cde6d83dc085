"""Lists of the order service, a page at a time: each takes `limit` rows behind a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from skewline.storage.order.decimals import message
from skewline.storage.order.repository import POSITION_FIELDS
from skewline.storage.order.rows import StoredPosition
from skewline.storage.order.tables import ADJUSTMENTS, FILLS, ORDER_EVENTS, ORDERS, PNL, POSITIONS
from skewline.v1 import corporate_action_pb2, order_pb2


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """Which orders; empty means all."""

    underlying: str = ""
    statuses: tuple[int, ...] = ()
    signal_id: str = ""


@dataclass(frozen=True, slots=True)
class FillQuery:
    """Which fills; empty means all."""

    underlying: str = ""
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class PositionQuery:
    """Which positions; empty means all."""

    underlying: str = ""
    include_closed: bool = False


def order(connection: Connection, order_id: str) -> order_pb2.Order | None:
    """An order by id."""
    return connection.execute(
        select(ORDERS.c.message).where(ORDERS.c.order_id == order_id)
    ).scalar_one_or_none()


def fill(connection: Connection, fill_id: str) -> order_pb2.Fill | None:
    """A fill by id."""
    return connection.execute(select(FILLS.c.message).where(FILLS.c.fill_id == fill_id)).scalar_one_or_none()


def events(connection: Connection, order_id: str) -> list[order_pb2.OrderEvent]:
    """An order's history."""
    rows = connection.execute(
        select(ORDER_EVENTS).where(ORDER_EVENTS.c.order_id == order_id).order_by(ORDER_EVENTS.c.sequence)
    )
    return [order_pb2.OrderEvent(**row._mapping) for row in rows]


def orders(
    connection: Connection, query: OrderQuery, before: int | None, limit: int
) -> list[tuple[int, order_pb2.Order]]:
    """Orders with their numbers, newest first, from below the number `before` on."""
    wanted: list[ColumnElement[bool]] = []
    if query.underlying:
        wanted.append(ORDERS.c.underlying == query.underlying)
    if query.statuses:
        wanted.append(ORDERS.c.status.in_(query.statuses))
    if query.signal_id:
        wanted.append(ORDERS.c.signal_id == query.signal_id)
    if before is not None:
        wanted.append(ORDERS.c.number < before)
    rows = connection.execute(
        select(ORDERS.c.number, ORDERS.c.message).where(*wanted).order_by(ORDERS.c.number.desc()).limit(limit)
    )
    return [(row.number, row.message) for row in rows]


def fills(
    connection: Connection, query: FillQuery, before: int | None, limit: int
) -> list[tuple[int, order_pb2.Fill]]:
    """Fills with their numbers, newest first, from below the number `before` on."""
    wanted: list[ColumnElement[bool]] = []
    if query.underlying:
        wanted.append(FILLS.c.underlying == query.underlying)
    if query.order_id:
        wanted.append(FILLS.c.order_id == query.order_id)
    if before is not None:
        wanted.append(FILLS.c.number < before)
    rows = connection.execute(
        select(FILLS.c.number, FILLS.c.message).where(*wanted).order_by(FILLS.c.number.desc()).limit(limit)
    )
    return [(row.number, row.message) for row in rows]


def adjustments(
    connection: Connection, underlying: str, before: int | None, limit: int
) -> list[tuple[int, corporate_action_pb2.ContractAdjustment]]:
    """Adjustments with their numbers, newest first, from below the number `before` on; "" means all."""
    wanted: list[ColumnElement[bool]] = []
    if underlying:
        wanted.append(ADJUSTMENTS.c.underlying == underlying)
    if before is not None:
        wanted.append(ADJUSTMENTS.c.number < before)
    rows = connection.execute(
        select(ADJUSTMENTS.c.number, ADJUSTMENTS.c.message)
        .where(*wanted)
        .order_by(ADJUSTMENTS.c.number.desc())
        .limit(limit)
    )
    return [(row.number, row.message) for row in rows]


def positions(
    connection: Connection, query: PositionQuery, after: str, limit: int
) -> Sequence[StoredPosition]:
    """Positions by instrument, from behind the instrument `after` on."""
    wanted: list[ColumnElement[bool]] = [POSITIONS.c.instrument_id > after]
    if query.underlying:
        wanted.append(POSITIONS.c.underlying == query.underlying)
    rows = connection.execute(select(POSITIONS).where(*wanted).order_by(POSITIONS.c.instrument_id))
    found: list[StoredPosition] = []
    for row in rows:
        # Exact columns are text on SQLite: whether one is zero is asked here.
        if query.include_closed or row.quantity:
            found.append(StoredPosition(**{name: getattr(row, name) for name in POSITION_FIELDS}))
        if len(found) == limit:
            break
    return found


def newest_pnl(connection: Connection) -> list[order_pb2.Pnl]:
    """The newest point of each currency, by currency."""
    newest = select(func.max(PNL.c.number)).group_by(PNL.c.currency)
    rows = connection.execute(select(PNL).where(PNL.c.number.in_(newest)).order_by(PNL.c.currency))
    return [_point(row) for row in rows]


def pnl(
    connection: Connection, from_ns: int, to_ns: int, after: int, limit: int
) -> list[tuple[int, order_pb2.Pnl]]:
    """Points with their numbers, oldest first, from above the number `after` on; `to_ns` 0 means no end."""
    wanted: list[ColumnElement[bool]] = [PNL.c.number > after, PNL.c.time_ns >= from_ns]
    if to_ns:
        wanted.append(PNL.c.time_ns < to_ns)
    rows = connection.execute(select(PNL).where(*wanted).order_by(PNL.c.number).limit(limit))
    return [(row.number, _point(row)) for row in rows]


def _point(row: Any) -> order_pb2.Pnl:
    return order_pb2.Pnl(
        currency=row.currency,
        realised=message(row.realised),
        unrealised=message(row.unrealised),
        fees=message(row.fees),
        net=message(row.net),
        time_ns=row.time_ns,
        provenance=row.provenance,
    )
