"""Risk as a service of a process: surfaces and order batches in, portfolios and the kill switch out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import grpc.aio
from sqlalchemy import Connection

from skewline.servers.risk import store
from skewline.servers.risk.engine import RiskEngine
from skewline.servers.risk.operations import PORTFOLIOS, STATES, RiskOperations
from skewline.servers.risk.servicer import RiskItem, RiskServicer
from skewline.servers.risk.surface_arrivals import SurfaceArrivals
from skewline.servers.runtime import new_york
from skewline.servers.runtime.bus import Poison
from skewline.servers.runtime.processor import Delivered, Outgoing
from skewline.servers.runtime.service import Runtime
from skewline.servers.runtime.streaming import Feed
from skewline.storage.risk import repository
from skewline.v1 import event_pb2
from skewline.v1.risk_service_pb2_grpc import add_RiskServiceServicer_to_server

FULL_NAME: Final = "skewline.v1.RiskService"
_SURFACES: Final = "risk-surface"
_LOOK_AGAIN_S: Final = 0.2


class RiskService:
    """Two consumers that meet: a batch is valued once its own surface is in, and never on a later one."""

    full_name = FULL_NAME

    def __init__(self, runtime: Runtime) -> None:
        self._settings = runtime.settings.risk
        self._processor = runtime.processor
        self._engine = RiskEngine(self._settings)
        self._operations = RiskOperations(self._engine)
        self._arrivals = SurfaceArrivals(self._has_surface)
        # Portfolios and states differ in type and share a stream.
        self._feed: Feed[Any] = Feed(runtime.processor, (PORTFOLIOS, STATES), _item_of)
        self._servicer = RiskServicer(
            settings=self._settings,
            engine=self._engine,
            operations=self._operations,
            processor=runtime.processor,
            arrivals=self._arrivals,
            feed=self._feed,
            tracer=runtime.telemetry.tracer,
        )

    def restore(self, connection: Connection) -> None:
        """Rebuild the engine from the tables."""
        self._engine.restore(store.load(connection, self._settings.recent_surfaces))

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicer to `server`."""
        add_RiskServiceServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Begin to consume surfaces and order batches."""
        # Loading the calendar takes a second, for which the first check should not wait.
        await asyncio.to_thread(new_york.load)
        await self._feed.start()
        await self._processor.consume("SURFACE", _SURFACES, ("surface.>",), self._on_surface)
        await self._processor.consume(
            "ORDER", "risk-order", ("order.>",), self._on_orders, ready=self._surface_is_in
        )

    async def stop(self) -> None:
        """End streams."""
        self._servicer.drain()
        self._feed.close()

    async def _on_surface(self, delivered: Delivered) -> None:
        def work(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            self._operations.surface(connection, delivered.event.surface)
            return None, ()

        await self._processor.transact(work, cause=delivered.event)
        self._arrivals.announce()

    async def _on_orders(self, delivered: Delivered) -> None:
        def work(connection: Connection) -> tuple[None, Sequence[Outgoing]]:
            return None, self._operations.orders(connection, delivered)

        await self._processor.transact(work, cause=delivered.event)

    async def _surface_is_in(self, event: event_pb2.Event) -> None:
        snapshot_id = event.snapshot_id
        if not snapshot_id or await self._has_surface(snapshot_id):
            return
        async with asyncio.timeout(self._settings.surface_wait_s):
            # A surface is published before any batch of its snapshot: with all of them taken, none will come.
            while not await self._processor.caught_up(_SURFACES):
                with suppress(TimeoutError):
                    await self._arrivals.wait(snapshot_id, _LOOK_AGAIN_S)
                    return
        if not await self._has_surface(snapshot_id):
            raise Poison(f"snapshot_id {snapshot_id!r} has no surface: it must be one that was fed")

    async def _has_surface(self, snapshot_id: str) -> bool:
        return self._engine.has_surface(snapshot_id) or await self._processor.read(
            lambda connection: repository.has_surface(connection, snapshot_id)
        )


def build(runtime: Runtime) -> RiskService:
    """The service, made from what its process has."""
    return RiskService(runtime)


def _item_of(event: event_pb2.Event) -> RiskItem | None:
    kind = event.WhichOneof("payload")
    if kind == "portfolio":
        return event.portfolio
    return event.risk_state if kind == "risk_state" else None
