"""What manual commands ask for: the intents that risk checks, and the orders that they become."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from skewline.servers.order.proposals import NoNaturalPrice, natural_price
from skewline.servers.order.quotes import Book
from skewline.servers.order.record import OrderRecord
from skewline.servers.runtime.decimals import from_decimal, to_decimal
from skewline.servers.runtime.errors import FieldViolation, InvalidArgument
from skewline.servers.runtime.identity import derive_id
from skewline.v1 import order_pb2, order_service_pb2, risk_pb2

_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of an order that works: units still to be filled, and their limit."""

    quantity: Decimal
    limit_price: Decimal


def submit_intent(request: order_service_pb2.SubmitOrderRequest, book: Book) -> risk_pb2.OrderIntent:
    """What to ask risk for a new order. Raises InvalidArgument for a market order without quotes."""
    limit = request.limit_price
    if request.type == order_pb2.ORDER_TYPE_MARKET:
        try:
            limit = from_decimal(natural_price(request.legs, book))
        except NoNaturalPrice as reason:
            fix = f"a market order needs a quote for each leg ({reason}); use a limit order"
            raise InvalidArgument([FieldViolation("type", fix)]) from reason
    intent = _intent(derive_id("order", "request", request.request_id), book)
    intent.legs.extend(request.legs)
    intent.limit_price.CopyFrom(limit)
    intent.quantity.CopyFrom(request.quantity)
    return intent


def submitted_order(
    request: order_service_pb2.SubmitOrderRequest, intent: risk_pb2.OrderIntent, trace_id: str
) -> order_pb2.Order:
    """The order that a request becomes; `intent` is what risk was asked for it."""
    return order_pb2.Order(
        order_id=intent.intent_id,
        snapshot_id=intent.snapshot_id,
        underlying=intent.underlying,
        legs=intent.legs,
        type=request.type,
        time_in_force=request.time_in_force or order_pb2.TIME_IN_FORCE_DAY,
        quantity=intent.quantity,
        filled_quantity=from_decimal(_ZERO),
        limit_price=intent.limit_price,
        average_price=from_decimal(_ZERO),
        trace_id=trace_id,
        provenance=intent.provenance,
    )


def replace_intent(
    request: order_service_pb2.ReplaceOrderRequest, record: OrderRecord, book: Book
) -> risk_pb2.OrderIntent:
    """What to ask risk for an order's new terms: all that would work under them."""
    terms = new_terms(request, record)
    intent = _intent(record.order.order_id, book)
    intent.signal_id = record.order.signal_id
    intent.legs.extend(record.order.legs)
    intent.limit_price.CopyFrom(from_decimal(terms.limit_price))
    intent.quantity.CopyFrom(from_decimal(terms.quantity))
    return intent


def new_terms(request: order_service_pb2.ReplaceOrderRequest, record: OrderRecord) -> Terms:
    """The terms of an order after `request`."""
    order = record.order
    quantity = to_decimal(request.quantity if request.HasField("quantity") else order.quantity)
    limit = to_decimal(request.limit_price if request.HasField("limit_price") else order.limit_price)
    return Terms(quantity - to_decimal(order.filled_quantity), limit)


def _intent(order_id: str, book: Book) -> risk_pb2.OrderIntent:
    return risk_pb2.OrderIntent(
        intent_id=order_id,
        snapshot_id=book.snapshot_id,
        underlying=book.underlying,
        time_ns=book.time_ns,
        multiplier=from_decimal(book.multiplier),
        currency=book.currency,
        provenance=book.provenance,
    )
