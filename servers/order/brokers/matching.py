"""Matching a ticket against the quotes of a snapshot: all legs at once, or nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from skewline.servers.order.brokers.broker import Execution, Ticket
from skewline.servers.order.quotes import Book
from skewline.v1 import common_pb2, order_pb2

_ZERO: Final = Decimal(0)


def leg_prices(ticket: Ticket, book: Book) -> tuple[Decimal, ...] | None:
    """What each leg trades at, buys at the ask and sells at the bid; None if a leg cannot be hit."""
    prices = []
    for leg in ticket.legs:
        quote = book.quote(leg.instrument_id)
        if quote is None or not quote.price(leg.side):
            return None
        prices.append(quote.price(leg.side))
    return tuple(prices)


def net_price(ticket: Ticket, prices: tuple[Decimal, ...]) -> Decimal:
    """Net price of one unit per unit of underlying: positive pays, negative receives."""
    signed = (
        leg.ratio * price if leg.side == common_pb2.SIDE_BUY else -leg.ratio * price
        for leg, price in zip(ticket.legs, prices, strict=True)
    )
    return sum(signed, _ZERO)


def match(ticket: Ticket, book: Book) -> Execution | None:
    """Fill as many whole units as quotes and sizes allow, and take those sizes; None if none can be."""
    prices = leg_prices(ticket, book)
    if prices is None:
        return None
    if ticket.type == order_pb2.ORDER_TYPE_LIMIT and net_price(ticket, prices) > ticket.limit_price:
        return None
    units = min(book.available(leg.instrument_id, leg.side) // leg.ratio for leg in ticket.legs)
    units = min(units, ticket.quantity)
    if units == 0:
        return None
    for leg in ticket.legs:
        book.take(leg.instrument_id, leg.side, units * leg.ratio)
    return Execution(ticket.order_id, units, prices, book.snapshot_id, book.provenance)
