"""What the order engine says to a broker and hears from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from skewline.v1 import common_pb2, order_pb2


@dataclass(frozen=True, slots=True)
class TicketLeg:
    """One contract of a ticket: bought or sold, `ratio` a unit."""

    instrument_id: str
    side: common_pb2.Side.ValueType
    ratio: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """An order as a broker gets it. `quantity` is what is still to be filled, in units."""

    order_id: str
    underlying: str
    legs: tuple[TicketLeg, ...]
    type: order_pb2.OrderType.ValueType
    time_in_force: order_pb2.TimeInForce.ValueType
    quantity: int
    limit_price: Decimal
    created_ns: int
    expiry_ns: int
    """When the first of its contracts expires; 0 if that is not known."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has the order and works it."""

    order_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The broker refused the order: definitive, it will never trade."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Undetermined:
    """Whether the broker has the order is not known: ambiguous, so it is neither rejected nor sent again."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Execution:
    """`units` filled against a snapshot, leg by leg at `prices`, in the order of the ticket's legs."""

    order_id: str
    units: int
    prices: tuple[Decimal, ...]
    snapshot_id: str
    provenance: common_pb2.Provenance.ValueType


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was not filled is off the market."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CancelRejected:
    """The cancel came too late or was refused; the order stands."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The order works on new terms; `quantity` is what is still to be filled."""

    order_id: str
    quantity: int
    limit_price: Decimal


@dataclass(frozen=True, slots=True)
class Expired:
    """Its time in force ran out."""

    order_id: str
    reason: str


Report = Acknowledged | Rejected | Undetermined | Execution | Cancelled | CancelRejected | Replaced | Expired


class Broker(Protocol):
    """A venue. Each call returns what is known at once; what comes later is reported later."""

    venue: str
    """Name for spans and logs, e.g. "simulated"."""

    def submit(self, ticket: Ticket) -> Sequence[Report]:
        """Send an order."""

    def cancel(self, order_id: str, reason: str) -> Sequence[Report]:
        """Take what is not filled off the market."""

    def replace(self, order_id: str, quantity: int, limit_price: Decimal) -> Sequence[Report]:
        """Work on with another quantity still to be filled and another limit."""
