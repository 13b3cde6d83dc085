"""Alpaca on the loopback interface: snapshots, contracts and prices by HTTP, option quotes by WebSocket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgpack
from aiohttp import web
from http_venue import HttpVenue
from waiting import until

from skewline.servers.runtime.instruments import contract_ids
from skewline.v1 import chain_pb2

KEY, SECRET = "PKTEST", "hush"
_SECOND = 10**9


def rfc3339(time_ns: int) -> str:
    """A time with nine decimals, as the venue writes it."""
    whole = datetime.fromtimestamp(time_ns // _SECOND, tz=UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time_ns % _SECOND:09d}Z"


def snapshot(bid: float, ask: float, time_ns: int) -> dict[str, Any]:
    """What the venue has of an option."""
    at = rfc3339(time_ns)
    bar = {"c": bid, "h": ask, "l": bid, "n": 3, "o": bid, "t": at[:11] + "04:00:00Z", "v": 21, "vw": bid}
    return {
        "dailyBar": bar,
        "greeks": {"delta": 0.5, "gamma": 0.01, "rho": 0.1, "theta": -0.1, "vega": 0.2},
        "impliedVolatility": 0.2345,
        "latestQuote": {"ap": ask, "as": 12, "ax": "C", "bp": bid, "bs": 7, "bx": "C", "c": "A", "t": at},
        "latestTrade": {"c": "I", "p": bid, "s": 1, "t": at, "x": "N"},
    }


class AlpacaVenue(HttpVenue):
    """Shows `snapshots` to those who have the key; a fault of HttpVenue's list is for snapshots only."""

    def __init__(self, chain: chain_pb2.OptionChain) -> None:
        super().__init__()
        self.names = [name.replace(" ", "") for name in contract_ids(chain)]
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.open_interest: dict[str, str | None] = dict.fromkeys(self.names, "237")
        self.page = 5
        self.spot: dict[str, Any] = {}
        self.answers: dict[str, web.Response] = {}
        """In place of what is at a path."""
        self.subscribed: set[str] = set()
        self.heard: list[dict[str, Any]] = []
        self.connections: list[web.WebSocketResponse] = []
        self.refusals: deque[tuple[int, str]] = deque()
        """Errors in answer to what is said next: the connection, the key, a subscription."""
        self.most_symbols = 1000
        self.left_out: set[str] = set()
        self.mute = False
        self.deaf = False
        """It answers no ping."""
        self.show(chain)

    def show(self, chain: chain_pb2.OptionChain) -> None:
        """From now on, the market is so."""
        self.snapshots = {
            name: snapshot(chain.bid[at], chain.ask[at], chain.time_ns) for at, name in enumerate(self.names)
        }
        self.spot = {
            "symbol": chain.underlying,
            "latestQuote": {"ap": chain.spot + 0.01, "bp": chain.spot - 0.01, "t": rfc3339(chain.time_ns)},
            "latestTrade": {"p": chain.spot + 5.0, "t": rfc3339(chain.time_ns)},
        }

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/v1beta1"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/v1beta1/") and "options" not in request.path:
            return await self._stream(request)
        self.requests.append(request.path_qs)
        if request.headers.get("APCA-API-KEY-ID") != KEY or request.headers["APCA-API-SECRET-KEY"] != SECRET:
            return web.json_response({"message": "forbidden."}, status=403)
        if request.path in self.answers:
            return self.answers.pop(request.path)
        token = int(request.query.get("page_token", "0"))
        if request.path.startswith("/v1beta1/options/snapshots/"):
            if self.faults:
                return await self.faults.popleft()(request)
            rows = list(self.snapshots.items())
            return web.json_response(self._page(token, len(rows), snapshots=dict(rows[token:][: self.page])))
        if request.path == "/v2/options/contracts":
            contracts = [_contract(name, interest) for name, interest in self.open_interest.items()]
            part = contracts[token : token + self.page]
            return web.json_response(self._page(token, len(contracts), option_contracts=part))
        if request.path.startswith("/v2/stocks/"):
            return web.json_response(self.spot)
        return web.json_response({"message": "endpoint not found."}, status=404)

    def _page(self, token: int, count: int, **rows: Any) -> dict[str, Any]:
        following = token + self.page
        return {**rows, "next_page_token": str(following) if following < count else None}

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        connection = web.WebSocketResponse(timeout=0.1, autoping=not self.deaf)
        await connection.prepare(request)
        if self.connections:
            await _say(connection, {"T": "error", "code": 406, "msg": "connection limit exceeded"})
            return connection
        self.connections.append(connection)
        try:
            if await self._refused(connection):
                return connection
            await _say(connection, {"T": "success", "msg": "connected"})
            async for message in connection:
                if message.type == aiohttp.WSMsgType.BINARY and not self.mute:
                    await self._on(connection, msgpack.unpackb(message.data))
        finally:
            self.connections.remove(connection)
            self.subscribed.clear()
        return connection

    async def _on(self, connection: web.WebSocketResponse, said: dict[str, Any]) -> None:
        self.heard.append(said)
        if await self._refused(connection):
            return
        if said["action"] == "auth":
            if (said["key"], said["secret"]) != (KEY, SECRET):
                await _say(connection, {"T": "error", "code": 402, "msg": "auth failed"})
            else:
                await _say(connection, {"T": "success", "msg": "authenticated"})
            return
        symbols = set(said["quotes"]) - self.left_out
        wanted = self.subscribed | symbols if said["action"] == "subscribe" else self.subscribed - symbols
        if len(wanted) > self.most_symbols:
            await _say(connection, {"T": "error", "code": 405, "msg": "symbol limit exceeded"})
            return
        self.subscribed = wanted
        await _say(connection, {"T": "subscription", "trades": [], "quotes": sorted(wanted)})

    async def _refused(self, connection: web.WebSocketResponse) -> bool:
        if not self.refusals:
            return False
        code, message = self.refusals.popleft()
        if code:
            await _say(connection, {"T": "error", "code": code, "msg": message})
        return bool(code)

    async def push(self, name: str, bid: float, ask: float, time_ns: int) -> None:
        """A new quote, which the next snapshot has too if it is the newest."""
        latest = self.snapshots[name]["latestQuote"]
        if rfc3339(time_ns) > latest["t"]:
            latest |= {"bp": bid, "ap": ask, "bs": 3, "as": 4, "t": rfc3339(time_ns)}
        await self.say(quote(name, bid, ask, time_ns))

    async def say(self, *rows: Any) -> None:
        """One message to everybody."""
        await self.say_bytes(msgpack.packb(list(rows)))

    async def say_bytes(self, data: bytes) -> None:
        """Anything to everybody."""
        for connection in self.connections:
            await connection.send_bytes(data)

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

    async def listens(self, *names: str) -> None:
        """Wait until these are subscribed to."""
        await until(lambda: self.subscribed >= set(names or self.names))

    async def close(self) -> None:
        await self.hang_up()
        await super().close()


