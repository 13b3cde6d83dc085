"""Orders, their history, fills and positions as tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from skewline.clients.cli.legs import order_legs
from skewline.clients.cli.tables import table
from skewline.clients.cli.wording import NONE, money, provenance, quantity, time_text, word
from skewline.clients.values import decimal_of
from skewline.v1 import common_pb2, order_pb2

if TYPE_CHECKING:
    from rich.table import Table


def orders_table(orders: Iterable[order_pb2.Order]) -> Table:
    """Orders; prices net of one unit per unit of underlying."""
    columns = ["order", "updated", "underlying", "legs", ">filled", ">limit", ">average", "status", "reason"]
    return table(
        "Orders",
        [*columns, "provenance"],
        [
            [
                order.order_id,
                time_text(order.updated_ns),
                order.underlying,
                order_legs(order.legs),
                f"{quantity(order.filled_quantity)} of {quantity(order.quantity)}",
                money(order.limit_price) if order.type == order_pb2.ORDER_TYPE_LIMIT else "market",
                money(order.average_price) if decimal_of(order.filled_quantity) else NONE,
                word(order_pb2.OrderStatus, order.status),
                order.reason,
                provenance(order.provenance),
            ]
            for order in orders
        ],
    )


def history_table(events: Iterable[order_pb2.OrderEvent]) -> Table:
    """Steps of an order's history."""
    return table(
        "History",
        [">#", "time", "event", "from", "to", "reason"],
        [
            [
                str(event.sequence),
                time_text(event.time_ns),
                word(order_pb2.OrderEventType, event.type),
                word(order_pb2.OrderStatus, event.from_status),
                word(order_pb2.OrderStatus, event.to_status),
                event.reason,
            ]
            for event in events
        ],
    )


def fills_table(fills: Iterable[order_pb2.Fill]) -> Table:
    """Fills; price per unit of underlying."""
    columns = ["fill", "time", "instrument", "side", ">contracts", ">price", ">fee", "provenance", "order"]
    return table(
        "Fills",
        columns,
        [
            [
                fill.fill_id,
                time_text(fill.time_ns),
                fill.instrument_id,
                word(common_pb2.Side, fill.side),
                quantity(fill.quantity),
                money(fill.price),
                money(fill.fee, fill.currency),
                provenance(fill.provenance),
                fill.order_id,
            ]
            for fill in fills
        ],
    )


def positions_table(positions: Iterable[order_pb2.Position]) -> Table:
    """Positions; prices per unit of underlying, the rest in currency."""
    columns = ["instrument", ">contracts", ">average", ">mark", "marked", ">cost", ">value", ">realised"]
    return table(
        "Positions",
        [*columns, ">unrealised", ">fees", "", "provenance"],
        [
            [
                position.instrument_id,
                quantity(position.quantity),
                money(position.average_price),
                money(position.mark) if position.HasField("mark") else NONE,
                time_text(position.mark_ns),
                money(position.cost),
                money(position.market_value),
                money(position.realised_pnl),
                money(position.unrealised_pnl),
                money(position.fees),
                position.currency,
                provenance(position.provenance),
            ]
            for position in positions
        ],
    )
