"""What a service is to the process that hosts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import grpc.aio
from sqlalchemy import Connection

from skewline.servers.runtime.bus import Bus
from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.settings import Settings
from skewline.servers.runtime.telemetry import Telemetry
from skewline.storage.cache import Cache
from skewline.storage.database import Database


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a process gives its service to work with."""

    settings: Settings
    telemetry: Telemetry
    metrics: Metrics
    bus: Bus
    database: Database
    cache: Cache
    processor: Processor


class Service(Protocol):
    """One of the five services: a pure engine in a thin shell.

    Each folder's `service.build(runtime)` makes it.
    """

    full_name: str
    """The gRPC service, e.g. "skewline.v1.RiskService"."""

    def restore(self, connection: Connection) -> None:
        """Throw the engine away and rebuild it from the tables. Called in the writer thread."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicer to `server`."""

    async def start(self) -> None:
        """Begin to consume events; the engine is restored, the server not yet serving."""

    async def stop(self) -> None:
        """Give up what `start` took; the processor's consumers are stopped by the processor."""
