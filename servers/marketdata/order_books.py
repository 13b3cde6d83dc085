"""Live order books: the newest of each instrument, for subscribers and the bus; some are stored."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from skewline.servers.marketdata.intake import SERVICE
from skewline.servers.runtime.broadcast import Broadcast
from skewline.servers.runtime.bus import Bus, PublishFailed
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.envelope import envelope
from skewline.servers.runtime.processor import Processor
from skewline.servers.runtime.subscription import Entry, History
from skewline.storage.marketdata import order_books
from skewline.v1 import order_book_pb2

_log = logging.getLogger(__name__)

_NANOS_A_SECOND: Final = 1_000_000_000

OrderBook = order_book_pb2.OrderBook


class OrderBooks:
    """What feeds bring is offered to subscribers at once, and published as fast as the bus takes it.

    A book says all there is to say, so that a newer one takes the place of one that waits: nothing of it is
    in the event log. Sequences are the wall clock's, and so rise over restarts too.
    """

    def __init__(self, processor: Processor, bus: Bus, store_every_s: float) -> None:
        self._processor = processor
        self._bus = bus
        self._store_every_ns = round(store_every_s * _NANOS_A_SECOND)
        self.broadcast: Broadcast[OrderBook] = Broadcast(since=self._since)
        self._newest: dict[str, Entry[OrderBook]] = {}
        self._stored_ns: dict[str, int] = {}
        self._unpublished: dict[str, OrderBook] = {}
        self._some = asyncio.Event()
        self._publishing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Show the newest stored ones, and begin to publish."""
        for book in await self._processor.read(order_books.newest):
            self._stored_ns[book.instrument_id] = book.time_ns
            self._offer(book, book.received_ns)
        self._publishing = asyncio.create_task(self._publish(), name="publish order books")

    async def stop(self) -> None:
        """End every stream."""
        self.broadcast.close()
        if self._publishing is not None:
            await end(self._publishing)

    def newest(self, instrument_id: str) -> OrderBook | None:
        """The newest of an instrument, None if there never was one."""
        entry = self._newest.get(instrument_id)
        return None if entry is None else entry.item

    async def as_of(self, instrument_id: str, time_ns: int) -> OrderBook | None:
        """The newest stored not after `time_ns`, None if there is none."""
        return await self._processor.read(
            lambda connection: order_books.as_of(connection, instrument_id, time_ns)
        )

    async def take(self, book: OrderBook, received_ns: int) -> None:
        """Take the newest book of an instrument; waits while the database is away, if it is to be stored."""
        self._offer(book, received_ns)
        self._unpublished[book.instrument_id] = book
        self._some.set()
        since_ns = book.time_ns - self._stored_ns.get(book.instrument_id, 0)
        if self._store_every_ns and since_ns >= self._store_every_ns:
            await self._processor.outlast(
                lambda: self._processor.write(lambda connection: order_books.add(connection, book))
            )
            self._stored_ns[book.instrument_id] = book.time_ns

    def _offer(self, book: OrderBook, received_ns: int) -> None:
        entry = Entry(max(received_ns, self.broadcast.newest + 1), book.instrument_id, book)
        self._newest[book.instrument_id] = entry
        self.broadcast.offer(entry.key, entry.sequence, entry.item)

    async def _since(self, sequence: int) -> History[OrderBook]:
        newer = sorted(
            (entry for entry in self._newest.values() if entry.sequence > sequence),
            key=lambda entry: entry.sequence,
        )
        newest = self.broadcast.newest
        if not newer:
            # Before a restart there were books that nobody stored.
            reached = min(sequence, time.time_ns())
            return History([], reached, max(newest, reached))
        return History(newer, newer[0].sequence, newest)

    async def _publish(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            books, self._unpublished = self._unpublished, {}
            for book in books.values():
                event = envelope(
                    service=SERVICE,
                    payload=book,
                    key=(book.instrument_id, book.update_id),
                    time_ns=book.time_ns,
                    underlying=book.instrument_id,
                    received_ns=book.received_ns,
                    published_ns=time.time_ns(),
                )
                try:
                    await self._bus.publish_confirmed(
                        f"book.{book.instrument_id}", event.SerializeToString(), message_id=event.event_id
                    )
                except PublishFailed as failure:
                    # A newer one follows, which makes up for it.
                    _log.warning("an order book was not published: %s", failure)
