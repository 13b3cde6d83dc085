"""From signals to intents and orders: what to trade, at which limit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from skewline.servers.order.quotes import Book
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.identity import derive_id
from skewline.v1 import common_pb2, order_pb2, risk_pb2, signal_pb2

_ZERO: Final = Decimal(0)


class NoNaturalPrice(Exception):
    """The structure cannot be priced at the quotes; the message names the leg and what it lacks."""


def signal_order_id(signal_id: str) -> str:
    """The one order that a signal can ever cause: a signal that comes again cannot trade twice."""
    return derive_id("order", signal_id)


def natural_price(legs: Sequence[order_pb2.OrderLeg], book: Book) -> Decimal:
    """Net price of one unit crossing the spread: buys at the ask, sells at the bid. Raises NoNaturalPrice."""
    net = _ZERO
    for leg in legs:
        quote = book.quote(leg.instrument_id)
        if quote is None:
            raise NoNaturalPrice(f"NO_QUOTE: {leg.instrument_id} is not in snapshot {book.snapshot_id}")
        price = quote.price(leg.side)
        buys = leg.side == common_pb2.SIDE_BUY
        if not price:
            raise NoNaturalPrice(f"NO_QUOTE: {leg.instrument_id} has no {'ask' if buys else 'bid'}")
        net += leg.ratio * price if buys else -leg.ratio * price
    return net


def signal_legs(signal: signal_pb2.Signal) -> list[order_pb2.OrderLeg]:
    """The legs of the order that a signal asks for."""
    return [
        order_pb2.OrderLeg(instrument_id=leg.instrument_id, side=leg.side, ratio=leg.ratio)
        for leg in signal.legs
    ]


def signal_intent(signal: signal_pb2.Signal, book: Book) -> risk_pb2.OrderIntent:
    """What to ask risk for a signal; its quantity is zero, so risk sizes it. Raises NoNaturalPrice."""
    legs = signal_legs(signal)
    return risk_pb2.OrderIntent(
        intent_id=signal_order_id(signal.signal_id),
        signal_id=signal.signal_id,
        snapshot_id=signal.snapshot_id,
        underlying=signal.underlying,
        time_ns=signal.time_ns,
        legs=legs,
        limit_price=from_decimal(natural_price(legs, book)),
        quantity=from_decimal(_ZERO),
        edge=signal.edge,
        edge_stdev=signal.edge_stdev,
        confidence=signal.confidence,
        multiplier=from_decimal(book.multiplier),
        currency=book.currency,
        provenance=signal.provenance,
    )


def signal_order(signal: signal_pb2.Signal, book: Book, trace_id: str) -> order_pb2.Order:
    """The order of a signal, before it has a limit and a quantity."""
    return order_pb2.Order(
        order_id=signal_order_id(signal.signal_id),
        signal_id=signal.signal_id,
        snapshot_id=book.snapshot_id,
        underlying=signal.underlying,
        legs=signal_legs(signal),
        type=order_pb2.ORDER_TYPE_LIMIT,
        time_in_force=order_pb2.TIME_IN_FORCE_DAY,
        quantity=from_decimal(_ZERO),
        filled_quantity=from_decimal(_ZERO),
        average_price=from_decimal(_ZERO),
        trace_id=trace_id or signal.trace_id,
        provenance=signal.provenance,
    )


def denial_reason(decision: risk_pb2.RiskDecision) -> str:
    """The checks that failed, in words."""
    failed = [f"{check.name}: {check.message}" for check in decision.checks if not check.passed]
    return "; ".join(failed) or f"refused by risk ({decision.bound_by or 'no check named'})"
