"""SignalService on signals that a test recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
from recorded_services import RecordedFeed

from skewline.servers.runtime.errors import NotFound, Refused, Unavailable
from skewline.servers.runtime.streaming import stream_subscription
from skewline.servers.runtime.validation import Validation
from skewline.v1 import common_pb2, signal_pb2, signal_service_pb2, signal_service_pb2_grpc

TIME_NS = 1_556_221_500_000_000_000  # 2019-04-25 19:45:00 UTC


def signal(number: int) -> signal_pb2.Signal:
    return signal_pb2.Signal(
        signal_id=f"signal-{number}",
        surface_id=f"surface-{number}",
        underlying="SPX",
        time_ns=TIME_NS + number,
        strategy=signal_pb2.STRATEGY_VOLATILITY_ARBITRAGE,
        legs=[
            signal_pb2.SignalLeg(
                instrument_id="SPXW  190426C02900000", side=common_pb2.SIDE_BUY, ratio=1, bid=28.1, ask=28.6
            )
        ],
        edge=12.5,
        confidence=0.75,
        trace_id="0af7651916cd43dd8448eb211c80319c",
        provenance=common_pb2.PROVENANCE_SIMULATED,
        explanation="the ask lies below the fitted vol",
    )


@dataclass
class RecordedSignals(signal_service_pb2_grpc.SignalServiceServicer):
    """Serves `held`; `failures` are raised first, one a call; `slow` never answers."""

    held: list[signal_pb2.Signal] = field(default_factory=lambda: [signal(n) for n in range(7)])
    feed: RecordedFeed = field(default_factory=lambda: RecordedFeed(lossless=True))
    failures: list[Exception] = field(default_factory=list)
    calls: int = 0
    slow: bool = False

    def register(self, server: grpc.aio.Server) -> None:
        signal_service_pb2_grpc.add_SignalServiceServicer_to_server(self, server)

    async def _begin(self) -> None:
        self.calls += 1
        if self.slow:
            await asyncio.Event().wait()
        if self.failures:
            raise self.failures.pop(0)

    async def GetSignal(
        self, request: signal_service_pb2.GetSignalRequest, context: Any
    ) -> signal_service_pb2.GetSignalResponse:
        await self._begin()
        return signal_service_pb2.GetSignalResponse(signal=self._find(request.signal_id))

    async def ListSignals(
        self, request: signal_service_pb2.ListSignalsRequest, context: Any
    ) -> signal_service_pb2.ListSignalsResponse:
        await self._begin()
        check = Validation()
        check.between("min_confidence", request.min_confidence, 0, 1)
        check.raise_if_any()
        begin, size = int(request.page_token or 0), request.page_size or 3
        more = str(begin + size) if begin + size < len(self.held) else ""
        return signal_service_pb2.ListSignalsResponse(
            signals=self.held[begin : begin + size], next_page_token=more
        )

    async def ExplainSignal(
        self, request: signal_service_pb2.ExplainSignalRequest, context: Any
    ) -> signal_service_pb2.ExplainSignalResponse:
        await self._begin()
        found = self._find(request.signal_id)
        return signal_service_pb2.ExplainSignalResponse(signal=found, lines=[found.explanation])

    async def StreamSignals(
        self, requests: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[signal_service_pb2.StreamSignalsResponse]:
        async for response in stream_subscription(
            self.feed.as_feed, requests, signal_service_pb2.StreamSignalsResponse
        ):
            yield response

    def publish(self, snapshot_id: str, underlying: str = "SPX") -> int:
        """A signal set of `underlying`; returns its sequence."""
        return self.feed.publish(
            underlying,
            signal_pb2.SignalSet(
                snapshot_id=snapshot_id,
                underlying=underlying,
                time_ns=TIME_NS,
                provenance=common_pb2.PROVENANCE_SIMULATED,
            ),
        )

    def _find(self, signal_id: str) -> signal_pb2.Signal:
        for held in self.held:
            if held.signal_id == signal_id:
                return held
        raise NotFound("signal", signal_id)


BUSY = Unavailable("the service is starting", timedelta(milliseconds=10))
HALTED = Refused("KILL_SWITCH", "trading is halted", {"by": "desk"})
