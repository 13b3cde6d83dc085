"""OrderService over gRPC: commands to their desk, lists paged, traces from the local store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from skewline.servers.order.command_desk import CommandDesk
from skewline.servers.order.spans import span_message
from skewline.servers.order.store import holding_of
from skewline.servers.runtime.errors import NotFound, status_of
from skewline.servers.runtime.paging import cut, page_of
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.span_store import read_trace
from skewline.servers.runtime.streaming import Feed, stream_subscription, subscription_command
from skewline.servers.runtime.subscription import Grant, Reply, Snapshot, Terms, Update
from skewline.servers.runtime.validation import Validation
from skewline.storage.order import listing
from skewline.storage.order.listing import FillQuery, OrderQuery, PositionQuery
from skewline.v1 import order_pb2, order_service_pb2_grpc
from skewline.v1 import order_service_pb2 as pb

Context = Any
_LONGEST: Final = 128
_TRACE_DIGITS: Final = 32


class OrderServicer(order_service_pb2_grpc.OrderServiceServicer):
    """The eleven methods of the contract."""

    def __init__(
        self, *, commands: CommandDesk, processor: Processor, feed: Feed[order_pb2.OrderBatch], home: Path
    ) -> None:
        """`home` is the folder whose span stores GetTrace reads."""
        self._commands = commands
        self._processor = processor
        self._feed = feed
        self._home = home

    async def SubmitOrder(self, request: pb.SubmitOrderRequest, context: Context) -> pb.SubmitOrderResponse:
        """Through the same checks as a signal."""
        return pb.SubmitOrderResponse(order=await self._commands.submit(request))

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Context) -> pb.CancelOrderResponse:
        """What is filled stays."""
        return pb.CancelOrderResponse(order=await self._commands.cancel(request))

    async def ReplaceOrder(
        self, request: pb.ReplaceOrderRequest, context: Context
    ) -> pb.ReplaceOrderResponse:
        """The new terms are checked as a new order would be."""
        return pb.ReplaceOrderResponse(order=await self._commands.replace(request))

    async def GetOrder(self, request: pb.GetOrderRequest, context: Context) -> pb.GetOrderResponse:
        """With its history, oldest first, and its fills, newest first."""
        _id("order_id", request.order_id)
        order_id = request.order_id

        def read(connection: Any) -> pb.GetOrderResponse | None:
            order = listing.order(connection, order_id)
            if order is None:
                return None
            fills = listing.fills(connection, FillQuery(order_id=order_id), None, 10_000)
            return pb.GetOrderResponse(
                order=order, events=listing.events(connection, order_id), fills=[fill for _, fill in fills]
            )

        found = await self._processor.read(read)
        if found is None:
            raise NotFound("order", order_id)
        return found

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Context) -> pb.ListOrdersResponse:
        """Newest first."""
        v = Validation()
        for index, status in enumerate(request.statuses):
            v.enum(f"statuses[{index}]", status, order_pb2.OrderStatus)
        v.raise_if_any()
        query = OrderQuery(request.underlying, tuple(request.statuses), request.signal_id)
        page = page_of(request.page_size, request.page_token, repr(query))
        before = int(page.after[0]) if page.after else None
        rows = await self._processor.read(
            lambda connection: listing.orders(connection, query, before, page.size + 1)
        )
        shown, token = cut(rows, page, repr(query), lambda row: (row[0],))
        return pb.ListOrdersResponse(
            orders=[order for _, order in shown],
            next_page_token=token,
        )

    async def ListFills(self, request: pb.ListFillsRequest, context: Context) -> pb.ListFillsResponse:
        """Newest first."""
        query = FillQuery(request.underlying, request.order_id)
        page = page_of(request.page_size, request.page_token, repr(query))
        before = int(page.after[0]) if page.after else None
        rows = await self._processor.read(
            lambda connection: listing.fills(connection, query, before, page.size + 1)
        )
        shown, token = cut(rows, page, repr(query), lambda row: (row[0],))
        return pb.ListFillsResponse(
            fills=[fill for _, fill in shown],
            next_page_token=token,
        )

    async def ListPositions(
        self, request: pb.ListPositionsRequest, context: Context
    ) -> pb.ListPositionsResponse:
        """By instrument."""
        query = PositionQuery(request.underlying, request.include_closed)
        page = page_of(request.page_size, request.page_token, repr(query))
        after = str(page.after[0]) if page.after else ""
        rows = await self._processor.read(
            lambda connection: listing.positions(connection, query, after, page.size + 1)
        )
        shown, token = cut(rows, page, repr(query), lambda row: (row.instrument_id,))
        return pb.ListPositionsResponse(
            positions=[holding_of(row).message() for row in shown],
            next_page_token=token,
        )

    async def ListAdjustments(
        self, request: pb.ListAdjustmentsRequest, context: Context
    ) -> pb.ListAdjustmentsResponse:
        """Newest first."""
        query = repr(("adjustments", request.underlying))
        page = page_of(request.page_size, request.page_token, query)
        before = int(page.after[0]) if page.after else None
        rows = await self._processor.read(
            lambda connection: listing.adjustments(connection, request.underlying, before, page.size + 1)
        )
        shown, token = cut(rows, page, query, lambda row: (row[0],))
        return pb.ListAdjustmentsResponse(
            adjustments=[adjustment for _, adjustment in shown], next_page_token=token
        )

    async def GetPnl(self, request: pb.GetPnlRequest, context: Context) -> pb.GetPnlResponse:
        """After the newest batch."""
        return pb.GetPnlResponse(pnl=await self._processor.read(listing.newest_pnl))

    async def ListPnl(self, request: pb.ListPnlRequest, context: Context) -> pb.ListPnlResponse:
        """Oldest first."""
        v = Validation()
        v.non_negative("from_ns", request.from_ns)
        v.check(
            request.to_ns == 0 or request.to_ns > request.from_ns,
            "to_ns",
            f"must be after from_ns {request.from_ns}, or 0 for no end; not {request.to_ns}",
        )
        v.raise_if_any()
        query = repr((request.from_ns, request.to_ns))
        page = page_of(request.page_size, request.page_token, query)
        after = int(page.after[0]) if page.after else 0
        rows = await self._processor.read(
            lambda connection: listing.pnl(connection, request.from_ns, request.to_ns, after, page.size + 1)
        )
        shown, token = cut(rows, page, query, lambda row: (row[0],))
        return pb.ListPnlResponse(
            pnl=[point for _, point in shown],
            next_page_token=token,
        )

    async def StreamOrders(
        self, requests: AsyncIterator[pb.StreamOrdersRequest], context: Context
    ) -> AsyncIterator[pb.StreamOrdersResponse]:
        """Commands are carried out one after another; a refused one does not end the stream."""
        items = stream_subscription(
            self._feed, requests, pb.StreamOrdersResponse, write=_write, command=self._command
        )
        async for response in items:
            yield response

    async def GetTrace(self, request: pb.GetTraceRequest, context: Context) -> pb.GetTraceResponse:
        """Spans that services of this home stored."""
        trace_id = await self._trace_id(request)
        spans = await asyncio.to_thread(read_trace, self._home, trace_id) if trace_id else []
        return pb.GetTraceResponse(trace_id=trace_id, spans=[span_message(span) for span in spans])

    async def _trace_id(self, request: pb.GetTraceRequest) -> str:
        if request.fill_id:
            fill = await self._processor.read(lambda connection: listing.fill(connection, request.fill_id))
            if fill is None:
                raise NotFound("fill", request.fill_id)
            return fill.trace_id
        if request.order_id:
            order = await self._processor.read(lambda connection: listing.order(connection, request.order_id))
            if order is None:
                raise NotFound("order", request.order_id)
            return order.trace_id
        v = Validation()
        lower = request.trace_id.lower()
        is_hex = len(lower) == _TRACE_DIGITS and all(digit in "0123456789abcdef" for digit in lower)
        v.check(is_hex, "trace_id", "give a fill_id, an order_id, or a trace_id of 32 hexadecimal digits")
        v.raise_if_any()
        return lower

    async def _command(self, request: pb.StreamOrdersRequest) -> Terms | Grant | Reply:
        match request.WhichOneof("command"):
            case "submit":
                return await _reply(request.submit, self._commands.submit)
            case "cancel":
                return await _reply(request.cancel, self._commands.cancel)
            case "replace":
                return await _reply(request.replace, self._commands.replace)
        return await subscription_command(request)


async def _reply(command: Any, carry_out: Callable[[Any], Awaitable[order_pb2.Order]]) -> Reply:
    response = pb.StreamOrdersResponse(request_id=command.request_id)
    try:
        response.accepted.CopyFrom(await carry_out(command))
    except Exception as error:  # noqa: BLE001 - the refusal of one command is an answer, not the stream's end
        status = status_of(error, "skewline.v1.OrderService/StreamOrders")
        response.refusal.request_id = command.request_id
        response.refusal.code = status.code
        response.refusal.message = status.message
    return Reply(response)


def _write(
    response: pb.StreamOrdersResponse,
    item: Snapshot[order_pb2.OrderBatch] | Update[order_pb2.OrderBatch],
) -> None:
    response.batch.CopyFrom(item.item)


def _id(field: str, value: str) -> None:
    v = Validation()
    if v.required(field, value):
        v.max_length(field, value, _LONGEST)
    v.raise_if_any()
