"""OrderService: orders, fills, positions, profit and loss, traces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skewline.clients import methods
from skewline.clients.errors import SkewlineError, error_of_code
from skewline.clients.order_commands import OrderCommand, cancel_command, replace_command, submit_command
from skewline.clients.questions import Ask, Call, Listing, Subscribe, names
from skewline.clients.values import Exact, Instant, ns_of
from skewline.v1 import corporate_action_pb2, order_pb2
from skewline.v1 import order_service_pb2 as rpc


def _submit_order(
    underlying: str,
    legs: Iterable[order_pb2.OrderLeg],
    *,
    quantity: Exact,
    limit_price: Exact | None,
    time_in_force: order_pb2.TimeInForce.ValueType = order_pb2.TIME_IN_FORCE_DAY,
    request_id: str = "",
) -> Call[rpc.SubmitOrderResponse, order_pb2.Order]:
    """Submit a manual order through the same risk checks; `limit_price` None makes it a market order.

    The order may come back denied: its status and reason say so.
    """
    request = submit_command(
        underlying,
        legs,
        quantity=quantity,
        limit_price=limit_price,
        time_in_force=time_in_force,
        request_id=request_id,
    )
    return Call("SubmitOrder", request, lambda r: r.order)


def _cancel_order(order_id: str, *, request_id: str = "") -> Call[rpc.CancelOrderResponse, order_pb2.Order]:
    """Cancel an order; returns it as it is after."""
    return Call("CancelOrder", cancel_command(order_id, request_id=request_id), lambda r: r.order)


def _replace_order(
    order_id: str,
    *,
    limit_price: Exact | None = None,
    quantity: Exact | None = None,
    request_id: str = "",
) -> Call[rpc.ReplaceOrderResponse, order_pb2.Order]:
    """Change limit price or quantity of a working order (None leaves it); returns it as it is after."""
    request = replace_command(order_id, limit_price=limit_price, quantity=quantity, request_id=request_id)
    return Call("ReplaceOrder", request, lambda r: r.order)


def _get_order(order_id: str) -> Call[rpc.GetOrderResponse, rpc.GetOrderResponse]:
    """One order with its history and fills."""
    return Call("GetOrder", rpc.GetOrderRequest(order_id=order_id), lambda r: r)


def _list_orders(
    *,
    underlying: str = "",
    statuses: Sequence[order_pb2.OrderStatus.ValueType] = (),
    signal_id: str = "",
    limit: int | None = None,
    page_size: int = 0,
) -> Listing[rpc.ListOrdersResponse, order_pb2.Order]:
    """Orders, newest first."""
    request = rpc.ListOrdersRequest(
        underlying=underlying, statuses=statuses, signal_id=signal_id, page_size=page_size
    )
    return Listing("ListOrders", request, lambda r: r.orders, limit)


def _list_fills(
    *, underlying: str = "", order_id: str = "", limit: int | None = None, page_size: int = 0
) -> Listing[rpc.ListFillsResponse, order_pb2.Fill]:
    """Fills, newest first."""
    request = rpc.ListFillsRequest(underlying=underlying, order_id=order_id, page_size=page_size)
    return Listing("ListFills", request, lambda r: r.fills, limit)


def _list_positions(
    *, underlying: str = "", include_closed: bool = False, limit: int | None = None, page_size: int = 0
) -> Listing[rpc.ListPositionsResponse, order_pb2.Position]:
    """Positions, by instrument."""
    request = rpc.ListPositionsRequest(
        underlying=underlying, include_closed=include_closed, page_size=page_size
    )
    return Listing("ListPositions", request, lambda r: r.positions, limit)


def _list_adjustments(
    *, underlying: str = "", limit: int | None = None, page_size: int = 0
) -> Listing[rpc.ListAdjustmentsResponse, corporate_action_pb2.ContractAdjustment]:
    """What corporate actions changed of positions, newest first."""
    request = rpc.ListAdjustmentsRequest(underlying=underlying, page_size=page_size)
    return Listing("ListAdjustments", request, lambda r: r.adjustments, limit)


def _get_pnl() -> Call[rpc.GetPnlResponse, Sequence[order_pb2.Pnl]]:
    """Profit and loss, one a currency."""
    return Call("GetPnl", rpc.GetPnlRequest(), lambda r: r.pnl)


def _list_pnl(
    *, since: Instant = 0, until: Instant = 0, limit: int | None = None, page_size: int = 0
) -> Listing[rpc.ListPnlResponse, order_pb2.Pnl]:
    """Profit and loss over time, oldest first, one point an order batch and currency."""
    request = rpc.ListPnlRequest(
        from_ns=ns_of("since", since), to_ns=ns_of("until", until), page_size=page_size
    )
    return Listing("ListPnl", request, lambda r: r.pnl, limit)


def _get_trace(
    *, fill_id: str = "", order_id: str = "", trace_id: str = ""
) -> Call[rpc.GetTraceResponse, rpc.GetTraceResponse]:
    """The spans of the trace behind a fill, an order or a trace id, by start time."""
    request = rpc.GetTraceRequest(fill_id=fill_id, order_id=order_id, trace_id=trace_id)
    return Call("GetTrace", request, lambda r: r)


def _stream_orders(
    underlyings: Iterable[str] = (), *, resume_after: int = 0
) -> Subscribe[order_pb2.OrderBatch]:
    """Live order batches, none skipped."""
    return Subscribe(
        "StreamOrders",
        rpc.StreamOrdersRequest,
        order_pb2.OrderBatch,
        ("batch",),
        names(underlyings),
        resume_after,
    )


def _commanding(command: OrderCommand) -> rpc.StreamOrdersRequest:
    match command:
        case rpc.SubmitOrderRequest():
            return rpc.StreamOrdersRequest(submit=command)
        case rpc.CancelOrderRequest():
            return rpc.StreamOrdersRequest(cancel=command)
        case rpc.ReplaceOrderRequest():
            return rpc.StreamOrdersRequest(replace=command)


def _commanded(response: rpc.StreamOrdersResponse) -> order_pb2.Order | SkewlineError:
    if response.WhichOneof("item") == "accepted":
        return response.accepted
    return error_of_code(response.refusal.code, response.refusal.message, "order")


def _request_id(request: rpc.StreamOrdersRequest) -> str:
    command: OrderCommand = getattr(request, request.WhichOneof("command") or "submit")
    return command.request_id


_STREAM_COMMANDS = Ask(
    "StreamOrders",
    "Commands (see `submit_command` and its like) in; out, for each, its order, or why it was refused.",
    _commanding,
    _commanded,
    _request_id,
)


class AsyncOrderService(methods.AsyncService):
    """OrderService for asyncio."""

    submit_order = methods.async_call(_submit_order)
    cancel_order = methods.async_call(_cancel_order)
    replace_order = methods.async_call(_replace_order)
    get_order = methods.async_call(_get_order)
    list_orders = methods.async_listing(_list_orders)
    list_fills = methods.async_listing(_list_fills)
    list_positions = methods.async_listing(_list_positions)
    list_adjustments = methods.async_listing(_list_adjustments)
    get_pnl = methods.async_call(_get_pnl)
    list_pnl = methods.async_listing(_list_pnl)
    stream_orders = methods.async_subscription(_stream_orders)
    stream_commands = methods.async_exchange(_STREAM_COMMANDS)
    get_trace = methods.async_call(_get_trace)


class OrderService(methods.Service):
    """OrderService with blocking calls."""

    submit_order = methods.call(_submit_order)
    cancel_order = methods.call(_cancel_order)
    replace_order = methods.call(_replace_order)
    get_order = methods.call(_get_order)
    list_orders = methods.listing(_list_orders)
    list_fills = methods.listing(_list_fills)
    list_positions = methods.listing(_list_positions)
    list_adjustments = methods.listing(_list_adjustments)
    get_pnl = methods.call(_get_pnl)
    list_pnl = methods.listing(_list_pnl)
    stream_orders = methods.subscription(_stream_orders)
    stream_commands = methods.exchange(_STREAM_COMMANDS)
    get_trace = methods.call(_get_trace)
