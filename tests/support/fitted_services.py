"""Calibration or signal as a service, with all that is real about it, and somebody who publishes to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.host import hosted
from skewline.servers.runtime.service import Runtime, Service
from skewline.servers.runtime.settings import ServiceName, Settings
from skewline.v1 import chain_pb2, event_pb2, surface_pb2

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
MAX_BYTES = 64 * 1024 * 1024


def settings_of(home: Path, nats_url: str, name: ServiceName, **section: object) -> Settings:
    """Settings of a test's own process: a free port, its own folder."""
    (home / "db").mkdir(parents=True, exist_ok=True)
    return Settings.model_validate(
        {"home": home, "bus": {"url": nats_url}, "network": {"ports": {name: 0}}, name: section}
    )


@asynccontextmanager
async def running(
    name: ServiceName, settings: Settings, build: Callable[[Runtime], Service]
) -> AsyncIterator[grpc.aio.Channel]:
    """The service in this process; yields a channel to it."""
    options = [("grpc.max_receive_message_length", MAX_BYTES), ("grpc.max_send_message_length", MAX_BYTES)]
    async with (
        hosted(name, settings, build) as host,
        grpc.aio.insecure_channel(host.server.address, options=options) as channel,
    ):
        yield channel


def event_of(payload: chain_pb2.OptionChain | surface_pb2.VolSurface, service: str) -> event_pb2.Event:
    """The event that `service` publishes for `payload`; the same payload, the same event."""
    return envelope(
        service=service,
        payload=payload,
        key=(payload.snapshot_id,),
        time_ns=payload.time_ns,
        snapshot_id=payload.snapshot_id,
        underlying=payload.underlying,
        received_ns=1,
        published_ns=2,
    )


@dataclass(frozen=True)
class Wire:
    """A bus to publish on, and what the service published."""

    bus: Bus
    heard: list[event_pb2.Event]
    news: asyncio.Condition

    async def send(self, subject: str, event: event_pb2.Event, *, again: int = 0) -> None:
        """Publish `event`; another `again` is another message id, as after a lost acknowledgement."""
        await self.bus.publish_confirmed(
            subject,
            event.SerializeToString(),
            message_id=f"{event.event_id}-{again}",
            traceparent=TRACEPARENT,
        )

    async def hear(self, count: int) -> list[event_pb2.Event]:
        """Wait until the service published `count` events."""
        async with asyncio.timeout(30), self.news:
            await self.news.wait_for(lambda: len(self.heard) >= count)
        return list(self.heard)


@asynccontextmanager
async def wire(url: str, stream: str, subjects: str) -> AsyncIterator[Wire]:
    """Connected to the bus at `url`, listening to `subjects` of `stream` from the beginning."""
    async with await Bus.connect(url, "test") as bus:
        made = Wire(bus, [], asyncio.Condition())

        async def on_delivery(delivery: Delivery) -> None:
            async with made.news:
                made.heard.append(event_pb2.Event.FromString(delivery.data))
                made.news.notify_all()

        await bus.consume(stream, "test-listener", (subjects,), on_delivery)
        yield made
