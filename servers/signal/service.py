"""Signal as a service of a process."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import grpc.aio
from sqlalchemy import Connection

from skewline.servers.runtime import new_york
from skewline.servers.runtime.bus import Poison
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.processor import Delivered, Outgoing
from skewline.servers.runtime.service import Runtime
from skewline.servers.runtime.streaming import Feed
from skewline.servers.signal.engine import Assessment, SignalEngine
from skewline.servers.signal.memory import OpenIdea
from skewline.servers.signal.servicer import SignalServicer
from skewline.storage.signal import repository
from skewline.storage.signal.repository import StoredSignal
from skewline.v1 import event_pb2, signal_pb2
from skewline.v1.signal_service_pb2_grpc import add_SignalServiceServicer_to_server

FULL_NAME: Final = "skewline.v1.SignalService"
_NAME: Final = "signal"
_SURFACES: Final = "surface.>"
_SIGNALS: Final = "signal.>"
_WAITING_SETS: Final = 256


class SignalService:
    """Makes one signal set of every surface, in order, and serves what it found."""

    full_name = FULL_NAME

    def __init__(self, runtime: Runtime) -> None:
        self._settings = runtime.settings.signal
        self._processor = runtime.processor
        self._engine = SignalEngine(self._settings)
        self._feed = Feed(runtime.processor, (_SIGNALS,), _signals_of, lossless=True, capacity=_WAITING_SETS)
        self._servicer = SignalServicer(runtime.processor, self._feed)
        self._loading: asyncio.Task[None] | None = None

    def restore(self, connection: Connection) -> None:
        """Rebuild the engine from the spots and open ideas stored."""
        engine = SignalEngine(self._settings)
        engine.restore(
            repository.newest_spots(connection, self._settings.spot_history),
            [(each.signal.underlying, _open_idea(each)) for each in repository.open_signals(connection)],
            repository.actions(connection),
        )
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicer to `server`."""
        add_SignalServiceServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Show what is current, and begin to look at surfaces."""
        # Loading the calendar takes seconds, for which the first surface should not wait.
        self._loading = asyncio.create_task(asyncio.to_thread(new_york.load), name="load calendar")
        await self._feed.start()
        await self._processor.consume("SURFACE", _NAME, (_SURFACES,), self._on_surface)

    async def stop(self) -> None:
        """End streams."""
        self._feed.close()
        if self._loading is not None:
            await self._loading

    async def _on_surface(self, delivered: Delivered) -> None:
        event = delivered.event
        if event.WhichOneof("payload") != "surface":
            raise Poison(f"{_SURFACES} carries surfaces, not {event.WhichOneof('payload')}")
        surface = event.surface

        def work(connection: Connection) -> tuple[None, list[Outgoing]]:
            assessment = self._engine.assess(surface, delivered.trace_id)
            repository.add_spot(
                connection, surface.surface_id, surface.underlying, surface.time_ns, surface.spot
            )
            repository.save_actions(connection, assessment.actions)
            repository.add(connection, _stored(assessment))
            outgoing = envelope(
                service=_NAME,
                payload=assessment.signal_set,
                cause=event,
                received_ns=delivered.received_ns,
                published_ns=time.time_ns(),
            )
            return None, [Outgoing(f"signal.{surface.underlying}", outgoing)]

        await self._processor.transact(work, cause=event)


def build(runtime: Runtime) -> SignalService:
    """The service, made from what its process has."""
    return SignalService(runtime)


def _stored(assessment: Assessment) -> list[StoredSignal]:
    return [
        StoredSignal(candidate.signal, idea.theme, idea.until_ns, candidate.components)
        for candidate, idea in zip(assessment.candidates, assessment.ideas, strict=True)
    ]


def _open_idea(stored: StoredSignal) -> OpenIdea:
    names = tuple(leg.instrument_id for leg in stored.signal.legs)
    return OpenIdea(stored.theme, names, stored.signal.time_ns, stored.until_ns)


def _signals_of(event: event_pb2.Event) -> signal_pb2.SignalSet | None:
    return event.signal_set if event.WhichOneof("payload") == "signal_set" else None
