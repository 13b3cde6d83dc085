"""Market data as a service of a process."""

from __future__ import annotations

import asyncio
from typing import Final

import grpc.aio
from sqlalchemy import Connection

from skewline.servers.marketdata.chain_store import ChainStore
from skewline.servers.marketdata.intake import CHAIN_SUBJECTS, Intake
from skewline.servers.marketdata.publishing import ChainPublisher
from skewline.servers.marketdata.replaying import Replays
from skewline.servers.marketdata.servicer import MarketDataServicer
from skewline.servers.runtime import new_york
from skewline.servers.runtime.service import Runtime
from skewline.servers.runtime.streaming import Feed
from skewline.v1 import chain_pb2, event_pb2
from skewline.v1.market_data_service_pb2_grpc import add_MarketDataServiceServicer_to_server

FULL_NAME: Final = "skewline.v1.MarketDataService"


class MarketDataService:
    """Intake, live feed, replays and the servicer over them."""

    full_name = FULL_NAME

    def __init__(self, runtime: Runtime) -> None:
        self._loading: asyncio.Task[None] | None = None
        self._intake = Intake()
        store = ChainStore(runtime.processor, runtime.cache)
        self._feed = Feed(runtime.processor, (CHAIN_SUBJECTS,), _chain_of)
        self._replays = Replays(runtime, self._intake, store.remember)
        self._servicer = MarketDataServicer(
            processor=runtime.processor,
            publisher=ChainPublisher(runtime.processor, runtime.telemetry.tracer, self._intake, store),
            store=store,
            feed=self._feed,
            replays=self._replays,
        )

    def restore(self, connection: Connection) -> None:
        """Rebuild engine, instrument master and the places of running replays from the tables."""
        self._intake.restore(connection)
        self._replays.restore(connection)

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicer to `server`."""
        add_MarketDataServiceServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Show what is current, and take up replays that were running."""
        # Loading the exchange calendar takes seconds, for which neither start nor first snapshot should wait.
        self._loading = asyncio.create_task(asyncio.to_thread(new_york.load), name="load calendar")
        await self._feed.start()
        await self._replays.start()

    async def stop(self) -> None:
        """Suspend replays, end streams."""
        await self._replays.stop()
        self._feed.close()
        if self._loading is not None:
            await self._loading


def build(runtime: Runtime) -> MarketDataService:
    """The service, made from what its process has."""
    return MarketDataService(runtime)


def _chain_of(event: event_pb2.Event) -> chain_pb2.OptionChain | None:
    return event.chain if event.WhichOneof("payload") == "chain" else None
