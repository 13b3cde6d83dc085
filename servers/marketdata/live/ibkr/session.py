"""One connection's work: what is listened to, and the chain that is made of it every few seconds."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.hours import MarketHours
from skewline.servers.marketdata.live.ibkr.account import LineShare
from skewline.servers.marketdata.live.ibkr.bar_reading import BarsSoFar
from skewline.servers.marketdata.live.ibkr.bars import UnderlyingBars
from skewline.servers.marketdata.live.ibkr.chain import ChangedChains
from skewline.servers.marketdata.live.ibkr.gateway import Gateway
from skewline.servers.marketdata.live.ibkr.lines import Lines
from skewline.servers.marketdata.live.ibkr.messages import Messages
from skewline.servers.marketdata.live.ibkr.pulse import Pulse
from skewline.servers.marketdata.live.ibkr.underlying import UnderlyingLine
from skewline.servers.marketdata.live.ibkr.universe import Universe, incomplete
from skewline.servers.marketdata.live.source import (
    ChainSeen,
    Heard,
    MarketClosed,
    Restored,
    SourceFault,
    Unchanged,
)
from skewline.servers.runtime.settings.live import IbkrSettings
from skewline.v1 import chain_pb2, common_pb2

_TURN_S: Final = 0.1
_SPOT_WITHIN_S: Final = 5.0


class Session:
    """Works on one connection: `step` after `step`, and `close` it."""

    def __init__(
        self,
        gateway: Gateway,
        share: LineShare,
        underlying: UnderlyingLine,
        *,
        so_far: BarsSoFar,
        settings: IbkrSettings,
        clock: Clock,
    ) -> None:
        self._gateway = gateway
        self._settings = settings
        self._clock = clock
        self._underlying = underlying
        self._lines = Lines(gateway, share, settings, clock)
        self._universe = Universe(gateway, underlying, self._lines, settings, clock)
        source = f"ibkr:{so_far.underlying}"
        contract = underlying.contract
        self._bars = (
            UnderlyingBars(gateway, share, contract, so_far=so_far, source=source, clock=clock)
            if settings.bars
            else None
        )
        self._messages = Messages(gateway, underlying, self._lines, self._bars, settings)
        self._pulse = Pulse(gateway, settings.timeout_s, clock)
        self._chains = ChangedChains(so_far.underlying, source, settings.delayed_by_s)
        self._began = self._due = clock.monotonic()
        self._whole = False
        self._restoring_since: float | None = None

    async def begin(self) -> list[Heard]:
        """List the options around where the underlying is, and what of them could not be had.

        Raises SourceFault.
        """
        until = self._clock.monotonic() + min(_SPOT_WITHIN_S, self._settings.complete_within_s)
        while not math.isfinite(self._underlying.near) and self._clock.monotonic() < until:
            self._messages.take(await self._gateway.wait(_TURN_S))
        if (lost := self._messages.connectivity.lost) is not None:
            raise SourceFault(lost.reason, lost.detail)
        missed = incomplete(await self._universe.list())
        if self._bars is not None:
            self._bars.begin()
        self._began = self._due = self._clock.monotonic()
        return [missed] if missed else []

    async def step(self) -> list[Heard]:
        """What is to be told: at once where something happened, else at the end of the interval.

        Raises SourceFault.
        """
        while (left := self._due - self._clock.monotonic()) > 0:
            self._lines.turn()
            if self._bars is not None:
                self._bars.turn()
            self._messages.take(await self._gateway.wait(min(left, _TURN_S)))
            if told := self._follow_connectivity():
                return told
        self._due = max(self._due + self._settings.interval_s, self._clock.monotonic())
        word = self._pulse.beat()
        told = [*self._follow_connectivity(), *self._messages.missed()]
        if self._messages.told is not None and word:
            told.append(self._messages.told)
        if self._messages.connectivity.quotes_stalled or self._restoring_since is not None:
            return told
        if (missed := await self._universe.keep()) is not None:
            told.append(missed)
        if (chain := self._chain()) is not None:
            return [*told, ChainSeen(chain), *self._seen_bars()]
        return [*told, *self._seen_bars(), *(await self._nothing_new() if word else ())]

    async def close(self) -> None:
        """End what goes on beside the steps."""
        if self._bars is not None:
            await self._bars.close()

    def _follow_connectivity(self) -> list[Heard]:
        """Tell what is away, and see to it that what is back is whole before it is told so."""
        connectivity, now = self._messages.connectivity, self._clock.monotonic()
        if (stalled := self._messages.news_of_stall()) is not None:
            return [stalled]
        if connectivity.quotes_stalled:
            self._restoring_since = None
            return []
        if connectivity.restart or connectivity.verify:
            if connectivity.restart:
                self._gateway.use(self._messages.market_data_type)
                self._lines.restart()
            else:
                self._lines.verify()
            self._underlying.renew()
            self._restoring_since = now
        if self._bars is not None and connectivity.bars_missed:
            # Subscriptions to bars do not say that they were kept.
            self._bars.renew()
        connectivity.done()
        if self._restoring_since is not None:
            waited = now - self._restoring_since
            if not self._lines.settled and waited < self._settings.complete_within_s:
                return []
            self._restoring_since = None
        if self._messages.told is not None and connectivity.stalled is None:
            self._messages.told = None
            self._chains.forget()
            return [Restored(f"{self._lines.count} subscriptions were made again or verified")]
        return []

    def _chain(self) -> chain_pb2.OptionChain | None:
        """The chain as it is now, if it is another than the last, and the lines had time to answer."""
        waited = self._clock.monotonic() - self._began
        self._whole = self._whole or self._lines.settled or waited >= self._settings.complete_within_s
        if not self._whole:
            return None
        return self._chains.changed(self._lines.known(), self._underlying.quote, self._gateway.ticked_ns)

    def _seen_bars(self) -> Sequence[Heard]:
        """Bars, once there was a chain: before, they would make a feed live that has no quotes."""
        if self._bars is None or not self._chains.any:
            return ()
        delayed = self._messages.delayed
        return self._bars.seen(common_pb2.PROVENANCE_DELAYED if delayed else common_pb2.PROVENANCE_LIVE)

    async def _nothing_new(self) -> list[Heard]:
        """The venue is there. If the market is closed, that is why it has nothing new."""
        now_ns = self._clock.time_ns()
        hours = MarketHours(self._settings.delayed_by_s if self._messages.delayed else 0.0)
        opens_ns = await asyncio.to_thread(hours.opens_ns, now_ns)
        if opens_ns > now_ns and self._whole:
            opening = datetime.fromtimestamp(opens_ns // 10**9, tz=UTC)
            return [MarketClosed(opens_ns, f"the market is open again from {opening:%Y-%m-%d %H:%M} UTC")]
        # Before the first chain, an answer alone makes no feed live.
        return [Unchanged()] if self._chains.any else []
