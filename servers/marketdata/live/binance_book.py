"""The order book of one connection: snapshots asked for as they are needed, books shown as they change."""

from __future__ import annotations

from typing import Final

import numpy as np

from skewline.cyext.book import Depth, OrderBook
from skewline.servers.marketdata.live.asking import Asking
from skewline.servers.marketdata.live.binance_market import Questions
from skewline.servers.marketdata.live.binance_payload import (
    DepthSnapshot,
    Malformed,
    Message,
    read_best,
    read_depth,
)
from skewline.servers.marketdata.live.book_sync import BookSync, OutOfStep
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.source import BookSeen, Heard, Restored, SourceFault, Stalled
from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.messages import extend_packed
from skewline.servers.runtime.settings.live import BinanceSettings
from skewline.v1 import common_pb2, order_book_pb2

_FAST_NS: Final = 300_000_000_000
_MOST_PAUSE_S: Final = 30.0


class BookKeeping:
    """Keeps a book in step and tells when it is not."""

    def __init__(
        self, instrument_id: str, settings: BinanceSettings, questions: Questions, clock: Clock
    ) -> None:
        self._instrument_id = instrument_id
        self._settings = settings
        self._questions = questions
        self._clock = clock
        self._sync = BookSync()
        self._asking: Asking[DepthSnapshot] = Asking(clock)
        self._backoff = Backoff(first=settings.interval_s, most=_MOST_PAUSE_S)
        self._opened = clock.monotonic()
        self._begun = self._changed = False
        self._word = False
        self._stalled: Stalled | None = None
        self._told: Stalled | None = None
        self._received_ns = 0

    @property
    def in_step(self) -> bool:
        """Whether the book is the venue's."""
        return self._sync.in_step

    def update(self, data: Message, received_ns: int) -> None:
        """A message of the stream `depth`. Raises Malformed."""
        self._word = True
        update = read_depth(data)
        if update.time_ns > self._clock.time_ns() + _FAST_NS:
            raise Malformed("its time is in the future")
        try:
            changed = self._sync.update(update)
        except OutOfStep as out:
            self._out(out)
            return
        if changed:
            self._changed = True
            self._received_ns = received_ns

    def best(self, data: Message) -> None:
        """A message of the stream `bookTicker`. Raises Malformed."""
        try:
            self._sync.best(read_best(data))
        except OutOfStep as out:
            self._out(out)

    def missed(self, detail: str) -> None:
        """An update did not get through."""
        if self._sync.in_step:
            self._sync.lose()
            self._out(OutOfStep("UNREADABLE", detail))

    def heard(self) -> list[Heard]:
        """What became of it since it was last asked for. Raises SourceFault if the first snapshot fails."""
        heard: list[Heard] = []
        if self._asking.answered:
            self._join()
        if not self._sync.in_step and self._asking.idle and self._may_ask:
            self._asking.ask(self._questions.snapshot())
        if self._stalled is not None and self._stalled != self._told:
            self._told = self._stalled
            heard.append(self._stalled)
        if not self._sync.in_step:
            return heard
        if self._stalled is not None:
            self._stalled = self._told = None
            heard.append(Restored(f"the book begins anew from update {self._sync.book.update_id}"))
        if self._changed:
            self._changed = False
            heard.append(BookSeen(self._shown()))
        return heard

    async def end(self) -> None:
        """Let go of what is asked for."""
        await self._asking.end()

    @property
    def _may_ask(self) -> bool:
        # The first update must be there before the snapshot, unless there is nothing to update.
        return self._word or self._clock.monotonic() - self._opened > self._settings.timeout_s

    def _join(self) -> None:
        try:
            joined = self._sync.snapshot(self._asking.answer())
        except SourceFault as fault:
            if not self._begun:
                raise
            self._stalled = Stalled(fault.reason, fault.detail)
            self._asking.pause(max(self._backoff.next(), fault.retry_after_s))
        except OutOfStep as out:
            self._asking.pause(self._backoff.next())
            self._out(out)
        else:
            if not joined:
                self._asking.pause(self._settings.interval_s)
                return
            self._backoff.reset()
            self._begun = self._changed = True
            self._received_ns = self._clock.time_ns()

    def _out(self, out: OutOfStep) -> None:
        self._changed = False
        # Before it was ever in step, there is nothing that is no longer so.
        if self._begun:
            self._stalled = Stalled(out.reason, out.detail)

    def _shown(self) -> order_book_pb2.OrderBook:
        return order_book(
            self._sync.book,
            self._settings.levels,
            instrument_id=self._instrument_id,
            # A snapshot has no time, and where nothing is updated there is no other.
            time_ns=self._sync.time_ns or self._received_ns,
            received_ns=self._received_ns,
        )


def order_book(
    book: OrderBook, levels: int, *, instrument_id: str, time_ns: int, received_ns: int
) -> order_book_pb2.OrderBook:
    """The best `levels` of each side as a message."""
    bids, asks = book.bids(levels), book.asks(levels)
    message = order_book_pb2.OrderBook(
        instrument_id=instrument_id,
        time_ns=time_ns,
        received_ns=received_ns,
        update_id=book.update_id,
        provenance=common_pb2.PROVENANCE_LIVE,
        best_bid=_best(bids),
        best_ask=_best(asks),
        mid=book.mid,
        microprice=book.microprice,
        imbalance=book.imbalance(),
        depth_imbalance=book.imbalance(levels),
        complete=bids.complete and asks.complete,
        crossed=book.crossed,
    )
    extend_packed(message, "bid_price", bids.price)
    extend_packed(message, "bid_quantity", bids.quantity)
    extend_packed(message, "ask_price", asks.price)
    extend_packed(message, "ask_quantity", asks.quantity)
    return message


def _best(side: Depth) -> float:
    return float(side.price[0]) if len(side.price) else float(np.nan)
