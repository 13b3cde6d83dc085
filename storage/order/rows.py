"""What the order service stores besides the contract's own messages."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from skewline.v1 import order_pb2, order_service_pb2, risk_service_pb2


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order with what the service keeps beside the message.

    `number` counts orders by arrival, `sequence` this one's events; `notional` is the sum of net price times
    units filled; `expiry_ns` the first expiry of its contracts; `traceparent` the span that submitted it.
    """

    order: order_pb2.Order
    number: int
    sequence: int
    notional: Decimal
    expiry_ns: int
    traceparent: str


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """What risk was asked, with the command (submit or replace) that it was asked for."""

    question: risk_service_pb2.CheckIntentsRequest
    command: order_service_pb2.StreamOrdersRequest


@dataclass(frozen=True, slots=True)
class StoredPosition:
    """A holding: money in `currency`, prices per unit of underlying, `number` its place by first trade."""

    instrument_id: str
    underlying: str
    is_call: bool
    strike: Decimal
    expiry_ns: int
    multiplier: Decimal
    currency: str
    provenance: int
    quantity: Decimal
    cost: Decimal
    realised: Decimal
    fees: Decimal
    mark: Decimal
    mark_ns: int
    mark_provenance: int
    number: int
