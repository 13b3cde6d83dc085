"""When a polled venue is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from live_feeds import NOON_NS, MovedClock

from skewline.servers.marketdata.live.hours import MarketHours
from skewline.servers.marketdata.live.polling import PolledSource
from skewline.servers.marketdata.live.source import Heard, MarketClosed, Unchanged
from skewline.v1 import common_pb2

HOUR = 3600


class Machine(MovedClock):
    """Sleeps with the lid closed: the wall clock goes on, and nothing else does."""

    def sleep_for(self, seconds: float) -> None:
        self._start_ns += round(seconds * 1e9)


class Counted:
    """Answers that there is nothing new."""

    asked = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        yield

    async def poll(self, session: None) -> Sequence[Heard]:
        self.asked += 1
        return ()


async def test_a_machine_that_slept_through_the_night_asks_when_the_market_is_open() -> None:
    evening = Machine(NOON_NS + 8 * HOUR * 10**9)
    poller = Counted()
    source = PolledSource(
        poller,
        underlying="XYZ",
        provenance=common_pb2.PROVENANCE_DELAYED,
        hours=MarketHours(0.0),
        interval_s=60.0,
        stale_after_s=600.0,
        timeout_s=30.0,
        clock=evening,
    )
    heard = source.stream()
    assert isinstance(await anext(heard), Unchanged)
    following = asyncio.ensure_future(anext(heard))
    while not following.done():
        await evening.move(60.0)
    assert isinstance(following.result(), MarketClosed)
    following = asyncio.ensure_future(anext(heard))
    await evening.move(30.0)
    evening.sleep_for(14 * HOUR)
    await evening.move(60.0)
    async with asyncio.timeout(20):
        assert isinstance(await following, Unchanged)
    assert poller.asked == 2
    await heard.aclose()
