"""Manual commands: what must hold before they become intents."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from skewline.servers.order.quotes import Book
from skewline.servers.order.record import OrderRecord
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.errors import NotFound, Refused
from skewline.servers.runtime.settings.order import OrderSettings
from skewline.servers.runtime.validation import Validation
from skewline.v1 import common_pb2, order_pb2, order_service_pb2

_LONGEST_ID: Final = 128
_MOST_RATIO: Final = 100


def validate_submit(
    request: order_service_pb2.SubmitOrderRequest, book: Book | None, settings: OrderSettings
) -> None:
    """Raises InvalidArgument with every field that is wrong, seen against the newest quotes."""
    v = Validation()
    _request_id(v, request.request_id)
    v.required("underlying", request.underlying)
    if request.underlying:
        fix = f"no snapshot of {request.underlying!r} was seen yet; name an underlying that is fed"
        v.check(book is not None, "underlying", fix)
    v.required("legs", request.legs)
    v.max_length("legs", request.legs, settings.max_legs)
    seen: dict[str, int] = {}
    for index, leg in enumerate(request.legs):
        inner = v.within("legs", index)
        if inner.required("instrument_id", leg.instrument_id) and book is not None:
            quoted = book.contract(leg.instrument_id) is not None
            inner.check(
                quoted,
                "instrument_id",
                f"{leg.instrument_id!r} is not in the newest snapshot",
            )
        first = seen.setdefault(leg.instrument_id, index)
        inner.check(first == index, "instrument_id", f"is also that of legs[{first}]; make them one leg")
        inner.enum("side", leg.side, common_pb2.Side)
        inner.between("ratio", leg.ratio, 1, _MOST_RATIO)
    v.enum("type", request.type, order_pb2.OrderType)
    known = request.time_in_force in order_pb2.TimeInForce.values()
    v.check(known, "time_in_force", f"must be one of {', '.join(order_pb2.TimeInForce.keys())}")
    if v.present("quantity", request.HasField("quantity")):
        _whole(v, request.quantity)
    if request.type == order_pb2.ORDER_TYPE_LIMIT and v.present(
        "limit_price", request.HasField("limit_price")
    ):
        _limit(v, request.limit_price, sum(leg.ratio for leg in request.legs), book, settings)
    v.raise_if_any()


def validate_cancel(
    request: order_service_pb2.CancelOrderRequest, known: bool, record: OrderRecord | None
) -> None:
    """Raises InvalidArgument, NotFound, or Refused for an order that is final."""
    v = Validation()
    _request_id(v, request.request_id)
    v.required("order_id", request.order_id)
    v.raise_if_any()
    _still_works(request.order_id, known, record)


def validate_replace(
    request: order_service_pb2.ReplaceOrderRequest,
    known: bool,
    record: OrderRecord | None,
    book: Book | None,
    settings: OrderSettings,
) -> None:
    """Raises InvalidArgument, NotFound, or Refused for an order that is final."""
    v = Validation()
    _request_id(v, request.request_id)
    v.required("order_id", request.order_id)
    changes = request.HasField("limit_price") or request.HasField("quantity")
    v.check(changes, "limit_price", "give a new limit_price, a new quantity, or both")
    ratio = sum(leg.ratio for leg in record.order.legs) if record is not None else 1
    if request.HasField("limit_price"):
        _limit(v, request.limit_price, ratio, book, settings)
    if request.HasField("quantity") and _whole(v, request.quantity) and record is not None:
        filled = to_decimal(record.order.filled_quantity)
        fix = f"must be above the {filled} that are filled; to stop the order, cancel it"
        v.check(to_decimal(request.quantity) > filled, "quantity", fix)
    v.raise_if_any()
    record = _still_works(request.order_id, known, record)
    if record.order.type != order_pb2.ORDER_TYPE_LIMIT and request.HasField("limit_price"):
        raise Refused("NOT_A_LIMIT_ORDER", "a market order has no limit price; cancel it and submit another")


def _still_works(order_id: str, known: bool, record: OrderRecord | None) -> OrderRecord:
    if record is None and not known:
        raise NotFound("order", order_id)
    if record is None or record.is_final:
        raise Refused("ORDER_IS_FINAL", f"order {order_id} is final; GetOrder says how it ended")
    return record


def _request_id(v: Validation, request_id: str) -> None:
    if v.required("request_id", request_id):
        v.max_length("request_id", request_id, _LONGEST_ID)


def _whole(v: Validation, quantity: common_pb2.Decimal) -> bool:
    return v.positive_decimal("quantity", quantity) and v.check(
        quantity.nanos == 0, "quantity", "must be a whole number of units"
    )


def _limit(
    v: Validation, price: common_pb2.Decimal, ratio: int, book: Book | None, settings: OrderSettings
) -> None:
    if not v.decimal("limit_price", price):
        return
    exact, tick = to_decimal(price), settings.price_tick
    v.check(exact % tick == 0, "limit_price", f"must be a whole multiple of {tick}, not {exact}")
    spot = book.spot if book is not None else None
    if spot is not None:
        # No option is worth more than its underlying or its strike: far outside, a digit too many was typed.
        bound = 2 * spot * max(ratio, 1)
        v.check(abs(exact) <= bound, "limit_price", f"must lie within ±{_round(bound)}, not {exact}")


def _round(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
