"""SignalService over gRPC: requests checked, stored signals read and explained."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Connection

from skewline.servers.runtime.errors import NotFound
from skewline.servers.runtime.paging import cut, page_of
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.streaming import Feed, stream_subscription
from skewline.servers.runtime.validation import Validation
from skewline.servers.signal.words import lines_of
from skewline.storage.signal import repository
from skewline.storage.signal.repository import SignalQuery
from skewline.v1 import signal_pb2, signal_service_pb2_grpc
from skewline.v1 import signal_service_pb2 as pb

Context = Any


class SignalServicer(signal_service_pb2_grpc.SignalServiceServicer):
    """The four methods of the contract."""

    def __init__(self, processor: Processor, feed: Feed[signal_pb2.SignalSet]) -> None:
        self._processor = processor
        self._feed = feed

    async def GetSignal(self, request: pb.GetSignalRequest, context: Context) -> pb.GetSignalResponse:
        """By id; also one that went into an aggregate."""
        signal, _ = await self._found(request.signal_id)
        return pb.GetSignalResponse(signal=signal)

    async def ListSignals(self, request: pb.ListSignalsRequest, context: Context) -> pb.ListSignalsResponse:
        """Newest first, as they were published: without the components of aggregates."""
        validation = Validation()
        if request.strategy:
            validation.enum("strategy", request.strategy, signal_pb2.Strategy)
        validation.between("min_confidence", request.min_confidence, 0.0, 1.0)
        validation.non_negative("from_ns", request.from_ns)
        validation.non_negative("to_ns", request.to_ns)
        validation.raise_if_any()
        query = SignalQuery(
            request.underlying, request.strategy, request.min_confidence, request.from_ns, request.to_ns
        )
        page = page_of(request.page_size, request.page_token, repr(query))
        before = int(page.after[0]) if page.after else 0
        listed = await self._processor.read(
            lambda connection: repository.signals(connection, query, before, page.size + 1)
        )
        shown, token = cut(listed, page, repr(query), lambda numbered: (numbered[0],))
        return pb.ListSignalsResponse(signals=[signal for _, signal in shown], next_page_token=token)

    async def ExplainSignal(
        self, request: pb.ExplainSignalRequest, context: Context
    ) -> pb.ExplainSignalResponse:
        """The signal, what it combines, and both in words."""
        signal, components = await self._found(request.signal_id)
        return pb.ExplainSignalResponse(
            signal=signal, components=components, lines=lines_of(signal, components)
        )

    async def StreamSignals(
        self, requests: AsyncIterator[pb.StreamSignalsRequest], context: Context
    ) -> AsyncIterator[pb.StreamSignalsResponse]:
        """Live signal sets, none skipped."""
        async for response in stream_subscription(self._feed, requests, pb.StreamSignalsResponse):
            yield response

    async def _found(self, signal_id: str) -> tuple[signal_pb2.Signal, list[signal_pb2.Signal]]:
        validation = Validation()
        validation.required("signal_id", signal_id)
        validation.raise_if_any()

        def read(connection: Connection) -> tuple[signal_pb2.Signal | None, list[signal_pb2.Signal]]:
            return repository.signal(connection, signal_id), repository.components(connection, signal_id)

        signal, components = await self._processor.read(read)
        if signal is None:
            raise NotFound("signal", signal_id)
        return signal, components
