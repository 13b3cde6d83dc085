"""Cboe's delayed quotes as a polled source."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import aiohttp

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.live.cboe_payload import read_quotes
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.hours import MarketHours
from skewline.servers.marketdata.live.http import Http
from skewline.servers.marketdata.live.polling import PolledSource
from skewline.servers.marketdata.live.source import ChainSeen, Heard, LiveSource, SourceFault
from skewline.servers.marketdata.live.told_once import ToldOnce
from skewline.servers.runtime.settings.live import CboeSettings
from skewline.v1 import common_pb2

# By how much the venue's clock may be ahead of ours.
_FAST_NS: Final = 300_000_000_000


class CboeFile:
    """One underlying's file, asked for with the tag of the last one: an unchanged one costs nothing."""

    def __init__(self, underlying: str, settings: CboeSettings, http: Http, clock: Clock) -> None:
        self._symbol = f"_{underlying}" if contract_terms.is_index(underlying) else underlying
        self._source = f"cboe:{underlying}"
        self._settings = settings
        self._http = http
        self._clock = clock
        self._told = ToldOnce()
        self._etag = ""
        self._made_ns = self._time_ns = 0

    def session(self) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
        """The connections of one stream."""
        return self._http.session()

    async def poll(self, session: aiohttp.ClientSession) -> Sequence[Heard]:
        """The chain, if the file is a newer one than the last. Raises SourceFault."""
        answer = await self._http.get(session, f"{self._symbol}.json", self._etag)
        if answer is None:
            return ()
        # Ten megabytes of JSON would hold up everything else.
        quotes = await asyncio.to_thread(
            read_quotes, answer.body, self._symbol, self._source, self._settings.delay_s
        )
        if quotes.made_ns > self._clock.time_ns() + _FAST_NS:
            # Taken in, it would make everything until then late.
            raise SourceFault("UNREADABLE", "the file of delayed quotes says that it was made in the future")
        self._etag = answer.etag
        # After hours files are still made, of the same quotes; and a cache may go back to an older one.
        if quotes.made_ns <= self._made_ns or quotes.chain.time_ns <= self._time_ns:
            return ()
        self._made_ns, self._time_ns = quotes.made_ns, quotes.chain.time_ns
        return [*self._told.missed(quotes.unreadable), ChainSeen(quotes.chain)]


def cboe_source(underlying: str, settings: CboeSettings, http: Http, clock: Clock) -> LiveSource:
    """The delayed chains of `underlying`; `http` is shared by all that ask the venue."""
    return PolledSource(
        CboeFile(underlying, settings, http, clock),
        underlying=underlying,
        provenance=common_pb2.PROVENANCE_DELAYED,
        hours=MarketHours(settings.delay_s),
        interval_s=settings.interval_s,
        stale_after_s=settings.stale_after_s,
        timeout_s=settings.timeout_s,
        clock=clock,
    )
