"""What Interactive Brokers really sent, played through the wire: ticks of an afternoon, bars of a day."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ibkr_feeds import source_of
from live_feeds import ShiftedClock, supervised
from market_data_folder import FOLDER, MISSING
from tws_gateway.bars import Row
from tws_gateway.market import Market
from tws_gateway.wire import encoded

from skewline.servers.runtime.instruments import contract_ids

RECORDED = FOLDER / "feeds" / "ibkr"
CALL = "AAPL  260731C00220000"
SECOND = 1_000_000_000
PRICES, SIZES = {1, 2, 4}, {0, 3, 5, 8}

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason=MISSING)


def ticks() -> list[dict[str, Any]]:
    with gzip.open(RECORDED / "streaming" / "tick_data.json.gz", "rt") as text:
        return list(json.load(text))


def messages(request_id: str, recorded: list[dict[str, Any]]) -> bytes:
    """As the gateway words them; the recorder noted sizes with the price that they belong to."""
    words = []
    for tick in recorded:
        if tick["tickType"] in PRICES:
            words.append(encoded(1, 6, request_id, tick["tickType"], tick["price"], tick["size"], 0))
        else:
            words.append(encoded(2, 6, request_id, tick["tickType"], tick["size"]))
    return b"".join(words)


def last(recorded: list[dict[str, Any]], kinds: set[int], field: str) -> float:
    return float(next(tick[field] for tick in reversed(recorded) if tick["tickType"] in kinds))


async def test_after_all_ticks_the_quote_is_the_one_they_end_with(tws: Market, clock: ShiftedClock) -> None:
    recorded = ticks()
    assert {tick["tickType"] for tick in recorded} == PRICES | SIZES
    async with supervised(source_of(tws, clock, "ibkr:AAPL"), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        line = tws.quotes.lines_of(tws.option(CALL))[0]
        volume = last(recorded, {8}, "size")
        tws.gateway.say_raw(messages(line.request_id, recorded))

        def at() -> int:
            return contract_ids(audience.chains[-1]).index(CALL)

        await audience.has(lambda a: a.chains[-1].volume[at()] == volume)
        chain = audience.chains[-1]
        assert chain.bid[at()] == last(recorded, {1}, "price")
        assert chain.ask[at()] == last(recorded, {2}, "price")
        assert chain.bid_size[at()] == last(recorded, {0, 1}, "size")
        assert chain.ask_size[at()] == last(recorded, {2, 3}, "size")
        assert not audience.gaps


async def test_bars_of_a_day_come_through_one_by_one(tws: Market, clock: ShiftedClock) -> None:
    with gzip.open(RECORDED / "responses" / "historic" / "bars.json.gz", "rt") as text:
        recorded = [json.loads(line) for line in text]
    rows: list[Row] = []
    for bar in recorded:
        # The recorder left out in which zone it was; any will do.
        start = datetime.fromisoformat(bar["date"]).replace(tzinfo=ZoneInfo("America/New_York"))
        prices = (bar["open"], bar["high"], bar["low"], bar["close"])
        rows.append((int(start.timestamp()), *prices, bar["volume"], bar["average"], bar["barCount"]))
    tws.bars.past["1 min"] = rows
    async with supervised(source_of(tws, clock, "ibkr:AAPL"), clock) as audience:
        await audience.has(lambda a: bool(a.bars))
        bars = audience.bars[0].bars
        assert [bar.start_ns // SECOND for bar in bars] == [row[0] for row in rows]
        assert [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars] == [
            row[1:6] for row in rows
        ]
        assert not audience.gaps
