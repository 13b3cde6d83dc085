"""The tape: trades that feeds bring, stored, told to subscribers, and published."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import Final

from sqlalchemy import Connection

from skewline.servers.marketdata import trade_columns
from skewline.servers.marketdata.intake import SERVICE
from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.broadcast import Broadcast
from skewline.servers.runtime.bus import Bus, PublishFailed
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.processor import Outgoing, Processor
from skewline.servers.runtime.subscription import Entry, History
from skewline.storage.errors import DatabaseUnreachableError
from skewline.storage.marketdata import trade_minutes, trades
from skewline.storage.marketdata.trades import StoredTrades, TradeQuery
from skewline.v1 import order_book_pb2

_PAGE: Final = 64
_CAPACITY: Final = 256

TradeBatch = order_book_pb2.TradeBatch


class Tape:
    """Each trade once, in the venue's order. What is stored is published, also after a restart.

    The table is log and outbox in one: the event log would soon hold nothing but trades. A batch is published
    under an id that follows from its trades, so that a repeat is dropped by the bus.
    """

    def __init__(self, processor: Processor, bus: Bus) -> None:
        self._processor = processor
        self._bus = bus
        self.broadcast: Broadcast[TradeBatch] = Broadcast(
            since=self._since, lossless=True, capacity=_CAPACITY
        )
        self._published = self._marked = 0
        self._some = asyncio.Event()
        self._publishing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Show the newest batch of each instrument, and publish what an earlier run left."""
        for stored in await self._processor.read(trades.newest):
            self.broadcast.offer(stored.batch.instrument_id, stored.sequence, stored.batch)
        self._published = self._marked = await self._processor.read(trades.unpublished_after)
        self._some.set()
        self._publishing = asyncio.create_task(self._publish(), name="publish trades")

    async def stop(self) -> None:
        """End every stream, and mark what is published."""
        self.broadcast.close()
        if self._publishing is not None:
            await end(self._publishing)
        if self._published > self._marked:
            published = self._published
            try:
                await self._processor.write(lambda connection: trades.mark_published(connection, published))
            except DatabaseUnreachableError:
                return  # they are published again at the next start, and dropped by the bus

    async def last_id(self, instrument_id: str) -> int:
        """The venue's id of the newest trade of an instrument; 0 if there is none."""
        return await self._processor.read(lambda connection: trades.last_id(connection, instrument_id))

    async def take(self, batch: TradeBatch, received_ns: int) -> int:
        """Store the trades that follow what is stored; returns how many. Waits while the database is away."""
        return await self._processor.outlast(lambda: self._take(batch, received_ns))

    async def listed(self, query: TradeQuery, after_id: int, limit: int) -> TradeBatch:
        """The first `limit` trades behind `after_id` that the query asks for."""
        found = TradeBatch()
        at = after_id
        while len(found.trade_id) < limit:
            page = await self._processor.read(
                functools.partial(trades.batches, query=query, after_id=at, limit=_PAGE)
            )
            if not page:
                break
            for batch in page:
                found.MergeFrom(trade_columns.asked(batch, query, after_id))
            at = page[-1].trade_id[-1]
        return trade_columns.first(found, limit)

    async def _take(self, batch: TradeBatch, received_ns: int) -> int:
        published, told = self._published, self.broadcast.newest

        def work(connection: Connection) -> tuple[tuple[int, list[StoredTrades]], tuple[Outgoing, ...]]:
            trades.mark_published(connection, published)
            last = trades.last_id(connection, batch.instrument_id)
            fresh = trade_columns.behind(batch, last)
            if fresh.trade_id:
                trades.add(connection, fresh, received_ns)
                trade_minutes.add(connection, fresh)
            # More than this one, where the word of a commit was lost with the database.
            return (len(fresh.trade_id), trades.since(connection, told, _PAGE)), ()

        async with self._processor.turn:
            count, stored = await self._processor.transact(work)
            self._marked = published
            for each in stored:
                self.broadcast.offer(each.batch.instrument_id, each.sequence, each.batch)
        self._some.set()
        return count

    async def _since(self, sequence: int) -> History[TradeBatch]:
        def page(connection: Connection) -> History[TradeBatch]:
            oldest, newest = trades.bounds(connection)
            found = trades.since(connection, sequence, _PAGE)
            entries = [Entry(each.sequence, each.batch.instrument_id, each.batch) for each in found]
            return History(entries, oldest, newest)

        return await self._processor.read(page)

    async def _publish(self) -> None:
        backoff = Backoff(first=0.2, most=5.0)
        while True:
            await self._some.wait()
            self._some.clear()
            try:
                await self._processor.outlast(self._publish_backlog)
                backoff.reset()
            except PublishFailed:
                self._some.set()
                await asyncio.sleep(backoff.next())

    async def _publish_backlog(self) -> None:
        while found := await self._processor.read(
            lambda connection: trades.since(connection, self._published, _PAGE)
        ):
            for stored in found:
                await self._publish_one(stored)
                self._published = stored.sequence

    async def _publish_one(self, stored: StoredTrades) -> None:
        batch = stored.batch
        event = envelope(
            service=SERVICE,
            payload=batch,
            key=(batch.instrument_id, batch.trade_id[0], batch.trade_id[-1]),
            time_ns=batch.time_ns[-1],
            underlying=batch.instrument_id,
            received_ns=stored.received_ns,
            published_ns=time.time_ns(),
        )
        await self._bus.publish_confirmed(
            f"trade.{batch.instrument_id}", event.SerializeToString(), message_id=event.event_id
        )
