"""A source that must be asked: the scheduled collector of polled venues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar

from skewline.servers.marketdata.live.clock import Clock, sleep_until
from skewline.servers.marketdata.live.hours import MarketHours
from skewline.servers.marketdata.live.source import Heard, MarketClosed, Patience, Unchanged
from skewline.v1 import common_pb2

S = TypeVar("S")

_NANOS_A_SECOND: Final = 1_000_000_000
_MISSED_POLLS: Final = 1.5


class Poller(Protocol, Generic[S]):
    """How one question to a venue is put, and what its answer holds."""

    def session(self) -> AbstractAsyncContextManager[S]:
        """What the questions of one stream share."""

    async def poll(self, session: S) -> Sequence[Heard]:
        """Ask once; nothing new is an empty answer. Raises SourceFault."""


class PolledSource(Generic[S]):
    """Asks every `interval_s` seconds while the market is open, and once at the beginning in any case.

    An unchanged answer is no new chain. `timeout_s` is how long the answer to a question may take.
    """

    def __init__(
        self,
        poller: Poller[S],
        *,
        underlying: str,
        provenance: common_pb2.Provenance.ValueType,
        hours: MarketHours,
        interval_s: float,
        stale_after_s: float,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self.underlying = underlying
        self.provenance = provenance
        # The questions of several underlyings may wait for one another.
        self.patience = Patience(
            stale_after_s=stale_after_s,
            reconnect_after_s=2 * interval_s + 2 * timeout_s,
            gap_after_s=_MISSED_POLLS * interval_s,
        )
        self._poller = poller
        self._hours = hours
        self._interval_s = interval_s
        self._clock = clock
        self._asked = False

    async def stream(self) -> AsyncGenerator[Heard, None]:
        """Questions until one fails."""
        async with self._poller.session() as session:
            while True:
                now_ns = self._clock.time_ns()
                # The calendar may have to be loaded, which takes seconds.
                opens_ns = await asyncio.to_thread(self._hours.opens_ns, now_ns)
                if opens_ns > now_ns and self._asked:
                    opening = datetime.fromtimestamp(opens_ns // _NANOS_A_SECOND, tz=UTC)
                    yield MarketClosed(
                        opens_ns, f"the market is seen again from {opening:%Y-%m-%d %H:%M} UTC"
                    )
                    await sleep_until(self._clock, opens_ns)
                    continue
                began = self._clock.monotonic()
                heard = await self._poller.poll(session)
                self._asked = True
                for item in heard or (Unchanged(),):
                    yield item
                await self._clock.sleep(max(0.0, began + self._interval_s - self._clock.monotonic()))
