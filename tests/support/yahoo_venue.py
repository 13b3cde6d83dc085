"""Yahoo on the loopback interface: a cookie, a crumb that goes with it, and chains expiry by expiry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from http_venue import Fault, HttpVenue

from skewline.servers.runtime.instruments import contract_ids
from skewline.v1 import chain_pb2

OPTIONS = "/v7/finance/options/"
CHART = "/v8/finance/chart/"
_CRUMB = "4lV7.crumb"
_CONSENT = '<html><form><input name="csrfToken" value="c"/><input name="sessionId" value="s"/></form></html>'


def expiry_seconds(chain: chain_pb2.OptionChain) -> list[int]:
    """How the venue names the expiries: midnight UTC of their dates."""
    days = sorted({each.expiry_date for each in chain.expiries})
    return [int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) for day in days]


def option_answers(
    chain: chain_pb2.OptionChain, symbol: str = "", *, delay_s: int = 900
) -> dict[int, dict[str, Any]]:
    """The answer of each expiry, by its date in seconds, as the venue words it; 0 is that without a date."""
    named = symbol or chain.underlying
    listed = expiry_seconds(chain)
    answers = {}
    for second in listed:
        day = f"{datetime.fromtimestamp(second, tz=UTC):%Y-%m-%d}"
        calls: list[dict[str, Any]] = []
        puts: list[dict[str, Any]] = []
        for at, name in enumerate(contract_ids(chain)):
            if chain.expiries[chain.expiry_index[at]].expiry_date == day:
                (calls if chain.is_call[at] else puts).append(_row(chain, at, name.replace(" ", ""), second))
        answers[second] = {
            "underlyingSymbol": named,
            "expirationDates": listed,
            "strikes": sorted(set(chain.strike)),
            "hasMiniOptions": False,
            "quote": {
                "language": "en-US",
                "quoteType": "EQUITY",
                "currency": chain.currency,
                "regularMarketPrice": chain.spot,
                "regularMarketTime": chain.time_ns // 10**9 + delay_s,
                "exchangeDataDelayedBy": 0,
                "marketState": "REGULAR",
                "symbol": named,
            },
            "options": [{"expirationDate": second, "hasMiniOptions": False, "calls": calls, "puts": puts}],
        }
    return {0: answers[listed[0]], **answers}


def chart(symbol: str, *days: tuple[datetime, float | None], splits: dict[str, Any] | None = None) -> Any:
    """A chart of days with their closes, as the venue words it; others are a step around them."""
    closes = [close for _, close in days]
    higher = [None if close is None else close + 1.0 for close in closes]
    lower = [None if close is None else close - 1.0 for close in closes]
    columns = {"open": closes, "high": higher, "low": lower, "close": closes}
    columns |= {"volume": [None if close is None else 700 for close in closes]}
    result = {
        "meta": {"currency": "USD", "symbol": symbol, "exchangeTimezoneName": "America/New_York"},
        "timestamp": [int(day.timestamp()) for day, _ in days],
        "events": {"splits": splits} if splits else {},
        "indicators": {"quote": [columns], "adjclose": [{"adjclose": closes}]},
    }
    return {"chart": {"result": [result], "error": None}}


def _row(chain: chain_pb2.OptionChain, at: int, name: str, expires_s: int) -> dict[str, Any]:
    row = {
        "contractSymbol": name,
        "strike": chain.strike[at],
        "currency": chain.currency,
        "lastPrice": chain.bid[at],
        "change": 0.0,
        "percentChange": 0.0,
        "openInterest": 120,
        "bid": chain.bid[at],
        "ask": chain.ask[at],
        "contractSize": "REGULAR",
        "expiration": expires_s,
        "lastTradeDate": chain.time_ns // 10**9 - 60,
        "impliedVolatility": 0.2543,
        "inTheMoney": False,
    }
    # What was not traded has no volume.
    return row if at % 2 else row | {"volume": 7}


class YahooVenue(HttpVenue):
    """Answers `answers`, by expiry; an expiry of `ailing` has its fault for as long as it is there."""

    def __init__(self, symbol: str) -> None:
        super().__init__()
        self.symbol = symbol
        self.answers: dict[int, dict[str, Any]] = {}
        self.ailing: dict[int, Fault] = {}
        self.charts: dict[str, Any] = {}
        self.crumb = _CRUMB
        self.paths: list[str] = []

    def show(self, chain: chain_pb2.OptionChain) -> None:
        """From now on, the market is so."""
        self.answers = option_answers(chain, self.symbol)

    @property
    def asked(self) -> list[int]:
        """The expiries asked for, in order."""
        return [int(each or 0) for each in self.requests]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        if request.path == "/v1/test/getcrumb":
            return web.Response(text=self.crumb if request.cookies.get("A3") else "")
        if request.path == "/consent":
            return web.Response(text=_CONSENT, content_type="text/html")
        if request.path.startswith(CHART):
            return web.json_response(self.charts)
        if not request.path.startswith(OPTIONS):
            # As fc.yahoo.com does it.
            response = web.Response(status=404)
            response.set_cookie("A3", "d=cookie", max_age=31_536_000)
            return response
        expiry_s = int(request.query.get("date", "0"))
        self.requests.append(str(expiry_s))
        if self.faults:
            return await self.faults.popleft()(request)
        if expiry_s in self.ailing:
            return await self.ailing[expiry_s](request)
        if request.query.get("crumb") != self.crumb:
            error = {"code": "Unauthorized", "description": "Invalid Crumb"}
            return web.json_response({"finance": {"result": None, "error": error}}, status=401)
        if request.path != f"{OPTIONS}{self.symbol}" or expiry_s not in self.answers:
            return web.json_response({"optionChain": {"result": [], "error": None}})
        return web.json_response({"optionChain": {"result": [self.answers[expiry_s]], "error": None}})


@asynccontextmanager
async def yahoo_venue(symbol: str) -> AsyncIterator[YahooVenue]:
    """The venue, listening."""
    venue = YahooVenue(symbol)
    await venue.open()
    try:
        yield venue
    finally:
        await venue.close()
