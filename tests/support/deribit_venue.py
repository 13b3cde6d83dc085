"""Deribit on the loopback interface: its list of instruments, and its tickers by JSON-RPC over WebSocket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np
from aiohttp import web
from http_venue import HttpVenue
from waiting import until

from skewline.cyext import black

LIST = "api/v2/public/get_instruments?currency=BTC&kind=option&expired=false"
# Wednesday 2024-07-31, 16:00 UTC.
BEGIN_MS = 1_722_441_600_000
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_YEAR_MS = 365 * _DAY_MS
EXPIRIES = {
    "9AUG24": (BEGIN_MS + 9 * _DAY_MS - 8 * _HOUR_MS, 118_000.0),
    "30AUG24": (BEGIN_MS + 30 * _DAY_MS - 8 * _HOUR_MS, 118_600.0),
}
"""When each expires, and its future."""
STRIKES = tuple(range(90_000, 150_001, 5_000))
INDEX = 117_850.0


def vol(future: float, strike: float) -> float:
    """A smile."""
    moneyness = np.log(strike / future)
    return float(0.52 - 0.12 * moneyness + 0.6 * moneyness**2)


def options() -> dict[str, dict[str, Any]]:
    """The first ticker of each option, as the venue words it."""
    tickers = {}
    for date, (expires_ms, future) in EXPIRIES.items():
        for strike in STRIKES:
            for right in "CP":
                name = f"BTC-{date}-{strike}-{right}"
                tickers[name] = ticker(name, right == "C", strike, expires_ms, future, BEGIN_MS)
    return tickers


def ticker(
    name: str, is_call: bool, strike: float, expires_ms: int, future: float, now_ms: int
) -> dict[str, Any]:
    """One ticker; bid and ask are two ticks of 0.0001 coin around the mark."""
    years = (expires_ms - now_ms) / _YEAR_MS
    sigma = vol(future, strike)
    mark = float(black.price(is_call, future, strike, years, 1.0, sigma)) / future
    return {
        "timestamp": now_ms,
        "state": "open",
        "stats": {"high": None, "low": None, "price_change": None, "volume": 1.5, "volume_usd": 0.0},
        "greeks": {"delta": 0.0, "gamma": 0.0, "vega": 0.0, "theta": 0.0, "rho": 0.0},
        "index_price": INDEX,
        "instrument_name": name,
        "last_price": None,
        "settlement_price": None,
        "min_price": 0.0001,
        "max_price": 1.0,
        "open_interest": 22.1,
        "mark_price": round(mark, 6),
        "interest_rate": 0.0,
        "estimated_delivery_price": INDEX,
        "best_ask_price": round(mark + 0.0002, 4),
        "best_bid_price": max(round(mark - 0.0002, 4), 0.0),
        "mark_iv": round(100 * sigma, 2),
        "bid_iv": 0.0,
        "ask_iv": 0.0,
        "underlying_price": future,
        "underlying_index": f"BTC-{name.split('-')[1]}",
        "best_ask_amount": 27.9,
        "best_bid_amount": 12.0,
    }


def instrument(name: str) -> dict[str, Any]:
    """An entry of the list of instruments."""
    _, date, strike, right = name.split("-")
    return {
        "price_index": "btc_usd",
        "kind": "option",
        "instrument_name": name,
        "option_type": "call" if right == "C" else "put",
        "strike": float(strike),
        "instrument_type": "reversed",
        "expiration_timestamp": EXPIRIES[date][0],
        "is_active": True,
        "tick_size": 0.0001,
        "contract_size": 1.0,
        "settlement_currency": "BTC",
        "base_currency": "BTC",
        "quote_currency": "BTC",
    }


class DeribitVenue(HttpVenue):
    """Serves what is in `tickers`; a subscription begins with the ticker as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.tickers = options()
        self.relist(list(self.tickers))
        self.connections: list[web.WebSocketResponse] = []
        self.subscribed: dict[str, int] = {}
        self.heard: list[dict[str, Any]] = []
        self.refusals: list[dict[str, Any]] = []
        self.silent = False
        self.left_out: set[str] = set()

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/api/v2"

    def relist(self, names: Sequence[str]) -> None:
        """The instruments listed from now on."""
        self.files[LIST] = json.dumps({"jsonrpc": "2.0", "result": [instrument(n) for n in names]}).encode()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path != "/ws/api/v2":
            return await super().answer(request)
        connection = web.WebSocketResponse(timeout=0.1)
        await connection.prepare(request)
        self.connections.append(connection)
        try:
            async for message in connection:
                if message.type == aiohttp.WSMsgType.TEXT and not self.silent:
                    await self._on(connection, json.loads(message.data))
        finally:
            self.connections.remove(connection)
        return connection

    async def push(self, *names: str, **changed: Any) -> None:
        """New tickers of `names`, all that were subscribed to by default."""
        for name in names or list(self.tickers):
            self.tickers[name] = {**self.tickers[name], **changed}
            await self.say(self._news(name))

    async def say(self, message: dict[str, Any] | str) -> None:
        """A message to everybody, or half of one."""
        text = message if isinstance(message, str) else json.dumps(message)
        for connection in self.connections:
            await connection.send_str(text)

    async def hang_up(self) -> None:
        """End every connection without a word."""
        ended = list(self.connections)
        for connection in ended:
            transport = connection._req.transport if connection._req is not None else None
            if transport is not None:
                transport.abort()
        await self.left(ended)

    async def left(self, ended: Sequence[web.WebSocketResponse]) -> None:
        """Wait until these connections are no more, whoever has come back meanwhile."""
        await until(lambda: not any(each in self.connections for each in ended))

    async def close(self) -> None:
        await self.hang_up()
        await super().close()

    async def _on(self, connection: web.WebSocketResponse, message: dict[str, Any]) -> None:
        self.heard.append(message)
        if self.refusals:
            await connection.send_json({"jsonrpc": "2.0", "id": message["id"], "error": self.refusals.pop(0)})
            return
        if message["method"] != "public/subscribe":
            await connection.send_json({"jsonrpc": "2.0", "id": message["id"], "result": "ok"})
            return
        channels = [each for each in message["params"]["channels"] if each not in self.left_out]
        await connection.send_json({"jsonrpc": "2.0", "id": message["id"], "result": channels})
        for channel in channels:
            name = channel.split(".")[1]
            if name in self.tickers:
                self.subscribed[name] = self.subscribed.get(name, 0) + 1
                await connection.send_json(self._news(name))

    def _news(self, name: str) -> dict[str, Any]:
        params = {"channel": f"ticker.{name}.100ms", "data": self.tickers[name]}
        return {"jsonrpc": "2.0", "method": "subscription", "params": params}


@asynccontextmanager
async def deribit_venue() -> AsyncIterator[DeribitVenue]:
    """The venue, listening."""
    venue = DeribitVenue()
    await venue.open()
    try:
        yield venue
    finally:
        await venue.close()
