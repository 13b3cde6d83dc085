"""Calibration as a service of a process."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import grpc.aio
from sqlalchemy import Connection

from skewline.servers.calibration.chain_check import check_chain
from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.rates.opening import rates_of
from skewline.servers.calibration.servicer import CalibrationServicer
from skewline.servers.calibration.spans import spans
from skewline.servers.calibration.surface_store import SurfaceStore
from skewline.servers.runtime.bus import Poison
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.errors import InvalidArgument
from skewline.servers.runtime.processor import Delivered, Outgoing
from skewline.servers.runtime.service import Runtime
from skewline.servers.runtime.streaming import Feed
from skewline.servers.runtime.streams import CHAIN_PARTITIONS, chain_subjects
from skewline.servers.runtime.validation import Validation
from skewline.servers.runtime.work_share import WorkShare
from skewline.storage.calibration import repository
from skewline.v1 import event_pb2, surface_pb2
from skewline.v1.calibration_service_pb2_grpc import add_CalibrationServiceServicer_to_server

FULL_NAME: Final = "skewline.v1.CalibrationService"
_NAME: Final = "calibration"
_SURFACES: Final = "surface.>"


class CalibrationService:
    """Fits every chain of the market stream, in the order of each underlying, and serves the fits.

    Several processes may share the chains: each takes one from any part of the stream that no other is at,
    and learns from the tables what the others fitted.
    """

    full_name = FULL_NAME

    def __init__(self, runtime: Runtime) -> None:
        self._settings = runtime.settings.calibration
        self._processor = runtime.processor
        self._steps = spans(runtime.telemetry.tracer)
        self._rates = rates_of(self._settings.rates)
        self._engine = CalibrationEngine(self._settings, self._steps, self._rates)
        self._learnt = 0
        self._store = SurfaceStore(runtime.processor, runtime.cache)
        self._feed = Feed(runtime.processor, (_SURFACES,), _surface_of)
        self._servicer = CalibrationServicer(
            settings=self._settings,
            processor=runtime.processor,
            tracer=runtime.telemetry.tracer,
            store=self._store,
            feed=self._feed,
        )

    def restore(self, connection: Connection) -> None:
        """Rebuild the engine from the surfaces stored."""
        engine = CalibrationEngine(self._settings, self._steps, self._rates)
        engine.restore(repository.remembered(connection, self._settings.ou_max_points))
        self._learnt = repository.newest_number(connection)
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicer to `server`."""
        add_CalibrationServiceServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Show what is current, and begin to fit chains."""
        await self._feed.start()
        processes = self._settings.processes
        if processes > 1:
            await self._processor.follow((_SURFACES,))
        share = WorkShare(processes)
        for partition in range(CHAIN_PARTITIONS):
            await self._processor.consume(
                "MARKET",
                f"{_NAME}-{partition}",
                chain_subjects(partition),
                self._on_chain,
                share=share,
            )

    async def stop(self) -> None:
        """End streams."""
        self._feed.close()

    async def _on_chain(self, delivered: Delivered) -> None:
        event = delivered.event
        if event.WhichOneof("payload") != "chain":
            raise Poison(f"market.chain.* carries chains, not {event.WhichOneof('payload')}")
        chain, validation = event.chain, Validation()
        check_chain(validation.within("chain"), chain)
        try:
            validation.raise_if_any()
        except InvalidArgument as error:
            raise Poison(str(error)) from error
        await self._processor.read(self._learn)
        # Not in the transaction: while this process fits, others store.
        surface = await asyncio.to_thread(self._engine.fit, chain)

        def work(connection: Connection) -> tuple[None, list[Outgoing]]:
            self._engine.remember(surface)
            number = repository.add(connection, surface)
            if number == self._learnt + 1:
                self._learnt = number
            outgoing = envelope(
                service=_NAME,
                payload=surface,
                cause=event,
                received_ns=delivered.received_ns,
                published_ns=time.time_ns(),
            )
            return None, [Outgoing(f"surface.{surface.underlying}", outgoing)]

        await self._processor.transact(work, cause=event)
        await self._store.remember(surface)

    def _learn(self, connection: Connection) -> None:
        """Remember what other processes stored since."""
        for number, surface in repository.stored_after(connection, self._learnt):
            self._engine.remember(surface)
            self._learnt = number


def build(runtime: Runtime) -> CalibrationService:
    """The service, made from what its process has."""
    return CalibrationService(runtime)


def _surface_of(event: event_pb2.Event) -> surface_pb2.VolSurface | None:
    return event.surface if event.WhichOneof("payload") == "surface" else None
