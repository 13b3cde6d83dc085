"""Alpaca's options: snapshots of all by HTTP, quotes of those nearest the money between them by WebSocket."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, date, datetime
from typing import Final

import aiohttp

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.live.alpaca_book import AlpacaBook
from skewline.servers.marketdata.live.alpaca_payload import Quote
from skewline.servers.marketdata.live.alpaca_rest import AlpacaRest
from skewline.servers.marketdata.live.alpaca_stream import AlpacaStream, Listener
from skewline.servers.marketdata.live.clock import Clock, sleep_until
from skewline.servers.marketdata.live.daily_bars import DailyBars, series_of
from skewline.servers.marketdata.live.hours import MarketHours
from skewline.servers.marketdata.live.source import (
    BarsSeen,
    ChainSeen,
    Heard,
    MarketClosed,
    Missed,
    Patience,
    SourceFault,
    Unchanged,
)
from skewline.servers.marketdata.live.told_once import ToldOnce
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import AlpacaSettings
from skewline.v1 import common_pb2

_SETTINGS: Final = "marketdata.live.alpaca"
_VARIABLE: Final = "SKEWLINE_MARKETDATA__LIVE__ALPACA"
# By how much the venue's clock may be ahead of ours.
_FAST_NS: Final = 300_000_000_000
_NANOS_A_SECOND: Final = 1_000_000_000
_REFUSED: Final = frozenset({"UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED"})


class AlpacaSource:
    """The options of `underlying`; `rest` and `stream` are shared by all feeds of the account."""

    def __init__(
        self, underlying: str, settings: AlpacaSettings, rest: AlpacaRest, stream: AlpacaStream, clock: Clock
    ) -> None:
        self.underlying = underlying
        live = settings.feed == "opra"
        self.provenance = common_pb2.PROVENANCE_LIVE if live else common_pb2.PROVENANCE_DELAYED
        self.patience = Patience(
            stale_after_s=settings.stale_after_s,
            reconnect_after_s=2 * settings.refresh_s + settings.interval_s + 2 * settings.timeout_s,
            # Quotes came and went unseen.
            gap_after_s=0.0,
        )
        # The venue writes share classes with a dot, which no name of a feed can have.
        self._symbol = underlying.replace("-", ".")
        self._settings = settings
        self._rest = rest
        self._stream = stream
        self._clock = clock
        self._hours = MarketHours(0.0)
        self._told = ToldOnce()
        self._bars = DailyBars(settings.bars_days, clock)
        self._spot = math.nan
        self._interest: Mapping[str, float] = {}
        self._interest_day: date | None = None
        self._time_ns = 0
        self._asked = False

    async def stream(self) -> AsyncGenerator[Heard, None]:
        """One connection: begun from a snapshot of all options, and held while the market is open."""
        if self._settings.key is None or self._settings.secret is None:
            fix = f"set {_SETTINGS}.key and {_SETTINGS}.secret, best in the environment, as {_VARIABLE}__KEY"
            raise SourceFault("CREDENTIALS_MISSING", f"Alpaca asks for a key: {fix}")
        async with self._rest.session() as session:
            while True:
                opens_ns = await self._opens_ns()
                if opens_ns > self._clock.time_ns() and self._asked:
                    opening = datetime.fromtimestamp(opens_ns // _NANOS_A_SECOND, tz=UTC)
                    yield MarketClosed(opens_ns, f"the market opens at {opening:%Y-%m-%d %H:%M} UTC")
                    await sleep_until(self._clock, opens_ns)
                    continue
                async with aclosing(self._session(session)) as heard:
                    async for item in heard:
                        yield item

    async def _session(self, session: aiohttp.ClientSession) -> AsyncGenerator[Heard, None]:
        """From a snapshot of all options until the market closes."""
        settings, book = self._settings, AlpacaBook(self.underlying)
        for item in (*await self._open_interest(session), *await self._refresh(session, book)):
            yield item
        self._asked = True
        for item in await self._bars_of_past_days(session):
            yield item
        if not await self._is_open():
            return
        async with self._listener(book) as listener:
            # At once again: what was quoted while it subscribed is in none of both.
            due = refresh_at = self._clock.monotonic()
            while await self._is_open():
                if self._clock.monotonic() >= refresh_at:
                    refresh_at = self._clock.monotonic() + settings.refresh_s
                    heard = await self._refresh(session, book)
                else:
                    heard = await self._updates(session, book, listener)
                for item in heard:
                    yield item
                due = max(due + settings.interval_s, self._clock.monotonic())
                await self._wait(listener, due - self._clock.monotonic())

    async def _refresh(self, session: aiohttp.ClientSession, book: AlpacaBook) -> list[Heard]:
        rows, unreadable = await self._rest.snapshots(session, self._symbol)
        if not rows and not unreadable:
            raise SourceFault("NO_INSTRUMENTS", f"the venue has no option of {self._symbol}")
        sound = {name: each for name, each in rows.items() if not self._is_future(each.quote)}
        unreadable += [f"{name} is quoted in the future" for name in rows if name not in sound]
        book.relist(sound)
        return [*self._told.missed(unreadable), *await self._chain(session, book, word=True)]

    async def _updates(
        self, session: aiohttp.ClientSession, book: AlpacaBook, listener: Listener | None
    ) -> list[Heard]:
        if listener is None:
            return []
        heard: list[Heard] = []
        words, listener.words = listener.words, 0
        quotes = listener.quotes()
        sound = {name: quote for name, quote in quotes.items() if not self._is_future(quote)}
        faults, listener.unreadable = listener.unreadable, []
        faults += [f"{name} is quoted in the future" for name in quotes if name not in sound]
        if faults:
            detail = f"{len(faults)} messages or parts of them cannot be read: {faults[0]}"
            heard.append(Missed("UNREADABLE", detail))
        book.take(sound)
        return heard + await self._chain(session, book, word=words > 0)

    async def _chain(self, session: aiohttp.ClientSession, book: AlpacaBook, *, word: bool) -> list[Heard]:
        if book.changed:
            if not contract_terms.is_index(self.underlying):
                self._spot = await self._rest.spot(session, self._symbol)
            source = f"alpaca:{self.underlying}"
            chain = book.chain(source, self.provenance, self._spot, self._interest, self._time_ns)
            if chain is not None:
                self._time_ns = chain.time_ns
                return [ChainSeen(chain)]
        return [Unchanged()] if word else []

    async def _open_interest(self, session: aiohttp.ClientSession) -> list[Heard]:
        """Ask for it once a day: it changes overnight."""
        today = new_york.date_of(self._clock.time_ns())
        if self._interest_day == today:
            return []
        try:
            self._interest, unreadable = await self._rest.open_interest(session, self._symbol)
        except SourceFault as fault:
            if fault.reason in _REFUSED:
                raise
            return [Missed("OPEN_INTEREST", f"there is none, or that of an earlier day: {fault}")]
        self._interest_day = today
        if not unreadable:
            return []
        return [Missed("OPEN_INTEREST", f"{len(unreadable)} contracts cannot be read: {unreadable[0]}")]

    async def _bars_of_past_days(self, session: aiohttp.ClientSession) -> list[Heard]:
        days = await asyncio.to_thread(self._bars.due)
        if days is None or contract_terms.is_index(self.underlying):
            return []
        try:
            bars, unreadable = await self._rest.bars(session, self._symbol, days)
        except SourceFault as fault:
            if fault.reason == "RATE_LIMITED":
                raise
            self._bars.failed()
            return [Missed("BARS", f"bars of past days are not to be had now: {fault}")]
        self._bars.had(days)
        heard: list[Heard] = []
        if unreadable:
            heard.append(Missed("BARS", f"{len(unreadable)} bars cannot be read: {unreadable[0]}"))
        series = series_of(bars, days, self.underlying, f"alpaca:{self.underlying}")
        return [*heard, BarsSeen(series)] if series.bars else heard

    @asynccontextmanager
    async def _listener(self, book: AlpacaBook) -> AsyncIterator[Listener | None]:
        symbols = book.nearest(self._settings.stream_contracts, self._spot, self._clock.time_ns())
        if not symbols:
            yield None
            return
        async with self._stream.listener(symbols) as listener:
            yield listener

    async def _wait(self, listener: Listener | None, seconds: float) -> None:
        if listener is None:
            await self._clock.sleep(seconds)
        else:
            await listener.listen(seconds)

    def _is_future(self, quote: Quote) -> bool:
        # Taken in, it would make everything until then late.
        return quote.time_ns > self._clock.time_ns() + _FAST_NS

    async def _opens_ns(self) -> int:
        # The calendar may have to be loaded, which takes seconds.
        return await asyncio.to_thread(self._hours.opens_ns, self._clock.time_ns())

    async def _is_open(self) -> bool:
        return await self._opens_ns() <= self._clock.time_ns()
