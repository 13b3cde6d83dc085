"""Streams of real chains, as a feed handler has them in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import real_chains
from market_data_folder import FOLDER

from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.source import Selection
from skewline.v1 import chain_pb2

_MINUTE_NS = 60_000_000_000
_SPX_DAYS = (date(2019, 4, 25), date(2019, 4, 26), date(2019, 4, 29), date(2019, 4, 30))


def spx(count: int) -> list[chain_pb2.OptionChain]:
    """`count` chains of 13,300 to 13,600 contracts: whole days of SPX, each shown for several minutes.

    There is one snapshot a day: in the others only time and spot differ, and every sixteenth bid, since a
    feed's chains are neither all new nor all the same.
    """
    days = _SPX_DAYS[: max(1, min(len(_SPX_DAYS), count))]
    flow: list[chain_pb2.OptionChain] = []
    for place, day in enumerate(days):
        chain = real_chains.spx(day)
        flow += [_minutes_later(chain, minute) for minute in range(len(range(place, count, len(days))))]
    return flow


def goog(count: int) -> list[chain_pb2.OptionChain]:
    """The first `count` minutes of GOOG on 2015-12-24, all of it recorded: up to 2,192 contracts each."""
    day = date(2015, 12, 24)
    source = LeanSource(FOLDER / "lean", Selection(("GOOG",), day, day))
    return [source.load(each) for each in source.plan()[:count]]


def quotes(flow: Sequence[chain_pb2.OptionChain]) -> int:
    """Contracts of all chains together."""
    return sum(len(chain.strike) for chain in flow)


def _minutes_later(chain: chain_pb2.OptionChain, minutes: int) -> chain_pb2.OptionChain:
    moved = chain_pb2.OptionChain()
    moved.MergeFrom(chain)
    moved.time_ns += minutes * _MINUTE_NS
    moved.spot += 0.01 * minutes
    if minutes:
        for place in range(minutes % 16, len(moved.bid), 16):
            if moved.bid[place] > 0.05:
                moved.bid[place] = round(moved.bid[place] - 0.05, 2)
    return moved
