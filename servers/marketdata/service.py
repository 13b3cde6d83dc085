"""Market data as a service of a process."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Final

import grpc.aio
from sqlalchemy import Connection

from skewline.servers.marketdata.bars.recording import BarRecorder
from skewline.servers.marketdata.book_answers import BookAnswers
from skewline.servers.marketdata.chain_store import ChainStore
from skewline.servers.marketdata.intake import CHAIN_SUBJECTS, Intake, Taken
from skewline.servers.marketdata.live.clock import SystemClock
from skewline.servers.marketdata.live.feeds import FEED_SUBJECTS, Feeds
from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.marketdata.order_books import OrderBooks
from skewline.servers.marketdata.publishing import ChainPublisher
from skewline.servers.marketdata.quarantine import Quarantine
from skewline.servers.marketdata.replaying import Replays
from skewline.servers.marketdata.retention import Retention
from skewline.servers.marketdata.servicer import MarketDataServicer
from skewline.servers.marketdata.tape import Tape
from skewline.servers.marketdata.validation.freshness import freshness_of
from skewline.servers.runtime import new_york
from skewline.servers.runtime.service import Runtime
from skewline.servers.runtime.streaming import Feed
from skewline.v1 import chain_pb2, event_pb2, feed_pb2
from skewline.v1.market_data_service_pb2_grpc import add_MarketDataServiceServicer_to_server

FULL_NAME: Final = "skewline.v1.MarketDataService"


class MarketDataService:
    """Intake, streams, replays, live feeds and the servicer over them."""

    full_name = FULL_NAME

    def __init__(self, runtime: Runtime) -> None:
        processor, settings = runtime.processor, runtime.settings.marketdata
        self._loading: asyncio.Task[None] | None = None
        self._intake = Intake(freshness_of(settings))
        store = ChainStore(processor, runtime.cache)
        bars = BarRecorder(processor)
        quarantine = Quarantine(processor, runtime.metrics, settings.keep_messages)

        async def stored(taken: Taken) -> None:
            quarantine.count(taken.held)
            await store.remember(taken)

        publisher = ChainPublisher(processor, runtime.telemetry.tracer, self._intake, stored, quarantine)
        self._chains = Feed(processor, (CHAIN_SUBJECTS,), _chain_of)
        # A gap that nobody hears of would be a silent one.
        self._notices = Feed(processor, (FEED_SUBJECTS,), _notice_of, lossless=True)
        self._books = OrderBooks(processor, runtime.bus, settings.store_order_books_every_s)
        self._tape = Tape(processor, runtime.bus)
        starting, clock = asyncio.Lock(), SystemClock()
        self._retention = Retention(processor, store, settings)
        self._replays = Replays(
            runtime,
            self._intake,
            stored,
            feeds_running=lambda: self._feeds.running,
            starting=starting,
        )
        self._feeds = Feeds(
            processor=processor,
            settings=settings,
            open_source=Venues(settings.live, clock, self._tape.last_id).open,
            deliver=publisher.take,
            record_bars=bars.take,
            deliver_book=self._books.take,
            deliver_trades=self._tape.take,
            replay_running=lambda: self._replays.running,
            starting=starting,
            clock=clock,
            random=Random(),
        )
        self._servicer = MarketDataServicer(
            processor=processor,
            intake=self._intake,
            publisher=publisher,
            bars=bars,
            store=store,
            retention=self._retention,
            chains_feed=self._chains,
            notices=self._notices,
            replays=self._replays,
            feeds=self._feeds,
            books=BookAnswers(self._books, self._tape, self._feeds.now),
        )

    def restore(self, connection: Connection) -> None:
        """Rebuild engine, instrument master and the places of running replays from the tables."""
        self._intake.restore(connection)
        self._replays.restore(connection)

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicer to `server`."""
        add_MarketDataServiceServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Show what is current, take up replays that were running, and begin the live feeds."""
        # Loading the exchange calendar takes seconds, for which neither start nor first snapshot should wait.
        self._loading = asyncio.create_task(asyncio.to_thread(new_york.load), name="load calendar")
        await self._chains.start()
        await self._notices.start()
        await self._books.start()
        await self._tape.start()
        await self._replays.start()
        self._retention.start()
        await self._feeds.start()

    async def stop(self) -> None:
        """Let go of feeds and replays, end streams."""
        await self._feeds.stop()
        await self._retention.stop()
        await self._replays.stop()
        self._chains.close()
        self._notices.close()
        await self._books.stop()
        await self._tape.stop()
        if self._loading is not None:
            await self._loading


def build(runtime: Runtime) -> MarketDataService:
    """The service, made from what its process has."""
    return MarketDataService(runtime)


def _chain_of(event: event_pb2.Event) -> chain_pb2.OptionChain | None:
    return event.chain if event.WhichOneof("payload") == "chain" else None


def _notice_of(event: event_pb2.Event) -> feed_pb2.FeedNotice | None:
    return event.feed_notice if event.WhichOneof("payload") == "feed_notice" else None
