"""Commands to OrderService, checked and with exact numbers, for calls and for the command stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from skewline.clients.questions import fresh_request_id
from skewline.clients.values import Exact, exact
from skewline.v1 import order_pb2
from skewline.v1 import order_service_pb2 as rpc

OrderCommand: TypeAlias = rpc.SubmitOrderRequest | rpc.CancelOrderRequest | rpc.ReplaceOrderRequest


def submit_command(
    underlying: str,
    legs: Iterable[order_pb2.OrderLeg],
    *,
    quantity: Exact,
    limit_price: Exact | None,
    time_in_force: order_pb2.TimeInForce.ValueType = order_pb2.TIME_IN_FORCE_DAY,
    request_id: str = "",
) -> rpc.SubmitOrderRequest:
    """A manual order of `quantity` units; `limit_price` None makes it a market order.

    The price is net of one unit per unit of underlying: positive pays, negative receives.
    """
    return rpc.SubmitOrderRequest(
        request_id=request_id or fresh_request_id(),
        underlying=underlying,
        legs=legs,
        type=order_pb2.ORDER_TYPE_MARKET if limit_price is None else order_pb2.ORDER_TYPE_LIMIT,
        time_in_force=time_in_force,
        quantity=exact("quantity", quantity),
        limit_price=None if limit_price is None else exact("limit_price", limit_price),
    )


def cancel_command(order_id: str, *, request_id: str = "") -> rpc.CancelOrderRequest:
    """Cancel an order."""
    return rpc.CancelOrderRequest(request_id=request_id or fresh_request_id(), order_id=order_id)


def replace_command(
    order_id: str,
    *,
    limit_price: Exact | None = None,
    quantity: Exact | None = None,
    request_id: str = "",
) -> rpc.ReplaceOrderRequest:
    """Change limit price or quantity of a working order; None leaves it."""
    return rpc.ReplaceOrderRequest(
        request_id=request_id or fresh_request_id(),
        order_id=order_id,
        limit_price=None if limit_price is None else exact("limit_price", limit_price),
        quantity=None if quantity is None else exact("quantity", quantity),
    )
