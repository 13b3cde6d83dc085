"""Orders as a service of a process: signals and halts in, order batches out, risk asked in between."""

from __future__ import annotations

import asyncio
from typing import Final

import grpc.aio
from sqlalchemy import Connection

from skewline.servers.order.chains import Chains
from skewline.servers.order.command_desk import CommandDesk
from skewline.servers.order.desk import OrderDesk
from skewline.servers.order.engine import OrderEngine
from skewline.servers.order.publication import Publication
from skewline.servers.order.risk_link import RiskLink
from skewline.servers.order.risk_questions import RiskQuestions
from skewline.servers.order.servicer import OrderServicer
from skewline.servers.order.withdrawals import Withdrawals
from skewline.servers.runtime import new_york
from skewline.servers.runtime.server import MAX_MESSAGE_BYTES
from skewline.servers.runtime.service import Runtime
from skewline.servers.runtime.settings import ServiceName
from skewline.servers.runtime.streaming import Feed
from skewline.v1 import event_pb2, order_pb2
from skewline.v1.order_service_pb2_grpc import add_OrderServiceServicer_to_server

FULL_NAME: Final = "skewline.v1.OrderService"
_CHANNEL: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
_WAITING_BATCHES: Final = 1024


class OrderService:
    """The desks for events and for commands, links to the services they ask, and the servicer."""

    full_name = FULL_NAME

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        settings = runtime.settings.order
        self._channels = {name: _channel(runtime, name) for name in ("marketdata", "risk")}
        self._chains = Chains(
            runtime.bus,
            self._channels["marketdata"],
            kept=settings.cached_chains,
            deadline_s=settings.chain_deadline_s,
        )
        self._risk = RiskLink(self._channels["risk"], settings.risk_deadline_s)
        engine, processor, tracer = OrderEngine(settings), runtime.processor, runtime.telemetry.tracer
        questions = RiskQuestions(self._risk, tracer)
        self._publication = Publication(engine, tracer)
        self._desk = OrderDesk(
            engine=engine,
            chains=self._chains,
            questions=questions,
            processor=processor,
            publication=self._publication,
        )
        self._withdrawals = Withdrawals(
            engine=engine,
            questions=questions,
            processor=processor,
            publication=self._publication,
            tracer=tracer,
            after_s=settings.withdraw_after_s,
        )
        commands = CommandDesk(
            engine=engine,
            questions=questions,
            withdrawals=self._withdrawals,
            processor=processor,
            publication=self._publication,
            tracer=tracer,
            deadline_s=settings.command_deadline_s,
        )
        self._feed = Feed(
            runtime.processor, ("order.>",), _batch_of, lossless=True, capacity=_WAITING_BATCHES
        )
        self._servicer = OrderServicer(
            commands=commands, processor=runtime.processor, feed=self._feed, home=runtime.settings.home
        )

    def restore(self, connection: Connection) -> None:
        """Rebuild the engine from the tables."""
        self._publication.restore(connection)

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicer to `server`."""
        add_OrderServiceServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Connect, and begin to consume signal sets and the kill switch."""
        # Loading the calendar takes a second, for which the first order should not wait.
        await asyncio.to_thread(new_york.load)
        await self._feed.start()
        await self._risk.start()
        await self._chains.start()
        await self._withdrawals.start()
        consume = self._runtime.processor.consume
        await consume("RISK", "order-risk-state", ("risk.state",), self._desk.on_risk_state)
        await consume(
            "SIGNAL", "order-signal", ("signal.>",), self._desk.on_signals, ready=self._desk.have_chain
        )

    async def stop(self) -> None:
        """End streams and questions; an event in hand comes again."""
        self._feed.close()
        await self._withdrawals.stop()
        await self._risk.stop()
        await self._chains.stop()
        for channel in self._channels.values():
            await channel.close()


def build(runtime: Runtime) -> OrderService:
    """The service, made from what its process has."""
    return OrderService(runtime)


def _channel(runtime: Runtime, name: ServiceName) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(runtime.settings.network.address(name), options=_CHANNEL)


def _batch_of(event: event_pb2.Event) -> order_pb2.OrderBatch | None:
    return event.order_batch if event.WhichOneof("payload") == "order_batch" else None
