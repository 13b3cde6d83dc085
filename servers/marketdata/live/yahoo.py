"""Yahoo's delayed option chains as a polled source, by the library yfinance."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import time
from typing import TYPE_CHECKING, Final

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.live.blocking import Blocking, blocking
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.daily_bars import DailyBars, DayBar, Days, series_of
from skewline.servers.marketdata.live.hours import MarketHours
from skewline.servers.marketdata.live.polling import PolledSource
from skewline.servers.marketdata.live.rate_limit import RateLimit
from skewline.servers.marketdata.live.source import (
    BarsSeen,
    ChainSeen,
    Heard,
    LiveSource,
    Missed,
    SourceFault,
)
from skewline.servers.marketdata.live.told_once import ToldOnce
from skewline.servers.marketdata.live.yahoo_bars import read_chart
from skewline.servers.marketdata.live.yahoo_chain import chain_of
from skewline.servers.marketdata.live.yahoo_payload import Answer, read_answer
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import YahooSettings
from skewline.v1 import common_pb2

if TYPE_CHECKING:
    from skewline.servers.marketdata.live.yahoo_library import YahooLibrary

# By how much the venue's clock may be ahead of ours.
_FAST_S: Final = 300
_NANOS_A_SECOND: Final = 1_000_000_000
# What may ail one expiry; the others end the connection.
_OF_ONE_EXPIRY: Final = frozenset({"HTTP_STATUS", "UNREADABLE", "TIMEOUT", "CONNECTION_LOST"})


class Yahoo:
    """The venue: one session of the library, and one rate limit, for all feeds."""

    def __init__(self, settings: YahooSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._limit = RateLimit(settings.requests_per_s, clock)
        self._loading = threading.Lock()
        self._library: YahooLibrary | None = None

    async def ask(self, thread: Blocking, symbol: str, expiry_s: int = 0) -> Answer:
        """The options of `symbol` that expire at `expiry_s`, or, if that is 0, next. Raises SourceFault."""
        await self._limit.turn()
        query = {"date": str(expiry_s)} if expiry_s else {}
        timeout_s = self._settings.timeout_s

        def answer() -> Answer:
            body = self._loaded().get(f"v7/finance/options/{symbol}", query, timeout_s)
            return read_answer(body, symbol)

        return await thread.run(answer)

    async def bars(self, thread: Blocking, symbol: str, days: Days) -> list[DayBar]:
        """The bars of `days`, and of those since. Raises SourceFault."""
        await self._limit.turn()
        query = {
            "period1": str(new_york.instant_ns(days.first, time()) // _NANOS_A_SECOND),
            # All splits since count, for they are in the prices.
            "period2": str(self._clock.time_ns() // _NANOS_A_SECOND),
            "interval": "1d",
            "events": "div,splits",
        }
        timeout_s = self._settings.timeout_s

        def answer() -> list[DayBar]:
            return read_chart(self._loaded().get(f"v8/finance/chart/{symbol}", query, timeout_s), symbol)

        return await thread.run(answer)

    def _loaded(self) -> YahooLibrary:
        with self._loading:
            if self._library is None:
                self._library = _load()(self._settings.url)
            return self._library


class YahooExpiries:
    """One underlying's chain, asked for expiry by expiry."""

    def __init__(self, underlying: str, settings: YahooSettings, venue: Yahoo, clock: Clock) -> None:
        self._underlying = underlying
        self._symbol = f"^{underlying}" if contract_terms.is_index(underlying) else underlying
        self._settings = settings
        self._venue = venue
        self._clock = clock
        self._time_ns = 0
        self._told = ToldOnce()
        self._bars = DailyBars(settings.bars_days, clock)

    def session(self) -> AbstractAsyncContextManager[Blocking]:
        """The thread of one stream."""
        return blocking(f"yahoo:{self._underlying}")

    async def poll(self, session: Blocking) -> Sequence[Heard]:
        """The chain, if it is a newer one than the last and whole. Raises SourceFault."""
        within_s = self._settings.chain_within_s
        try:
            async with asyncio.timeout(within_s):
                answers, missing = await self._answers(session)
        except TimeoutError as error:
            raise SourceFault("TIMEOUT", f"the expiries took more than {within_s:g} s") from error
        if missing:
            return (_incomplete(missing), *await self._bars_of_past_days(session))
        newest_s = max(answer.spot.time_s for answer in answers)
        if newest_s > self._clock.time_ns() // _NANOS_A_SECOND + _FAST_S:
            # Taken in, it would make everything until then late.
            raise SourceFault("UNREADABLE", "the underlying's price is of the future")
        source = f"yahoo:{self._underlying}"
        chain = await asyncio.to_thread(chain_of, answers, self._underlying, source, self._settings.delay_s)
        if not chain.strike:
            raise SourceFault("NO_INSTRUMENTS", f"the venue has no option of {self._symbol}")
        heard: list[Heard] = [*self._told.missed([each for answer in answers for each in answer.unreadable])]
        if chain.time_ns > self._time_ns:
            self._time_ns = chain.time_ns
            heard.append(ChainSeen(chain))
        return [*heard, *await self._bars_of_past_days(session)]

    async def _bars_of_past_days(self, session: Blocking) -> list[Heard]:
        days = await asyncio.to_thread(self._bars.due)
        if days is None:
            return []
        try:
            bars = await self._venue.bars(session, self._symbol, days)
        except SourceFault as fault:
            if fault.reason == "RATE_LIMITED":
                raise
            self._bars.failed()
            return [Missed("BARS", f"bars of past days are not to be had now: {fault}")]
        self._bars.had(days)
        series = series_of(bars, days, self._underlying, f"yahoo:{self._underlying}")
        return [BarsSeen(series)] if series.bars else []

    async def _answers(self, session: Blocking) -> tuple[list[Answer], dict[int, SourceFault]]:
        """Each expiry's answer, and the faults of those without one; each is asked for twice at most."""
        first = await self._venue.ask(session, self._symbol)
        answers = {first.expiry_s: first}
        faults: dict[int, SourceFault] = {}
        for _ in range(2):
            for expiry_s in first.expirations:
                if expiry_s not in answers:
                    try:
                        answers[expiry_s] = await self._of(session, expiry_s)
                    except SourceFault as fault:
                        if fault.reason not in _OF_ONE_EXPIRY:
                            raise
                        faults[expiry_s] = fault
        return list(answers.values()), {at: each for at, each in faults.items() if at not in answers}

    async def _of(self, session: Blocking, expiry_s: int) -> Answer:
        answer = await self._venue.ask(session, self._symbol, expiry_s)
        # What has just expired is answered without options.
        if answer.expiry_s not in (expiry_s, 0):
            raise SourceFault("UNREADABLE", f"the answer is of the expiry {answer.expiry_s}, not {expiry_s}")
        return answer


def yahoo_source(underlying: str, settings: YahooSettings, venue: Yahoo, clock: Clock) -> LiveSource:
    """The delayed chains of `underlying`; `venue` is shared by all that ask it."""
    return PolledSource(
        YahooExpiries(underlying, settings, venue, clock),
        underlying=underlying,
        provenance=common_pb2.PROVENANCE_DELAYED,
        hours=MarketHours(settings.delay_s),
        interval_s=settings.interval_s,
        stale_after_s=settings.stale_after_s,
        timeout_s=settings.chain_within_s,
        clock=clock,
    )


def _load() -> Callable[[str], YahooLibrary]:
    try:
        library = importlib.import_module("skewline.servers.marketdata.live.yahoo_library")
    except ImportError as error:
        detail = f"Yahoo's quotes need the library yfinance: pip install 'skewline[yahoo]' ({error})"
        raise SourceFault("LIBRARY_MISSING", detail) from error
    make: Callable[[str], YahooLibrary] = library.YahooLibrary
    return make


def _incomplete(missing: dict[int, SourceFault]) -> Missed:
    fault = next(iter(missing.values()))
    return Missed(
        "INCOMPLETE", f"no chain, {len(missing)} of its expiries have no answer, the first: {fault}"
    )
