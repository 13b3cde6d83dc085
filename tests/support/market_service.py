"""The market data service with all that is real about it, and one who answers for the services behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import grpc.aio

from skewline.servers.marketdata.service import build
from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.host import hosted
from skewline.servers.runtime.settings import Settings
from skewline.v1 import event_pb2, risk_pb2
from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceStub

if TYPE_CHECKING:
    from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceAsyncStub

MAX_BYTES = 64 * 1024 * 1024


def settings_of(home: Path, nats_url: str, **marketdata: object) -> Settings:
    """Settings of a test's own process: a free port, its own folder, and data of any age."""
    (home / "db").mkdir(parents=True, exist_ok=True)
    return Settings.model_validate(
        {
            "home": home,
            "bus": {"url": nats_url},
            "network": {"ports": {"marketdata": 0}},
            "marketdata": {"stale_after_s": 0, **marketdata},
        }
    )


@asynccontextmanager
async def market_data_service(settings: Settings) -> AsyncIterator[MarketDataServiceAsyncStub]:
    """The service in this process; yields a stub connected to it."""
    options = [("grpc.max_receive_message_length", MAX_BYTES), ("grpc.max_send_message_length", MAX_BYTES)]
    async with (
        hosted("marketdata", settings, build) as running,
        grpc.aio.insecure_channel(running.server.address, options=options) as channel,
    ):
        yield MarketDataServiceStub(channel)


class Watermarks:
    """Says of each chain that its consequences are complete, as Risk does at the end of the way."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.chains: list[event_pb2.Event] = []
        self.traceparents: list[str] = []
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, delivery: Delivery) -> None:
        event = event_pb2.Event.FromString(delivery.data)
        self.chains.append(event)
        self.traceparents.append(delivery.traceparent or "")
        await self.answering.wait()
        received = time.time_ns()
        for service in ("calibration", "signal", "order"):
            event.stamps.add(service=service, received_ns=received, published_ns=received + 1_000_000)
        portfolio = envelope(
            service="risk",
            payload=risk_pb2.PortfolioSnapshot(snapshot_id=event.snapshot_id),
            cause=event,
            received_ns=received + 2_000_000,
            published_ns=received + 3_000_000,
        )
        await self._bus.publish_confirmed(
            f"risk.portfolio.{event.underlying}",
            portfolio.SerializeToString(),
            message_id=portfolio.event_id,
            traceparent=delivery.traceparent,
        )


@asynccontextmanager
async def watermarks(url: str) -> AsyncIterator[Watermarks]:
    """Watermarks for all chains published from the beginning."""
    async with await Bus.connect(url, "watermarks") as bus:
        answering = Watermarks(bus)
        await bus.consume("MARKET", "watermarks", ("market.chain.>",), answering, ack_wait=30.0)
        yield answering
