"""The life of an order: one table of state and event, and nothing that goes around it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, TypeAlias

from skewline.v1 import order_pb2

Status: TypeAlias = "order_pb2.OrderStatus.ValueType"
EventType: TypeAlias = "order_pb2.OrderEventType.ValueType"

NEW: Final = order_pb2.ORDER_STATUS_UNSPECIFIED
PENDING_RISK: Final = order_pb2.ORDER_STATUS_PENDING_RISK
DENIED: Final = order_pb2.ORDER_STATUS_DENIED
SUBMITTED: Final = order_pb2.ORDER_STATUS_SUBMITTED
WORKING: Final = order_pb2.ORDER_STATUS_WORKING
PARTIALLY_FILLED: Final = order_pb2.ORDER_STATUS_PARTIALLY_FILLED
FILLED: Final = order_pb2.ORDER_STATUS_FILLED
PENDING_CANCEL: Final = order_pb2.ORDER_STATUS_PENDING_CANCEL
CANCELLED: Final = order_pb2.ORDER_STATUS_CANCELLED
REJECTED: Final = order_pb2.ORDER_STATUS_REJECTED
EXPIRED: Final = order_pb2.ORDER_STATUS_EXPIRED

ON_INITIALISED: Final = order_pb2.ORDER_EVENT_TYPE_INITIALISED
ON_DENIED: Final = order_pb2.ORDER_EVENT_TYPE_DENIED
ON_APPROVED: Final = order_pb2.ORDER_EVENT_TYPE_APPROVED
ON_ACKNOWLEDGED: Final = order_pb2.ORDER_EVENT_TYPE_ACKNOWLEDGED
ON_REJECTED: Final = order_pb2.ORDER_EVENT_TYPE_REJECTED
ON_PARTIAL_FILL: Final = order_pb2.ORDER_EVENT_TYPE_PARTIAL_FILL
ON_FILL: Final = order_pb2.ORDER_EVENT_TYPE_FILL
ON_CANCEL_REQUESTED: Final = order_pb2.ORDER_EVENT_TYPE_CANCEL_REQUESTED
ON_CANCELLED: Final = order_pb2.ORDER_EVENT_TYPE_CANCELLED
ON_CANCEL_REJECTED: Final = order_pb2.ORDER_EVENT_TYPE_CANCEL_REJECTED
ON_REPLACED: Final = order_pb2.ORDER_EVENT_TYPE_REPLACED
ON_EXPIRED: Final = order_pb2.ORDER_EVENT_TYPE_EXPIRED

_ROWS: Final = (
    (NEW, ON_INITIALISED, PENDING_RISK),
    (PENDING_RISK, ON_DENIED, DENIED),
    (PENDING_RISK, ON_APPROVED, SUBMITTED),
    (SUBMITTED, ON_ACKNOWLEDGED, WORKING),
    (SUBMITTED, ON_REJECTED, REJECTED),
    (SUBMITTED, ON_PARTIAL_FILL, PARTIALLY_FILLED),  # a fill may overtake the acknowledgement
    (SUBMITTED, ON_FILL, FILLED),
    (SUBMITTED, ON_CANCEL_REQUESTED, PENDING_CANCEL),
    (SUBMITTED, ON_CANCELLED, CANCELLED),
    (SUBMITTED, ON_EXPIRED, EXPIRED),
    (WORKING, ON_PARTIAL_FILL, PARTIALLY_FILLED),
    (WORKING, ON_FILL, FILLED),
    (WORKING, ON_CANCEL_REQUESTED, PENDING_CANCEL),
    (WORKING, ON_CANCELLED, CANCELLED),
    (WORKING, ON_REPLACED, WORKING),
    (WORKING, ON_EXPIRED, EXPIRED),
    (PARTIALLY_FILLED, ON_ACKNOWLEDGED, PARTIALLY_FILLED),
    (PARTIALLY_FILLED, ON_PARTIAL_FILL, PARTIALLY_FILLED),
    (PARTIALLY_FILLED, ON_FILL, FILLED),
    (PARTIALLY_FILLED, ON_CANCEL_REQUESTED, PENDING_CANCEL),
    (PARTIALLY_FILLED, ON_CANCELLED, CANCELLED),
    (PARTIALLY_FILLED, ON_REPLACED, PARTIALLY_FILLED),
    (PARTIALLY_FILLED, ON_EXPIRED, EXPIRED),
    (PENDING_CANCEL, ON_ACKNOWLEDGED, PENDING_CANCEL),
    (PENDING_CANCEL, ON_PARTIAL_FILL, PENDING_CANCEL),
    (PENDING_CANCEL, ON_FILL, FILLED),
    (PENDING_CANCEL, ON_CANCELLED, CANCELLED),
    (PENDING_CANCEL, ON_CANCEL_REJECTED, WORKING),
    (PENDING_CANCEL, ON_EXPIRED, EXPIRED),
)

TRANSITIONS: Final = MappingProxyType({(status, event): after for status, event, after in _ROWS})
"""Every legal step: (state, event) to the state after. What is not here is illegal."""

FINAL: Final = frozenset({DENIED, FILLED, CANCELLED, REJECTED, EXPIRED})
"""States that an order never leaves."""


class IllegalTransition(Exception):
    """An event that cannot happen to an order in its state; nothing was changed."""

    def __init__(self, status: Status, event: EventType) -> None:
        self.status = status
        self.event = event
        super().__init__(f"{event_name(event)} cannot happen to an order that is {status_name(status)}")


def after(status: Status, event: EventType) -> Status:
    """The state that `event` leads to from `status`. Raises IllegalTransition."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransition(status, event) from None


def status_name(status: Status) -> str:
    """`WORKING` for ORDER_STATUS_WORKING; `NEW` before the first event."""
    return "NEW" if status == NEW else order_pb2.OrderStatus.Name(status).removeprefix("ORDER_STATUS_")


def event_name(event: EventType) -> str:
    """`FILL` for ORDER_EVENT_TYPE_FILL."""
    return order_pb2.OrderEventType.Name(event).removeprefix("ORDER_EVENT_TYPE_")
