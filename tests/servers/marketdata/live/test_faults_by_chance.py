"""Streams under a long run of faults by chance, seeded: drops, repeats, reorderings, half messages, breaks.

At the end the chain is what the venue has, every break was told as a gap, and health said so meanwhile.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import msgpack
import pytest
from alpaca_venue import KEY, SECRET, alpaca_venue, quote
from chain_samples import FRIDAY_NS, small_chain
from deribit_venue import BEGIN_MS, deribit_venue
from live_feeds import Audience, ShiftedClock, supervised

from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import AlpacaSettings, DeribitSettings, LiveSettings
from skewline.v1 import chain_pb2

SECOND = 1_000_000_000
STEPS = 120
FAULTS = ("none",) * 8 + ("drop", "repeat", "reorder", "half", "hang up", "rubbish", "silence")
FUTURES = {"9AUG24": 118_000.0, "30AUG24": 118_600.0}


@dataclass
class Sent:
    """What was on its way, and how often the connection was broken."""

    held: Any = None
    broken: int = 0


def bids(chain: chain_pb2.OptionChain) -> dict[tuple[str, float, bool], float]:
    return {
        (chain.expiries[index].expiry_date, strike, is_call): bid
        for index, strike, is_call, bid in zip(
            chain.expiry_index, chain.strike, chain.is_call, chain.bid, strict=True
        )
    }


async def settled_as(audience: Audience, truth: dict[Any, float], get: Any) -> None:
    await audience.has(lambda a: bool(a.chains) and a.state == "LIVE" and get(a.chains[-1]) == truth)


def assert_told(audience: Audience, broken: int) -> None:
    assert broken > 0
    states = [state for state, _ in audience.states]
    fell = sum(after == "DOWN" != before for before, after in pairwise(states))
    gaps = [gap for gap in audience.gaps if gap.reason == "DISCONNECTED"]
    # Two breaks between two words are one.
    assert 0 < fell <= len(gaps) <= broken
    times = [chain.time_ns for chain in audience.chains]
    assert times == sorted(set(times))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_alpacas_stream(seed: int) -> None:
    new_york.load()
    chance, clock, sent = Random(seed), ShiftedClock(FRIDAY_NS + SECOND), Sent()
    async with alpaca_venue(small_chain()) as venue:
        settings = {
            "url": venue.url,
            "trading_url": venue.url,
            "ws_url": venue.ws_url,
            "key": KEY,
            "secret": SECRET,
            "interval_s": 0.02,
            "refresh_s": 1.0,
            "requests_per_s": 1000.0,
            "bars_days": 0,
        }
        alpaca = AlpacaSettings.model_validate(settings)
        source = Venues(LiveSettings(alpaca=alpaca), clock).open("alpaca:XYZ")
        async with supervised(source, clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
            for step in range(1, STEPS + 1):
                await audience.has(lambda a: bool(a.chains) and a.state == "LIVE")
                await venue.listens()
                name, bid = chance.choice(venue.names), round(chance.uniform(0.5, 9.0), 2)
                at_ns = FRIDAY_NS + step * SECOND // 10
                row = quote(name, bid, bid + 0.2, at_ns)
                # The truth is the venue's, whatever becomes of the message.
                venue.snapshots[name]["latestQuote"] |= {
                    "bp": bid,
                    "ap": bid + 0.2,
                    "t": f"2019-05-24T19:00:{step / 10:09.6f}Z",
                }
                await inflict(chance.choice(FAULTS), venue, sent, row, msgpack.packb([row]))
            if sent.held is not None:
                await venue.say(sent.held)
            # What was dropped on a connection that held is in the next snapshot, shown with the next quote.
            last = {"bp": 1.0, "ap": 1.2, "t": "2019-05-24T19:00:59Z"}
            venue.snapshots[venue.names[0]]["latestQuote"] |= last
            await settled_as(audience, truth_of(venue.snapshots), bids)
            assert_told(audience, sent.broken)


def truth_of(snapshots: dict[str, dict[str, Any]]) -> dict[tuple[str, float, bool], float]:
    return {
        (f"20{n[3:5]}-{n[5:7]}-{n[7:9]}", int(n[-8:]) / 1000, n[-9] == "C"): each["latestQuote"]["bp"]
        for n, each in snapshots.items()
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_deribits_stream(seed: int) -> None:
    chance, clock, sent = Random(seed), ShiftedClock(BEGIN_MS * 1_000_000), Sent()
    async with deribit_venue() as venue:
        deribit = DeribitSettings.model_validate(
            {
                "url": f"{venue.url}/api/v2",
                "ws_url": venue.ws_url,
                "interval_s": 0.02,
                "requests_per_s": 1000.0,
            }
        )
        source = Venues(LiveSettings(deribit=deribit), clock).open("deribit:BTC")
        names = list(venue.tickers)
        async with supervised(source, clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
            for step in range(1, STEPS + 1):
                # What breaks before anything was brought loses nothing.
                await audience.has(lambda a: bool(venue.connections and a.chains) and a.state == "LIVE")
                name = chance.choice(names)
                bid = round(chance.uniform(0.01, 0.2), 4)
                venue.tickers[name] |= {"timestamp": BEGIN_MS + step, "best_bid_price": bid}
                news = {"channel": f"ticker.{name}.100ms", "data": dict(venue.tickers[name])}
                row = {"jsonrpc": "2.0", "method": "subscription", "params": news}
                await inflict(chance.choice(FAULTS), venue, sent, row, json.dumps(row))
            if sent.held is not None:
                await venue.say(sent.held)
            # What was dropped on a connection that held is made up for by the next ticker.
            for place, name in enumerate(names):
                await venue.push(name, timestamp=BEGIN_MS + STEPS + 1 + place)
            truth = {n: t["best_bid_price"] * FUTURES[n.split("-")[1]] for n, t in venue.tickers.items()}
            await settled_as(audience, truth, lambda chain: dict(zip(chain.symbol, chain.bid, strict=True)))
            assert_told(audience, sent.broken)


async def inflict(fault: str, venue: Any, sent: Sent, row: Any, packed: Any) -> None:
    """Send a message, or what a fault makes of it."""
    match fault:
        case "drop" | "silence":
            return
        case "reorder":
            # It comes after the one that follows it.
            sent.held, row = row, sent.held
            if row is None:
                return
            await venue.say(row)
        case "half":
            sent.broken += 1
            ended = list(venue.connections)
            await (venue.say_bytes if isinstance(packed, bytes) else venue.say)(packed[: len(packed) // 2])
            await venue.left(ended)
        case "hang up":
            sent.broken += 1
            await venue.hang_up()
        case "rubbish":
            await venue.say({"T": "q", "S": 7})
        case "repeat":
            await venue.say(row)
            await venue.say(row)
        case _:
            await venue.say(row)
