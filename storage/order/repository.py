"""The order service's tables, written and restored: each function runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from skewline.storage.columns import canonical_decimal
from skewline.storage.order.decimals import exact
from skewline.storage.order.rows import StoredOrder, StoredPosition, StoredQuestion
from skewline.storage.order.tables import (
    ADJUSTMENTS,
    BOOKS,
    FILLS,
    ORDER_EVENTS,
    ORDERS,
    PNL,
    POSITIONS,
    QUESTIONS,
    REQUESTS,
)
from skewline.v1 import chain_pb2, corporate_action_pb2, order_pb2

_FINAL: Final = (
    order_pb2.ORDER_STATUS_DENIED,
    order_pb2.ORDER_STATUS_FILLED,
    order_pb2.ORDER_STATUS_CANCELLED,
    order_pb2.ORDER_STATUS_REJECTED,
    order_pb2.ORDER_STATUS_EXPIRED,
)
POSITION_FIELDS: Final = tuple(field.name for field in fields(StoredPosition))


def save_orders(connection: Connection, orders: Sequence[StoredOrder]) -> None:
    """Store orders as they are now, new or known."""
    if not orders:
        return
    ids = [stored.order.order_id for stored in orders]
    connection.execute(delete(ORDERS).where(ORDERS.c.order_id.in_(ids)))
    connection.execute(insert(ORDERS), [_order_row(stored) for stored in orders])


def add_events(connection: Connection, events: Sequence[order_pb2.OrderEvent]) -> None:
    """Store steps of orders."""
    if not events:
        return
    names = [field.name for field in order_pb2.OrderEvent.DESCRIPTOR.fields]
    connection.execute(
        insert(ORDER_EVENTS), [{name: getattr(event, name) for name in names} for event in events]
    )


def add_fills(connection: Connection, fills: Sequence[order_pb2.Fill]) -> None:
    """Store executions. Raises IntegrityError for one that is stored already."""
    if not fills:
        return
    connection.execute(
        insert(FILLS),
        [
            {
                "fill_id": fill.fill_id,
                "order_id": fill.order_id,
                "snapshot_id": fill.snapshot_id,
                "underlying": fill.underlying,
                "instrument_id": fill.instrument_id,
                "side": fill.side,
                "quantity": exact(fill.quantity),
                "price": exact(fill.price),
                "fee": exact(fill.fee),
                "time_ns": fill.time_ns,
                "message": fill,
            }
            for fill in fills
        ],
    )


def add_adjustments(
    connection: Connection, adjustments: Sequence[corporate_action_pb2.ContractAdjustment]
) -> None:
    """Store what corporate actions changed. Raises IntegrityError for what is stored already."""
    if not adjustments:
        return
    connection.execute(
        insert(ADJUSTMENTS),
        [
            {
                "adjustment_id": adjustment.adjustment_id,
                "underlying": adjustment.underlying,
                "time_ns": adjustment.time_ns,
                "message": adjustment,
            }
            for adjustment in adjustments
        ],
    )


def save_positions(connection: Connection, positions: Sequence[StoredPosition]) -> None:
    """Store positions as they are now, new or known."""
    if not positions:
        return
    ids = [position.instrument_id for position in positions]
    connection.execute(delete(POSITIONS).where(POSITIONS.c.instrument_id.in_(ids)))
    connection.execute(insert(POSITIONS), [asdict(position) for position in positions])


def add_pnl(connection: Connection, points: Sequence[order_pb2.Pnl]) -> None:
    """Store one point a currency."""
    if not points:
        return
    connection.execute(
        insert(PNL),
        [
            {
                "time_ns": point.time_ns,
                "currency": point.currency,
                "realised": exact(point.realised),
                "unrealised": exact(point.unrealised),
                "fees": exact(point.fees),
                "net": exact(point.net),
                "provenance": point.provenance,
            }
            for point in points
        ],
    )


def save_book(connection: Connection, chain: chain_pb2.OptionChain) -> None:
    """Keep the newest quotes of an underlying in place of the older ones."""
    connection.execute(delete(BOOKS).where(BOOKS.c.underlying == chain.underlying))
    connection.execute(
        insert(BOOKS),
        {
            "underlying": chain.underlying,
            "snapshot_id": chain.snapshot_id,
            "time_ns": chain.time_ns,
            "chain": chain,
        },
    )


def add_request(connection: Connection, request_id: str, fingerprint: str, order_id: str) -> None:
    """Note a command as carried out. Raises IntegrityError if it was noted before."""
    connection.execute(
        insert(REQUESTS), {"request_id": request_id, "fingerprint": fingerprint, "order_id": order_id}
    )


def request(connection: Connection, request_id: str) -> tuple[str, str] | None:
    """Fingerprint and order of a command that was carried out; None if it was not."""
    row = connection.execute(
        select(REQUESTS.c.fingerprint, REQUESTS.c.order_id).where(REQUESTS.c.request_id == request_id)
    ).one_or_none()
    return None if row is None else (row.fingerprint, row.order_id)


def save_question(connection: Connection, stored: StoredQuestion) -> None:
    """Note what risk is about to be asked for a command, for the first time or again."""
    check_id = stored.question.request_id
    remove_question(connection, check_id)
    connection.execute(
        insert(QUESTIONS), {"check_id": check_id, "question": stored.question, "command": stored.command}
    )


def remove_question(connection: Connection, check_id: str) -> bool:
    """Forget a question whose answer was used; returns whether it was there."""
    return connection.execute(delete(QUESTIONS).where(QUESTIONS.c.check_id == check_id)).rowcount > 0


def questions(connection: Connection) -> list[StoredQuestion]:
    """Questions whose answers were not used, by id."""
    rows = connection.execute(select(QUESTIONS).order_by(QUESTIONS.c.check_id))
    return [StoredQuestion(row.question, row.command) for row in rows]


def live_orders(connection: Connection) -> list[StoredOrder]:
    """Orders that are not final, by number."""
    rows = connection.execute(select(ORDERS).where(ORDERS.c.status.not_in(_FINAL)).order_by(ORDERS.c.number))
    return [
        StoredOrder(row.message, row.number, row.sequence, row.notional, row.expiry_ns, row.traceparent)
        for row in rows
    ]


def order_ids(connection: Connection) -> list[str]:
    """Every order ever entered."""
    return list(connection.execute(select(ORDERS.c.order_id)).scalars())


def order_count(connection: Connection) -> int:
    """The highest number given to an order; 0 without any."""
    return int(connection.execute(select(func.coalesce(func.max(ORDERS.c.number), 0))).scalar_one())


def positions(connection: Connection) -> list[StoredPosition]:
    """Every position, open or closed, by number."""
    rows = connection.execute(select(POSITIONS).order_by(POSITIONS.c.number))
    return [StoredPosition(**{name: getattr(row, name) for name in POSITION_FIELDS}) for row in rows]


def books(connection: Connection) -> list[chain_pb2.OptionChain]:
    """The newest quotes of each underlying, by underlying."""
    return list(connection.execute(select(BOOKS.c.chain).order_by(BOOKS.c.underlying)).scalars())


def fills_against(connection: Connection, snapshot_ids: Sequence[str]) -> list[order_pb2.Fill]:
    """Executions against these snapshots, in order."""
    return list(
        connection.execute(
            select(FILLS.c.message).where(FILLS.c.snapshot_id.in_(snapshot_ids)).order_by(FILLS.c.number)
        ).scalars()
    )


def _order_row(stored: StoredOrder) -> dict[str, object]:
    order = stored.order
    return {
        "order_id": order.order_id,
        "number": stored.number,
        "signal_id": order.signal_id,
        "underlying": order.underlying,
        "status": order.status,
        "quantity": exact(order.quantity),
        "filled_quantity": exact(order.filled_quantity),
        "limit_price": exact(order.limit_price),
        "notional": canonical_decimal(stored.notional),
        "created_ns": order.created_ns,
        "updated_ns": order.updated_ns,
        "expiry_ns": stored.expiry_ns,
        "sequence": stored.sequence,
        "traceparent": stored.traceparent,
        "message": order,
    }
