"""Whether recorded bars can be prices of an underlying."""

from __future__ import annotations

import math
from typing import Final

from skewline.servers.marketdata.validation.action_schema import check_symbol
from skewline.servers.runtime.day_count import DAY_NS
from skewline.servers.runtime.validation import Validation
from skewline.v1 import chain_pb2, common_pb2

MOST_BARS: Final = 5000
SHORTEST_NS: Final = 1_000_000_000
LONGEST_NS: Final = 366 * DAY_NS
_MOST_PRICE: Final = 1e12
_MOST_VOLUME: Final = 1e18
_LONGEST: Final = 256
_PRICES: Final = ("open", "high", "low", "close")
_ANSWERED: Final = ("snapshots", "source", "provenance", "origin", "parts")


def check_series(series: chain_pb2.BarSeries, validation: Validation) -> None:
    """Record what is wrong with a series and its bars, by field with its fix."""
    check_heading(series, validation)
    if validation.required("bars", series.bars):
        validation.max_length("bars", series.bars, MOST_BARS)
    known: dict[int, int] = {}
    for place, bar in enumerate(series.bars[:MOST_BARS]):
        within = validation.within("bars", place)
        check_bar(bar, within)
        first = known.setdefault(bar.start_ns, place)
        within.check(first == place, "start_ns", f"is that of bars[{first}]; give each bar once")


def check_heading(series: chain_pb2.BarSeries, v: Validation) -> None:
    """Record what is wrong with what a series says once for all its bars."""
    check_symbol(v, "underlying", series.underlying)
    fix = f"must be from a second to 366 days in nanoseconds, not {series.interval_ns}"
    v.check(SHORTEST_NS <= series.interval_ns <= LONGEST_NS, "interval_ns", fix)
    if v.required("source", series.source):
        v.max_length("source", series.source, _LONGEST)
    v.enum("provenance", series.provenance, common_pb2.Provenance)


def check_bar(bar: chain_pb2.Bar, v: Validation) -> None:
    """Record what is wrong with one bar."""
    v.time_ns("start_ns", bar.start_ns)
    for name in _PRICES:
        price = getattr(bar, name)
        fix = f"must be a price above zero and up to {_MOST_PRICE:g}, not {price}"
        v.check(0 < price <= _MOST_PRICE, name, fix)
    prices = [getattr(bar, name) for name in _PRICES]
    if all(math.isfinite(price) for price in prices):
        v.check(bar.high >= max(bar.open, bar.close), "high", f"must be the highest of {_shown(prices)}")
        v.check(bar.low <= min(bar.open, bar.close), "low", f"must be the lowest of {_shown(prices)}")
    fix = f"must be from 0 (none, or unknown) to {_MOST_VOLUME:g}, not {bar.volume}"
    v.check(0 <= bar.volume <= _MOST_VOLUME, "volume", fix)
    for name in _ANSWERED:
        v.check(not getattr(bar, name), name, "is for answers; leave it empty")


def _shown(prices: list[float]) -> str:
    return ", ".join(f"{name} {price}" for name, price in zip(_PRICES, prices, strict=True))
