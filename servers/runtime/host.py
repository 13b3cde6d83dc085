"""The process of one service: everything it needs, opened in order, and closed in the reverse."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from skewline.servers.runtime.bus import Bus
from skewline.servers.runtime.logs import logger
from skewline.servers.runtime.metrics import Metrics
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.server import GrpcServer
from skewline.servers.runtime.service import Runtime, Service
from skewline.servers.runtime.settings import ServiceName, Settings
from skewline.servers.runtime.telemetry import Telemetry
from skewline.storage.cache import open_cache
from skewline.storage.database import Database

_GRACE_S: Final = 5.0
# For clients that resume. Chains and surfaces are large, stored elsewhere too, and conflated for the slow;
# signals, orders and portfolios are small, and none may be skipped.
_KEEP_EVENTS: Final[dict[ServiceName, int]] = {
    "marketdata": 64,
    "calibration": 128,
    "signal": 4096,
    "risk": 4096,
    "order": 4096,
}


class NoBusError(Exception):
    """No NATS URL was given to a service that is started by itself."""


class BusLost(Exception):
    """NATS ended the connection and will not take it up again."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """A running service."""

    runtime: Runtime
    server: GrpcServer


@asynccontextmanager
async def hosted(
    name: ServiceName, settings: Settings, build: Callable[[Runtime], Service]
) -> AsyncIterator[Hosted]:
    """Run the service `name` inside the block; its server listens and reports SERVING.

    At the end of the block it drains: health says NOT_SERVING, running calls end, the event in hand is
    committed and published, then bus, database, metrics and traces are closed. Raises what opening them
    raises (see there).
    """
    if settings.bus.url is None:
        raise NoBusError(
            "bus.url is not set; start NATS with JetStream and set it (SKEWLINE_BUS__URL=nats://host:4222), "
            "or use `skewline up`, which starts one"
        )
    async with AsyncExitStack() as stack:
        telemetry = Telemetry.start(name, settings)
        stack.push_async_callback(asyncio.to_thread, telemetry.shutdown)
        metrics = Metrics.start(name, settings)
        stack.callback(metrics.stop)
        if settings.database.url is None:
            settings.databases.mkdir(parents=True, exist_ok=True)
        database = await asyncio.to_thread(
            Database.open, settings.database_url(), name, synchronous=settings.database.synchronous
        )
        stack.callback(database.close)
        cache = open_cache(settings.cache.redis_url, name)
        stack.push_async_callback(cache.close)
        bus = await stack.enter_async_context(
            await Bus.connect(
                settings.bus.url,
                name,
                window=settings.bus.publish_window,
                ack_timeout=settings.bus.publish_timeout_s,
            )
        )
        processor = Processor(
            service=name,
            database=database,
            bus=bus,
            bus_settings=settings.bus,
            tracer=telemetry.tracer,
            keep_events=_KEEP_EVENTS[name],
        )
        processor.on_handled(lambda kind, seconds: metrics.event(kind, "handled", seconds))
        runtime = Runtime(settings, telemetry, metrics, bus, database, cache, processor)
        service = build(runtime)
        await processor.start(service.restore)
        stack.push_async_callback(processor.stop)
        server = GrpcServer(
            (service.full_name,),
            service.register,
            host=settings.network.host,
            port=settings.network.port(name),
            telemetry=telemetry,
            metrics=metrics,
            setting=f"--set network.ports.{name}=PORT",
        )
        # Undone in the reverse order: say that it ends, end the streams, let calls finish, then the events.
        stack.push_async_callback(server.stop, _GRACE_S)
        await service.start()
        stack.push_async_callback(service.stop)
        await server.start()
        stack.push_async_callback(server.set_serving, False)
        yield Hosted(runtime, server)


async def serve(name: ServiceName, settings: Settings, build: Callable[[Runtime], Service]) -> None:
    """Run the service until SIGTERM or SIGINT. Raises BusLost when NATS will not have it any more."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with hosted(name, settings, build) as process:
        told = asyncio.create_task(ended.wait())
        lost = asyncio.create_task(process.runtime.bus.lost.wait())
        await asyncio.wait((told, lost), return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            raise BusLost(
                "NATS closed the connection for good (see the log above); the supervisor starts anew"
            )
        lost.cancel()
        logger(__name__).info("stopping")
