"""Depth updates through a feed: from the venue's socket to the book, and from there to a subscriber."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

from binance_venue import BinanceVenue, binance_venue, minutes
from market_data_folder import FOLDER, MISSING
from market_server import MarketServer, market_server
from processor_time import processor_seconds
from table_row import Row, Rows, Unit

from skewline.v1 import common_pb2
from skewline.v1 import market_data_service_pb2 as pb
from skewline.v1.market_data_service_pb2_grpc import MarketDataServiceStub

_UPDATES, _SINGLE = 1500, 60
_INTERVAL_S = 0.25
_PATIENCE_S = 120.0
_FEEDS = {"spot": ("binance", "spot"), "usdm": ("binance_futures", "perpetual")}


def rows() -> Rows:
    """Spot and the perpetual, with their trades and best prices."""
    for market, (venue, name) in _FEEDS.items():
        if not (FOLDER / "order-book").is_dir():
            yield Row(f"order book, BTCUSDT {name}", reason=MISSING)
            continue
        yield from asyncio.run(_rows(market, venue, name))


async def _rows(market: str, venue_name: str, name: str) -> list[Row]:
    async with binance_venue(minutes(FOLDER, market)) as venue:
        settings = venue.settings
        prefix = f"SKEWLINE_MARKETDATA__LIVE__{venue_name.upper()}__"
        environment = {
            "SKEWLINE_MARKETDATA__FEEDS": f'["{venue_name}:BTCUSDT"]',
            f"{prefix}URL": settings.url,
            f"{prefix}WS_URL": settings.ws_url,
            f"{prefix}TRADES_WS_URL": settings.trades_ws_url,
            f"{prefix}INTERVAL_S": str(_INTERVAL_S),
        }
        async with market_server(environment=environment) as server, server.channel() as channel:
            await venue.listened_to()
            await venue.play(venue.following(5))
            call = MarketDataServiceStub(channel).StreamOrderBooks()
            await call.write(pb.StreamOrderBooksRequest(subscribe=common_pb2.Subscription()))
            await _until(call, lambda seen: seen == venue.update_id)
            return [await _burst(venue, call, name), await _latency(venue, call, server, name)]


async def _burst(venue: BinanceVenue, call: object, name: str) -> Row:
    sent = venue.following(_UPDATES)
    used, start = processor_seconds(), time.perf_counter()
    await venue.play(sent)
    await _until(call, lambda seen: seen == venue.update_id)
    took, used = time.perf_counter() - start, processor_seconds() - used
    return Row(
        f"depth updates, BTCUSDT {name}, as fast as they come",
        _UPDATES / took,
        f"{len(sent)} messages in {took:.2f} s, {1e6 * used / len(sent):.0f} µs of processors each, all in",
        unit=Unit.RATE,
    )


async def _latency(venue: BinanceVenue, call: object, server: MarketServer, name: str) -> Row:
    waits = []
    for _ in range(_SINGLE):
        sent = venue.following(1)
        start = time.perf_counter()
        await venue.play(sent)
        await _until(call, lambda seen: seen == venue.update_id)
        waits.append(time.perf_counter() - start)
    waits.sort()
    return Row(
        f"update to subscriber, BTCUSDT {name}, books every {1e3 * _INTERVAL_S:.0f} ms",
        statistics.median(waits),
        f"largest of {_SINGLE}: {1e3 * waits[-1]:.0f} ms; server {server.resident_bytes / 1e6:.0f} MB",
    )


async def _until(call: object, reached: Callable[[int], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            response = await call.read()  # type: ignore[attr-defined] # a stream of gRPC's
            item = response.snapshot if response.HasField("snapshot") else response.update
            if reached(item.update_id):
                return
