"""An order as the engine holds it, and the one way in which it changes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from skewline.servers.order.brokers.broker import Ticket, TicketLeg
from skewline.servers.order.state_machine import FINAL, NEW, EventType, after
from skewline.servers.runtime.decimals import from_decimal, to_decimal
from skewline.servers.runtime.identity import derive_id
from skewline.v1 import common_pb2, order_pb2

_NANO: Final = Decimal("1e-9")


@dataclass(slots=True)
class OrderRecord:
    """An order's message with what it needs besides.

    `number` counts orders in the order of their arrival, `sequence` the events of this one; `notional` is the
    exact sum of net price times units filled; `expiry_ns` the first expiry of its contracts, 0 if unknown.
    """

    order: order_pb2.Order
    number: int
    sequence: int = 0
    notional: Decimal = Decimal(0)
    expiry_ns: int = 0

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.order.status in FINAL

    @property
    def remaining(self) -> Decimal:
        """Units still to be filled."""
        return to_decimal(self.order.quantity) - to_decimal(self.order.filled_quantity)

    def step(self, event: EventType, time_ns: int, reason: str = "") -> order_pb2.OrderEvent:
        """Let `event` happen: the state machine decides. Raises IllegalTransition."""
        before = self.order.status
        status = after(before, event)
        self.sequence += 1
        self.order.status = status
        self.order.updated_ns = time_ns
        if before == NEW:
            self.order.created_ns = time_ns
        if reason:
            self.order.reason = reason
        return order_pb2.OrderEvent(
            event_id=derive_id("order_event", self.order.order_id, self.sequence),
            order_id=self.order.order_id,
            sequence=self.sequence,
            time_ns=time_ns,
            type=event,
            from_status=before,
            to_status=status,
            reason=reason,
        )

    def fill(self, units: Decimal, net_price: Decimal) -> None:
        """Add `units` filled at `net_price` to the totals."""
        filled = to_decimal(self.order.filled_quantity) + units
        self.notional += units * net_price
        self.order.filled_quantity.CopyFrom(from_decimal(filled))
        self.order.average_price.CopyFrom(from_decimal((self.notional / filled).quantize(_NANO)))

    def ticket(self) -> Ticket:
        """What the broker gets: the units still to be filled."""
        order = self.order
        return Ticket(
            order_id=order.order_id,
            underlying=order.underlying,
            legs=tuple(TicketLeg(leg.instrument_id, leg.side, leg.ratio) for leg in order.legs),
            type=order.type,
            time_in_force=order.time_in_force,
            quantity=int(self.remaining),
            limit_price=to_decimal(order.limit_price),
            created_ns=order.created_ns,
            expiry_ns=self.expiry_ns,
        )


def signed(side: common_pb2.Side.ValueType, quantity: Decimal) -> Decimal:
    """`quantity` as it changes a position: negative when sold."""
    return quantity if side == common_pb2.SIDE_BUY else -quantity
