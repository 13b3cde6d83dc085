"""What tests of live feeds are made of: clocks that they move, and those who hear of a feed."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

from waiting import until

from skewline.servers.marketdata.bars.recording import Recorded
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.health import Health
from skewline.servers.marketdata.live.source import LiveSource, SourceFault
from skewline.servers.marketdata.live.supervision import Supervised
from skewline.servers.runtime.ending import end
from skewline.servers.runtime.errors import FieldViolation
from skewline.servers.runtime.settings.live import LiveSettings
from skewline.v1 import chain_pb2, feed_pb2, order_book_pb2

# Wednesday 2026-07-29, 12:00 in New York: the market is open.
NOON_NS = 1_785_340_800_000_000_000
_SECOND = 1_000_000_000


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self, start_ns: int = NOON_NS) -> None:
        self._start_ns = start_ns
        self._passed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self.slept: list[float] = []

    def time_ns(self) -> int:
        return self._start_ns + round(self._passed * _SECOND)

    def monotonic(self) -> float:
        return self._passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + seconds, len(self.slept), woken))
        await woken

    async def move(self, seconds: float) -> None:
        """Let them pass, one sleeper after another."""
        until_s = self._passed + seconds
        await settled()
        while self._sleepers and self._sleepers[0][0] <= until_s:
            at, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._passed = max(self._passed, at)
                woken.set_result(None)
                await settled()
        self._passed = until_s
        await settled()


class ShiftedClock:
    """Goes as this machine's clock does, from a time of the test's choice."""

    def __init__(self, start_ns: int = NOON_NS) -> None:
        self._ahead_ns = start_ns - time.monotonic_ns()

    def time_ns(self) -> int:
        return time.monotonic_ns() + self._ahead_ns

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def settled() -> None:
    """All that can happen without waiting has happened."""
    for _ in range(50):
        await asyncio.sleep(0)


class Audience:
    """Takes a feed's chains and hears its notices."""

    def __init__(self) -> None:
        self.chains: list[chain_pb2.OptionChain] = []
        self.bars: list[chain_pb2.BarSeries] = []
        self.books: list[order_book_pb2.OrderBook] = []
        self.batches: list[order_book_pb2.TradeBatch] = []
        self.notices: list[feed_pb2.FeedNotice] = []
        self.refuses = 0
        """Notices that it will not take."""
        self.fails = 0
        """Chains that it cannot take."""
        self.takes: Callable[[], Awaitable[None]] | None = None
        """What taking a chain waits for."""

    async def deliver(self, chain: chain_pb2.OptionChain, received_ns: int) -> chain_pb2.ChainSummary:
        if self.takes is not None:
            await self.takes()
        if self.fails:
            self.fails -= 1
            raise RuntimeError("no room for it")
        self.chains.append(chain)
        accepted = chain_pb2.CHAIN_STATUS_ACCEPTED
        return chain_pb2.ChainSummary(time_ns=chain.time_ns, status=accepted, provenance=chain.provenance)

    async def record_bars(self, series: chain_pb2.BarSeries) -> Recorded:
        self.bars.append(series)
        sound = [bar for bar in series.bars if bar.close > 0]
        fault = FieldViolation("bars[0].close", "must be a price above zero")
        return Recorded(len(sound), (fault,) * (len(series.bars) - len(sound)))

    async def deliver_book(self, book: order_book_pb2.OrderBook, received_ns: int) -> None:
        self.books.append(book)

    async def deliver_trades(self, batch: order_book_pb2.TradeBatch, received_ns: int) -> int:
        self.batches.append(batch)
        return len(batch.trade_id)

    async def notify(self, notice: feed_pb2.FeedNotice, now_ns: int) -> None:
        if self.refuses:
            self.refuses -= 1
            raise RuntimeError("no ear for it")
        self.notices.append(notice)

    @property
    def states(self) -> list[tuple[str, str]]:
        """States told, each with its reason."""
        return [
            (feed_pb2.FeedState.Name(each.feed.state).removeprefix("FEED_STATE_"), each.feed.reason)
            for each in self.notices
            if not each.HasField("gap")
        ]

    @property
    def state(self) -> str:
        """The state told last."""
        return self.states[-1][0] if self.notices else ""

    @property
    def gaps(self) -> list[feed_pb2.FeedGap]:
        """Gaps told."""
        return [each.gap for each in self.notices if each.HasField("gap")]

    async def has(self, reached: Callable[[Audience], bool]) -> None:
        """Wait until it is so."""
        await until(lambda: reached(self))


@asynccontextmanager
async def supervised(
    source: LiveSource,
    clock: Clock,
    *,
    retry_first_s: float = 1.0,
    retry_most_s: float = 60.0,
    blocked: Callable[[], SourceFault | None] = lambda: None,
) -> AsyncIterator[Audience]:
    """The source under supervision; yields those who hear of it."""
    audience = Audience()
    feed = Supervised(
        source,
        Health("test:XYZ", source, clock.time_ns(), from_settings=False),
        deliver=audience.deliver,
        record_bars=audience.record_bars,
        deliver_book=audience.deliver_book,
        deliver_trades=audience.deliver_trades,
        notify=audience.notify,
        settings=LiveSettings(retry_first_s=retry_first_s, retry_most_s=retry_most_s),
        clock=clock,
        random=Random(7),
        blocked=blocked,
    )
    task = asyncio.create_task(feed.run())
    try:
        yield audience
    finally:
        await end(task)
