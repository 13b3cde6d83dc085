"""The order and risk services side by side over a real bus and real databases, fed by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
from trading_examples import NOW

from skewline.servers.order import service as order_service
from skewline.servers.risk import service as risk_service
from skewline.servers.runtime.bus import Bus, Delivery
from skewline.servers.runtime.envelope import Payload, envelope
from skewline.servers.runtime.host import Hosted, hosted
from skewline.servers.runtime.settings import Settings
from skewline.v1 import event_pb2, order_service_pb2_grpc, risk_service_pb2_grpc

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@dataclass
class Heard:
    """What the two services published, in order."""

    batches: list[event_pb2.Event]
    portfolios: list[event_pb2.Event]
    states: list[event_pb2.Event]

    async def hear(self, delivery: Delivery) -> None:
        event = event_pb2.Event.FromString(delivery.data)
        kind = event.WhichOneof("payload")
        held = {"order_batch": self.batches, "portfolio": self.portfolios, "risk_state": self.states}
        held[str(kind)].append(event)

    def watermarks(self) -> list[str]:
        return [event.snapshot_id for event in self.portfolios]


class Feeder:
    """Publishes what the other services would."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def publish(self, subject: str, payload: Payload, snapshot_id: str, time_ns: int = NOW) -> None:
        event = envelope(
            service="test",
            payload=payload,
            key=(subject, snapshot_id),
            time_ns=time_ns,
            snapshot_id=snapshot_id,
            underlying="SPX",
            received_ns=1,
            published_ns=2,
        )
        await self.send(subject, event)

    async def send(self, subject: str, event: event_pb2.Event, message_id: str = "") -> None:
        await self._bus.publish_confirmed(
            subject,
            event.SerializeToString(),
            message_id=message_id or event.event_id,
            traceparent=TRACEPARENT,
        )


def settings(home: Path, bus_url: str, database_url: str | None = None, **sections: object) -> Settings:
    """Settings of services on ports that the system chooses; peers are added by who knows them."""
    home.mkdir(parents=True, exist_ok=True)
    network = {
        "ports": dict.fromkeys(("marketdata", "calibration", "signal", "risk", "order"), 0),
        "peers": {"marketdata": "127.0.0.1:1", "risk": "127.0.0.1:1"},
    }
    values: dict[str, object] = {
        "home": home,
        "bus": {"url": bus_url, "ack_wait_s": 1.0, "backoff_s": (0.05,)},
        "telemetry": {"metrics": False},
        "network": network,
        **sections,
    }
    if database_url is not None:
        values["database"] = {"url": database_url}
    return Settings.model_validate(values)


@asynccontextmanager
async def risk(chosen: Settings, port: int = 0) -> AsyncIterator[Hosted]:
    """The risk service; `port` brings it back where it was."""
    network = chosen.network.model_copy(
        update={"ports": chosen.network.ports.model_copy(update={"risk": port})}
    )
    async with hosted("risk", chosen.model_copy(update={"network": network}), risk_service.build) as running:
        yield running


@asynccontextmanager
async def order(chosen: Settings, risk_address: str) -> AsyncIterator[Hosted]:
    """The order service, which finds the risk service at `risk_address`."""
    peers = chosen.network.peers.model_copy(update={"risk": risk_address})
    network = chosen.network.model_copy(update={"peers": peers})
    async with hosted(
        "order", chosen.model_copy(update={"network": network}), order_service.build
    ) as running:
        yield running


@asynccontextmanager
async def listening(bus_url: str) -> AsyncIterator[tuple[Feeder, Heard]]:
    """A feeder, and everything that is published from now on."""
    heard = Heard([], [], [])
    async with await Bus.connect(bus_url, "test") as bus:
        await bus.tail("order.>", heard.hear)
        await bus.tail("risk.>", heard.hear)
        yield Feeder(bus), heard


@asynccontextmanager
async def order_stub(running: Hosted) -> AsyncIterator[order_service_pb2_grpc.OrderServiceAsyncStub]:
    async with grpc.aio.insecure_channel(running.server.address) as channel:
        yield order_service_pb2_grpc.OrderServiceStub(channel)


@asynccontextmanager
async def risk_stub(running: Hosted) -> AsyncIterator[risk_service_pb2_grpc.RiskServiceAsyncStub]:
    async with grpc.aio.insecure_channel(running.server.address) as channel:
        yield risk_service_pb2_grpc.RiskServiceStub(channel)