def quote(name: str, bid: float, ask: float, time_ns: int) -> dict[str, Any]:
    """A quote as the stream words it."""
    at = msgpack.Timestamp(time_ns // _SECOND, time_ns % _SECOND)
    return {
        "T": "q",
        "S": name,
        "t": at,
        "bx": "C",
        "bp": bid,
        "bs": 3,
        "ax": "C",
        "ap": ask,
        "as": 4,
        "c": "A",
    }


def names_of(asked: Sequence[dict[str, Any]], action: str) -> list[str]:
    """The symbols of all messages of one action."""
    return [name for each in asked if each["action"] == action for name in each["quotes"]]


def _contract(name: str, interest: str | None) -> dict[str, Any]:
    return {
        "symbol": name,
        "status": "active",
        "tradable": True,
        "style": "american",
        "multiplier": "100",
        "size": "100",
        "open_interest": interest,
        "open_interest_date": "2019-05-23",
    }


async def _say(connection: web.WebSocketResponse, row: dict[str, Any]) -> None:
    await connection.send_bytes(msgpack.packb([row]))


@asynccontextmanager
async def alpaca_venue(chain: chain_pb2.OptionChain) -> AsyncIterator[AlpacaVenue]:
    """The venue, listening."""
    venue = AlpacaVenue(chain)
    await venue.open()
    try:
        yield venue
    finally:
        await venue.close()
        await asyncio.sleep(0)
