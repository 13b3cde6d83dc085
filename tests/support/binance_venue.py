"""Binance on the loopback interface: plays recorded minutes of BTCUSDT by its REST and stream protocols.

The futures' trades are recorded one by one; the venue streams and lists them joined as `aggTrade`s.
"""

from __future__ import annotations

import bisect
import gzip
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from http_venue import HttpVenue
from recorded_depth import covers
from waiting import until

from skewline.cyext.book import OrderBook
from skewline.servers.runtime.settings.live import BinanceFuturesSettings, BinanceSettings

Message = dict[str, Any]
Best = tuple[float, float, float, float]

_NAMES = {"depth": "btcusdt@depth@100ms", "bookTicker": "btcusdt@bookTicker"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the recording: its kind ("depth", "bookTicker", "trade"), and its content."""

    kind: str
    data: Message


@dataclass(frozen=True, slots=True)
class Minutes:
    """A recording in its order, the snapshot that belongs to its beginning, and all its trades."""

    market: str
    snapshot: Message
    sent: Sequence[Sent]
    tops: Sequence[Message]
    trades: Sequence[Message]

    def best_at(self, update_id: int) -> Best:
        """Best bid, its quantity, best ask, its quantity, as recorded for a book that stands there."""
        index = bisect.bisect_right(self.tops, update_id, key=lambda top: int(top["u"])) - 1
        top = self.tops[index]
        return float(top["b"]), float(top["B"]), float(top["a"]), float(top["A"])


@cache
def minutes(market_data: Path, market: str) -> Minutes:
    """`market` is "spot" or "usdm", the perpetual."""
    snapshot: Message = {}
    sent: list[Sent] = []
    trades: list[Message] = []
    with gzip.open(market_data / "order-book" / f"{market}_btcusdt_20240808.gz", "rt") as lines:
        for line in lines:
            message = json.loads(line.partition(" ")[2])
            if "stream" not in message:
                snapshot = message
                continue
            kind = message["stream"].split("@")[1]
            sent.append(Sent(kind, message["data"]))
            if kind == "trade":
                trades.append(message["data"])
    if market == "usdm":
        trades = _numbered(list(_joined(trades)))
        # The last of each aggregate is where it is told.
        by_last = {each["l"]: each for each in trades}
        sent = [
            Sent("trade", by_last[each.data["t"]]) if each.kind == "trade" else each
            for each in sent
            if each.kind != "trade" or each.data["t"] in by_last
        ]
    tops = [each.data for each in sent if each.kind == "bookTicker"]
    return Minutes(market, snapshot, sent, tops, trades)


def _joined(trades: Sequence[Message]) -> Iterator[Message]:
    aggregate: Message = {}
    for trade in trades:
        same = bool(aggregate) and all(aggregate[name] == trade[name] for name in "pTm")
        if not same:
            if aggregate:
                yield aggregate
            aggregate = {"e": "aggTrade", "E": trade["E"], "s": trade["s"], "q": "0"}
            aggregate |= {name: trade[name] for name in "pTm"} | {"f": trade["t"]}
        aggregate["l"] = trade["t"]
        aggregate["q"] = f"{float(aggregate['q']) + float(trade['q']):.3f}"
    yield aggregate


def _numbered(trades: Sequence[Message]) -> list[Message]:
    return [{**each, "a": 900_000 + index} for index, each in enumerate(trades)]


class BinanceVenue(HttpVenue):
    """Tells what `play` plays to who asked for it, and answers questions from what it has played."""

    def __init__(self, recorded: Minutes) -> None:
        super().__init__()
        self.recorded = recorded
        self.is_spot = recorded.market == "spot"
        self.connections: dict[web.WebSocketResponse, set[str]] = {}
        self.opened = 0
        self.pongs = 0
        self.traded: list[Message] = []
        self.snapshots: deque[Message] = deque()
        """Snapshots to answer with instead of the book as it stands."""
        self._book = OrderBook(price_decimals=2, quantity_decimals=8)
        first = recorded.snapshot
        self._book.snapshot(first["lastUpdateId"], first["bids"], first["asks"])
        self._at = 0

    @property
    def settings(self) -> BinanceSettings:
        """Those of a feed that asks here, in a hurry."""
        kind = BinanceSettings if self.is_spot else BinanceFuturesSettings
        ws = f"ws://127.0.0.1:{self.port}"
        return kind(
            url=f"{self.url}/{'api/v3' if self.is_spot else 'fapi/v1'}",
            ws_url=f"{ws}/stream" if self.is_spot else f"{ws}/public/stream",
            trades_ws_url=f"{ws}/stream" if self.is_spot else f"{ws}/market/stream",
            interval_s=0.01,
            requests_per_s=1000.0,
            snapshot_levels=1000,
        )

    @property
    def update_id(self) -> int:
        """Where its book stands."""
        return self._book.update_id

    async def answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        if name == "stream":
            return await self._converse(request)
        self.requests.append(request.path_qs.lstrip("/"))
        if self.faults:
            return await self.faults.popleft()(request)
        if request.query.get("symbol") != "BTCUSDT":
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        if name == "depth":
            limit = int(request.query["limit"])
            return web.json_response(self.snapshots.popleft() if self.snapshots else self.snapshot(limit))
        if name == ("historicalTrades" if self.is_spot else "aggTrades"):
            return web.json_response(self._past(int(request.query["fromId"]), int(request.query["limit"])))
        return web.Response(status=404, text="no such path")

    def snapshot(self, limit: int) -> Message:
        """The book as it stands, as REST words it."""
        sides = {"bids": self._book.bids(limit), "asks": self._book.asks(limit)}
        levels = {
            name: [
                [f"{ticks // 100}.{ticks % 100:02}000000", f"{lots // 10**8}.{lots % 10**8:08}"]
                for ticks, lots in zip(side.ticks.tolist(), side.lots.tolist(), strict=True)
            ]
            for name, side in sides.items()
        }
        return {"lastUpdateId": self._book.update_id, **levels}

    def following(self, updates: int) -> list[Sent]:
        """What comes next in the recording, up to and with so many updates of depth; moves on."""
        sent, left = [], updates
        while left and self._at < len(self.recorded.sent):
            each = self.recorded.sent[self._at]
            self._at += 1
            left -= each.kind == "depth"
            sent.append(each)
        return sent

    async def play(self, sent: Sequence[Sent], told: Callable[[Sent], bool] = lambda _: True) -> None:
        """Let it happen; those not `told` are kept from those who listen."""
        for each in sent:
            self.happen(each)
            if told(each):
                await self.tell(each)

    def happen(self, each: Sent) -> None:
        """It is so at the venue from now on."""
        if each.kind == "depth":
            self._book.apply(*covers(each.data), each.data["b"], each.data["a"])
        elif each.kind == "trade":
            self.traded.append(each.data)

    async def tell(self, each: Sent) -> None:
        """Send it to who asked for its stream."""
        trades = "btcusdt@trade" if self.is_spot else "btcusdt@aggTrade"
        name = _NAMES.get(each.kind, trades)
        await self.say(json.dumps({"stream": name, "data": each.data}), name)

    async def say(self, text: str, stream: str = _NAMES["depth"]) -> None:
        """Any text to those who listen to `stream`."""
        for connection, wanted in list(self.connections.items()):
            if stream in wanted:
                await connection.send_str(text)

    async def listened_to(self) -> None:
        """Until someone listens to all streams."""
        trades = "btcusdt@trade" if self.is_spot else "btcusdt@aggTrade"
        await until(lambda: {*_NAMES.values(), trades} <= set().union(*self.connections.values()))

    async def hang_up(self) -> None:
        """End every connection without a word."""
        for connection in list(self.connections):
            transport = connection._req.transport if connection._req is not None else None
            if transport is not None:
                transport.abort()
        await until(lambda: not self.connections)

    async def close(self) -> None:
        await self.hang_up()
        await super().close()

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        connection = web.WebSocketResponse(timeout=0.1, autoping=False)
        await connection.prepare(request)
        self.opened += 1
        self.connections[connection] = set(request.query["streams"].split("/"))
        try:
            async for message in connection:
                if message.type == aiohttp.WSMsgType.PING:
                    await connection.pong(message.data)
                elif message.type == aiohttp.WSMsgType.PONG:
                    self.pongs += 1
        finally:
            del self.connections[connection]
        return connection

    def _past(self, first: int, limit: int) -> list[Message]:
        identity = "t" if self.is_spot else "a"
        found = [each for each in self.traded if each[identity] >= first][:limit]
        if not self.is_spot:
            return [{name: each[name] for name in "apqflTm"} for each in found]
        return [
            {
                "id": each["t"],
                "price": each["p"],
                "qty": each["q"],
                "quoteQty": "0.00",
                "time": each["T"],
                "isBuyerMaker": each["m"],
                "isBestMatch": True,
            }
            for each in found
        ]


@asynccontextmanager
async def binance_venue(recorded: Minutes) -> AsyncIterator[BinanceVenue]:
    """The venue, listening."""
    venue = BinanceVenue(recorded)
    await venue.open()
    try:
        yield venue
    finally:
        await venue.close()
