"""What every live source needs around it, written once: reconnecting, silence, gaps, health."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from random import Random
from typing import Final

from skewline.servers.marketdata.bars.recording import Recorded
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.health import CONNECTING, DOWN, LIVE, Health
from skewline.servers.marketdata.live.source import (
    BarsSeen,
    BookSeen,
    ChainSeen,
    Heard,
    LiveSource,
    MarketClosed,
    Missed,
    Restored,
    SourceFault,
    Stalled,
    TradesSeen,
    Unchanged,
)
from skewline.servers.runtime.backoff import Backoff
from skewline.servers.runtime.settings.live import LiveSettings
from skewline.v1 import chain_pb2, feed_pb2, order_book_pb2

_log = logging.getLogger(__name__)

_NANOS_A_SECOND: Final = 1_000_000_000
# Who asks to be left alone for longer may be mistaken, and is asked again.
_LONGEST_ASKED_S: Final = 3600.0

Deliver = Callable[[chain_pb2.OptionChain, int], Awaitable[chain_pb2.ChainSummary]]
"""Takes a chain and when it was received, and returns what became of it."""
RecordBars = Callable[[chain_pb2.BarSeries], Awaitable[Recorded]]
"""Takes bars, and returns what became of them."""
DeliverBook = Callable[[order_book_pb2.OrderBook, int], Awaitable[None]]
"""Takes an order book and when it was received."""
DeliverTrades = Callable[[order_book_pb2.TradeBatch, int], Awaitable[int]]
"""Takes trades and when they were received, and returns how many were new."""
Notify = Callable[[feed_pb2.FeedNotice, int], Awaitable[None]]
"""Tells subscribers, with the wall clock."""


async def no_books(book: order_book_pb2.OrderBook, received_ns: int) -> None:
    """For those who run no source of order books."""
    raise NotImplementedError(f"nobody takes the order book of {book.instrument_id}")


async def no_trades(batch: order_book_pb2.TradeBatch, received_ns: int) -> int:
    """For those who run no source of trades."""
    raise NotImplementedError(f"nobody takes the trades of {batch.instrument_id}")


class Supervised:
    """Streams a source until it is cancelled: when a connection ends, the next one follows after a pause.

    `blocked` says why it must not connect now, or nothing. The state is the truth of this moment: LIVE only
    while something new came within the source's patience.
    """

    def __init__(
        self,
        source: LiveSource,
        health: Health,
        *,
        deliver: Deliver,
        record_bars: RecordBars,
        notify: Notify,
        settings: LiveSettings,
        clock: Clock,
        random: Random,
        blocked: Callable[[], SourceFault | None] = lambda: None,
        deliver_book: DeliverBook = no_books,
        deliver_trades: DeliverTrades = no_trades,
    ) -> None:
        self.health = health
        self._source = source
        self._deliver = deliver
        self._record_bars = record_bars
        self._deliver_book = deliver_book
        self._deliver_trades = deliver_trades
        self._notify = notify
        self._clock = clock
        self._blocked = blocked
        self._backoff = Backoff(first=settings.retry_first_s, most=settings.retry_most_s, random=random)
        # Everything the venue had up to here was heard; None before the first word.
        self._heard_ns: int | None = None
        # Whether this connection brought a word; and gaps not yet told.
        self._spoke = False
        self._untold: deque[feed_pb2.FeedGap] = deque()
        self._broken: SourceFault | None = None
        self._quoted = False
        # What the venue cannot bring although it is connected, and since when.
        self._stalled: tuple[Stalled, int] | None = None
        # Why the last chain was not taken, and when that came; None if it was.
        self._lost: tuple[str, int] | None = None
        self._word_at = self._news_at = clock.monotonic()

    @property
    def underlying(self) -> str:
        """Of what it brings."""
        return self._source.underlying

    async def run(self) -> None:
        """Stream, and stream again, for as long as nobody cancels it."""
        await self._tell_at_last()
        while True:
            fault = await self._connection()
            self._broken = fault
            if self.health.down(fault, self._clock.time_ns()):
                await self._tell_at_last()
            asked_s = min(fault.retry_after_s, _LONGEST_ASKED_S)
            await self._clock.sleep(max(self._backoff.next(), asked_s))

    async def _connection(self) -> SourceFault:
        if (fault := self._blocked()) is not None:
            return fault
        self.health.connects()
        self._stalled = None
        self._spoke = False
        self._word_at = self._news_at = self._clock.monotonic()
        try:
            async with aclosing(self._source.stream()) as stream:
                while True:
                    await self._take(await self._next(stream))
        except StopAsyncIteration:
            return SourceFault("CONNECTION_LOST", "the venue ended the connection")
        except SourceFault as broken:
            return broken
        except Exception as error:  # noqa: BLE001 - it must not take the other feeds with it
            _log.exception("feed of %s failed", self._source.underlying)
            return SourceFault("INTERNAL", f"{type(error).__name__}: {error}")

    async def _next(self, stream: AsyncGenerator[Heard, None]) -> Heard:
        """The next item; meanwhile the feed may become stale. Raises SourceFault if nothing comes at all."""
        patience = self._source.patience
        hearing = asyncio.ensure_future(anext(stream))
        try:
            while True:
                now = self._clock.monotonic()
                silent, old = now - self._word_at, now - self._news_at
                if (fresh := self._is_fresh()) and old >= patience.stale_after_s:
                    if self.health.stale(old, self._clock.time_ns()):
                        await self._tell()
                    continue
                if silent >= patience.reconnect_after_s:
                    raise SourceFault("SILENT", f"not a word for {silent:.3g} s")
                left = patience.reconnect_after_s - silent
                if fresh:
                    left = min(left, patience.stale_after_s - old)
                waiting = asyncio.ensure_future(self._clock.sleep(left))
                try:
                    await asyncio.wait({hearing, waiting}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiting.cancel()
                if hearing.done():
                    return hearing.result()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    def _is_fresh(self) -> bool:
        """Whether it becomes stale without news: it is live, or connected and has said nothing new yet."""
        return self.health.state == LIVE or (self._spoke and self.health.state in (CONNECTING, DOWN))

    async def _take(self, heard: Heard) -> None:
        began = self._clock.monotonic()
        await self._handle(heard)
        # That may have lasted, while the database was away: silence is what is not heard by a listener.
        took = self._clock.monotonic() - began
        self._word_at, self._news_at = self._word_at + took, self._news_at + took

    async def _handle(self, heard: Heard) -> None:
        now_ns = self._clock.time_ns()
        self._word_at = self._clock.monotonic()
        self._spoke = True
        if isinstance(heard, Stalled):
            # No word of what it shall bring: what was heard last stays what it was.
            since_ns = self._stalled[1] if self._stalled else self._heard_ns or now_ns
            self._stalled = heard, since_ns
            if self.health.stalled(heard, now_ns):
                await self._tell()
            return
        disconnected = await self._resumed(now_ns)
        self._heard_ns = now_ns
        match heard:
            case ChainSeen(chain):
                self._news_at = self._word_at
                self._quoted = True
                # Judged first: who hears that the feed is live finds what it brought.
                self.health.judged(await self._delivered(chain, now_ns))
                changed = self._stalled is None and self.health.live(now_ns)
            case BarsSeen(series):
                await self._bars(series, now_ns)
                # Of a feed of quotes they are no news: without quotes it is stale.
                changed = not self._quoted and self._stalled is None and self.health.live(now_ns)
                self._news_at = self._news_at if self._quoted else self._word_at
            case BookSeen(book):
                self._news_at = self._word_at
                await self._deliver_book(book, now_ns)
                self.health.brought_book(book)
                changed = self._stalled is None and self.health.live(now_ns)
            case TradesSeen(batch):
                # They say nothing of whether the book is in step.
                self._news_at = self._word_at
                changed = False
                self.health.brought_trades(batch, await self._deliver_trades(batch, now_ns))
            case Unchanged():
                changed = self._stalled is None and self.health.answered(now_ns)
            case Restored(detail):
                self._news_at = self._word_at
                stalled, self._stalled = self._stalled, None
                if stalled is not None and not disconnected:
                    told = f"{stalled[0].detail}; {detail}"
                    await self._gap(stalled[0].reason, told, stalled[1], now_ns)
                changed = self.health.restored(now_ns)
            case Missed(reason, detail):
                changed = False
                await self._gap(reason, detail, now_ns, now_ns)
            case MarketClosed():
                self._heard_ns = max(heard.until_ns, now_ns)
                # A word is expected from the opening on.
                self._word_at += max(0.0, (heard.until_ns - now_ns) / _NANOS_A_SECOND)
                self._news_at = self._word_at
                changed = self._stalled is None and self.health.closed(heard, now_ns)
        if changed:
            await self._tell()
        self._backoff.reset()

    async def _delivered(self, chain: chain_pb2.OptionChain, now_ns: int) -> chain_pb2.ChainSummary:
        """What became of `chain`. One that cannot be taken is lost: the source is past it."""
        try:
            return await self._deliver(chain, now_ns)
        except Exception as error:
            self._lost = f"a chain was not taken ({type(error).__name__}: {error})", now_ns
            raise

    async def _bars(self, series: chain_pb2.BarSeries, now_ns: int) -> None:
        recorded = await self._record_bars(series)
        self.health.recorded(recorded.stored)
        if recorded.faults:
            first = recorded.faults[0]
            more = f", and {len(recorded.faults) - 1} more" if len(recorded.faults) > 1 else ""
            detail = f"{first.field} {first.description}{more}: such bars were left out"
            await self._gap("UNUSABLE", detail, now_ns, now_ns)

    async def _resumed(self, now_ns: int) -> bool:
        """The first word after a break: if it was long enough to lose something, say so, and return True."""
        await self._tell_gaps()
        if self._lost is not None:
            (detail, lost_ns), self._lost = self._lost, None
            await self._gap("NOT_TAKEN", detail, lost_ns, lost_ns)
        broken, self._broken = self._broken, None
        if broken is None or self._heard_ns is None:
            return False
        lost_s = (now_ns - self._heard_ns) / _NANOS_A_SECOND
        if lost_s > self._source.patience.gap_after_s:
            detail = (
                f"{lost_s:.3g} s without the venue ({broken}); what follows begins from its present state"
            )
            await self._gap("DISCONNECTED", detail, self._heard_ns, now_ns)
            return True
        return False

    async def _gap(self, reason: str, detail: str, from_ns: int, to_ns: int) -> None:
        self.health.missed()
        self._untold.append(feed_pb2.FeedGap(reason=reason, detail=detail, from_ns=from_ns, to_ns=to_ns))
        await self._tell_gaps()

    async def _tell_gaps(self) -> None:
        """Those that could not be told when they were noticed too."""
        while self._untold:
            notice = feed_pb2.FeedNotice(feed=self.health.now(), gap=self._untold[0])
            await self._notify(notice, self._clock.time_ns())
            self._untold.popleft()

    async def _tell_at_last(self) -> None:
        """Tell, again if that fails: nobody else would see that the feed ended."""
        while True:
            try:
                await self._tell()
                return
            except Exception:  # noqa: BLE001 - whatever it is, it may pass
                _log.exception("the state of the feed of %s was not told", self._source.underlying)
                await self._clock.sleep(self._backoff.next())

    async def _tell(self) -> None:
        await self._notify(feed_pb2.FeedNotice(feed=self.health.now()), self._clock.time_ns())
