"""Questions to Alpaca by HTTP: what comes in pages is put together, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote

import aiohttp

from skewline.servers.marketdata.live.alpaca_payload import (
    Page,
    Snapshot,
    read_bars,
    read_contracts,
    read_snapshots,
    read_spot,
)
from skewline.servers.marketdata.live.clock import Clock
from skewline.servers.marketdata.live.daily_bars import DayBar, Days
from skewline.servers.marketdata.live.http import Http
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import AlpacaSettings

T = TypeVar("T")

_SETTINGS: Final = "marketdata.live.alpaca"
_NANOS_A_SECOND: Final = 1_000_000_000
_MOST_PAGES: Final = 100
# Without a last expiry only those that expire within the week are listed.
_ALL_ACTIVE: Final = "status=active&expiration_date_lte=2199-12-31&limit=10000"
_DATA_ADVICE: Final = {
    401: f"set {_SETTINGS}.key and {_SETTINGS}.secret to a key that is valid",
    403: f"see that the key is valid, and that the plan has what {_SETTINGS}.feed and .stock_feed ask for",
    429: f"lower {_SETTINGS}.requests_per_s, or give {_SETTINGS}.interval_s more time",
}
_LIST_ADVICE: Final = dict.fromkeys(
    (401, 403), f"see that {_SETTINGS}.trading_url goes with the key: paper trading has keys of its own"
)


class AlpacaRest:
    """The venue's HTTP side, with one rate limit for all feeds."""

    def __init__(self, settings: AlpacaSettings, clock: Clock) -> None:
        self._settings = settings
        headers = {}
        if settings.key is not None and settings.secret is not None:
            headers["APCA-API-KEY-ID"] = settings.key.get_secret_value()
            headers["APCA-API-SECRET-KEY"] = settings.secret.get_secret_value()

        def http(url: str, advice: Mapping[int, str]) -> Http:
            return Http(
                url,
                requests_per_s=settings.requests_per_s,
                timeout_s=settings.timeout_s,
                clock=clock,
                headers=headers,
                advice=advice,
            )

        self._data = http(settings.url, _DATA_ADVICE)
        self._trading = http(settings.trading_url, _LIST_ADVICE)

    def session(self) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
        """The connections of one stream."""
        return self._data.session()

    async def snapshots(
        self, session: aiohttp.ClientSession, underlying: str
    ) -> tuple[Mapping[str, Snapshot], list[str]]:
        """All options of `underlying`, and what cannot be read. Raises SourceFault."""
        path = f"v1beta1/options/snapshots/{underlying}?feed={self._settings.feed}&limit=1000"
        return await _all(session, self._data, path, read_snapshots)

    async def open_interest(
        self, session: aiohttp.ClientSession, underlying: str
    ) -> tuple[Mapping[str, float], list[str]]:
        """Open interest by option, and what cannot be read. Raises SourceFault."""
        path = f"v2/options/contracts?underlying_symbols={underlying}&{_ALL_ACTIVE}"
        return await _all(session, self._trading, path, read_contracts)

    async def spot(self, session: aiohttp.ClientSession, underlying: str) -> float:
        """The price of a share or fund, NaN if there is none. Raises SourceFault."""
        path = f"v2/stocks/{underlying}/snapshot?feed={self._settings.stock_feed}"
        return read_spot(await _body(session, self._data, path))

    async def bars(
        self, session: aiohttp.ClientSession, underlying: str, days: Days
    ) -> tuple[list[DayBar], list[str]]:
        """Bars of days, of all exchanges, and what cannot be read. Raises SourceFault."""
        # What is older than a quarter of an hour is free.
        closed = datetime.fromtimestamp(
            new_york.instant_ns(days.last, new_york.close_of(days.last)) // _NANOS_A_SECOND, tz=UTC
        )
        query = f"timeframe=1Day&adjustment=raw&feed=sip&start={days.first}&end={closed:%Y-%m-%dT%H:%M:%SZ}"
        path = f"v2/stocks/{underlying}/bars?{query}&limit=10000"
        rows, unreadable = await _all(session, self._data, path, read_bars)
        return list(rows.values()), unreadable


async def _all(
    session: aiohttp.ClientSession, http: Http, path: str, read: Callable[[bytes], Page[T]]
) -> tuple[Mapping[str, T], list[str]]:
    rows: dict[str, T] = {}
    unreadable: list[str] = []
    tokens = {""}
    token = ""
    while True:
        body = await _body(session, http, f"{path}&page_token={quote(token, safe='')}" if token else path)
        page = await asyncio.to_thread(read, body)
        rows.update(page.rows)
        unreadable += page.unreadable
        token = page.next_token
        if not token:
            return rows, unreadable
        if token in tokens or len(tokens) >= _MOST_PAGES:
            raise SourceFault("UNREADABLE", f"the pages of {path} do not end")
        tokens.add(token)


async def _body(session: aiohttp.ClientSession, http: Http, path: str) -> bytes:
    answer = await http.get(session, path)
    assert answer is not None  # no tag was given
    return answer.body
