"""Bars of the underlying: those of five seconds as they come, and those of the past that a break left out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from ib_insync.contract import Contract

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.ibkr.account import LineShare
from skewline.servers.marketdata.live.ibkr.bar_reading import BarsSoFar, read_historical, read_live
from skewline.servers.marketdata.live.ibkr.codes import code_of
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.ibkr.replies import Refused
from skewline.servers.marketdata.live.source import BarsSeen, Missed, SourceFault
from skewline.servers.runtime.ending import end
from skewline.v1 import chain_pb2, common_pb2

_SHOW: Final = "TRADES"
_NANOS_A_SECOND: Final = 1_000_000_000
_FIVE_SECONDS: Final = 5
_MINUTE: Final = 60
# The venue gives bars of five seconds for an hour at once, and of a minute for a day.
_HOUR_S: Final = 3600
_RETRY_S: Final = 300.0
_AT_ONCE: Final = 5000


class UnderlyingBars:
    """Follows the bars of one connection. `so_far` outlives it, and says where the next one begins."""

    def __init__(
        self,
        gateway: Gateway,
        share: LineShare,
        contract: Contract,
        *,
        so_far: BarsSoFar,
        source: str,
        clock: Clock,
    ) -> None:
        self._gateway = gateway
        self._share = share
        self._contract = contract
        self._so_far = so_far
        self._source = source
        self._clock = clock
        self._request_id: int | None = None
        self._retry_at: float | None = None
        self._filling: asyncio.Task[None] | None = None
        self._pending: dict[int, list[chain_pb2.Bar]] = {}
        self._missed: list[Missed] = []

    def begin(self) -> None:
        """Follow bars, and ask for those of the past. Raises SourceFault if the connection ended."""
        self._retry_at = None
        if self._request_id is None:
            if not self._share.take():
                self._later("TOO_MANY_LINES", "no market data line is left for the underlying's bars")
                return
            self._request_id = self._gateway.follow_bars(self._contract, _SHOW, self)
        self.fill()

    def fill(self) -> None:
        """Ask for the bars that a break left out, beside what else goes on."""
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._fill())

    def renew(self) -> None:
        """The subscription is lost: make it again, and fill in what came meanwhile."""
        self._leave(told=True)
        self.begin()

    def turn(self) -> None:
        """Try again what failed, when it is time. Raises SourceFault if the connection ended."""
        if self._retry_at is not None and self._clock.monotonic() >= self._retry_at:
            self.begin()

    def bar(self, *values: float) -> None:
        """One bar of five seconds."""
        bar = read_live(values)
        self._so_far.newest_s = max(self._so_far.newest_s, bar.start_ns // _NANOS_A_SECOND)
        self._pending.setdefault(_FIVE_SECONDS, []).append(bar)

    def is_line(self, request_id: int) -> bool:
        """Whether a message by number is about this subscription."""
        return request_id == self._request_id

    def refused(self, reason: str, detail: str) -> None:
        """The gateway ended the subscription."""
        self._leave(told=False)
        self._later(reason, detail)

    def seen(self, provenance: common_pb2.Provenance.ValueType) -> Sequence[BarsSeen | Missed]:
        """What came since this was last asked for."""
        pending, self._pending = self._pending, {}
        missed, self._missed = self._missed, []
        # Of a start that came twice, the later.
        series = [
            BarsSeen(
                chain_pb2.BarSeries(
                    underlying=self._so_far.underlying,
                    interval_ns=length_s * _NANOS_A_SECOND,
                    source=self._source,
                    provenance=provenance,
                    bars=some,
                )
            )
            for length_s, bars in sorted(pending.items())
            for some in _parts({bar.start_ns: bar for bar in bars}.values())
        ]
        return [*missed, *series]

    async def close(self) -> None:
        """End what goes on; the end of the connection ends the subscription."""
        if self._filling is not None:
            await end(self._filling)

    async def _fill(self) -> None:
        since_s = self._so_far.newest_s
        lost_s = self._clock.time_ns() // _NANOS_A_SECOND - since_s
        try:
            if since_s and lost_s <= _HOUR_S:
                # At least one whole minute: the venue refuses less.
                await self._past(f"{max(lost_s + _FIVE_SECONDS, _MINUTE)} S", "5 secs", _FIVE_SECONDS)
            await self._past("1 D", "1 min", _MINUTE)
        except Refused as refused:
            code = code_of(refused.number)
            fix = f"; {code.fix}" if code is not None else ""
            self._later(code.reason if code is not None else "NO_BARS", f"past bars: {refused}{fix}")
        except SourceFault as fault:
            self._later("NO_BARS", f"past bars: {fault}")

    async def _past(self, duration: str, size: str, length_s: int) -> None:
        rows: list[Any] = await self._gateway.ask(
            lambda client, identity: client.reqHistoricalData(
                identity, self._contract, "", duration, size, _SHOW, False, 2, False, []
            )
        )
        bars, unreadable = read_historical(rows)
        if unreadable:
            self._missed.append(
                Missed("UNREADABLE", f"{len(unreadable)} past bars cannot be read: {unreadable[0]}")
            )
        # What came meanwhile is newer than what was asked for before.
        self._pending[length_s] = [*bars, *self._pending.get(length_s, ())]

    def _later(self, reason: str, detail: str) -> None:
        self._missed.append(Missed(reason, f"{detail}; asked for again in {_RETRY_S:g} s"))
        self._retry_at = self._clock.monotonic() + _RETRY_S

    def _leave(self, *, told: bool) -> None:
        if self._request_id is not None:
            self._gateway.leave_bars(self._request_id, told=told)
            self._request_id = None
            self._share.give_back()


def _parts(bars: Iterable[chain_pb2.Bar]) -> Iterator[list[chain_pb2.Bar]]:
    """As many at once as are taken."""
    left = iter(bars)
    while some := list(islice(left, _AT_ONCE)):
        yield some
