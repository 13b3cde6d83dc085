"""Servicers that serve what a test recorded, on real servers with the runtime's own streams and errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
from google.protobuf.message import Message

from skewline.clients import Endpoints
from skewline.servers.runtime.broadcast import Broadcast
from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.server import GrpcServer
from skewline.servers.runtime.settings import Settings
from skewline.servers.runtime.streaming import Feed
from skewline.servers.runtime.subscription import Entry, History
from skewline.servers.runtime.telemetry import Telemetry

FULL_NAMES = {
    "marketdata": "skewline.v1.MarketDataService",
    "calibration": "skewline.v1.CalibrationService",
    "signal": "skewline.v1.SignalService",
    "risk": "skewline.v1.RiskService",
    "order": "skewline.v1.OrderService",
}


@dataclass
class RecordedFeed:
    """What a service published: kept over the restarts of its server, as an event log is."""

    lossless: bool = False
    capacity: int = 64
    log: list[Entry[Any]] = field(default_factory=list)
    oldest: int = 1

    def __post_init__(self) -> None:
        self.broadcast = self._new()

    def publish(self, key: str, item: Message) -> int:
        """Append to the log and offer to who listens; returns the sequence."""
        sequence = len(self.log) + 1
        self.log.append(Entry(sequence, key, item))
        self.broadcast.offer(key, sequence, item)
        return sequence

    def restart(self) -> None:
        """As after the process was started anew: nobody listens, what is current comes from the log."""
        self.broadcast = self._new()
        for entry in self.log:
            self.broadcast.offer(entry.key, entry.sequence, entry.item)

    @property
    def as_feed(self) -> Feed[Any]:
        """For `stream_subscription`, which takes nothing of a feed but its broadcast."""
        return cast("Feed[Any]", self)

    def _new(self) -> Broadcast[Any]:
        return Broadcast(since=self._since, lossless=self.lossless, capacity=self.capacity, heartbeat_s=0.05)

    async def _since(self, sequence: int) -> History[Any]:
        found = [entry for entry in self.log if entry.sequence > max(sequence, self.oldest - 1)]
        return History(found[:8], self.oldest, len(self.log))


@asynccontextmanager
async def serving(
    services: str, register: Callable[[grpc.aio.Server], None], home: Path, port: int = 0
) -> AsyncIterator[GrpcServer]:
    """A server of one service, or of several with spaces between; errors and health are the runtime's."""
    telemetry = Telemetry.start("order", Settings(home=home))
    server = GrpcServer(
        [FULL_NAMES[service] for service in services.split()],
        register,
        host="127.0.0.1",
        port=port,
        telemetry=telemetry,
        metrics=Metrics("order"),
    )
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)
        telemetry.shutdown()


def endpoints(service: str, server: GrpcServer) -> Endpoints:
    """The way to one service."""
    return Endpoints().at({service: server.address})
