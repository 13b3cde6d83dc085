"""Bars as Interactive Brokers words them, read; whether their prices can be is for validation to say."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from skewline.v1 import chain_pb2

_NANOS_A_SECOND: Final = 1_000_000_000
_MOST_S: Final = 7_258_118_400  # the year 2200
_NO_VOLUME: Final = frozenset({-1.0, sys.float_info.max})
_SHOWN: Final = 80


@dataclass(slots=True)
class BarsSoFar:
    """What a feed knows of the underlying's bars from connection to connection."""

    underlying: str
    newest_s: int = 0
    """Start of the newest bar of five seconds, s since the epoch; 0: none came yet."""


def read_live(values: Sequence[float]) -> chain_pb2.Bar:
    """A bar of five seconds: start (s), open, high, low, close, volume, average, count.

    Raises ValueError, which names what is wrong.
    """
    start, *prices, volume, _, _ = values
    return _bar(int(start), prices, volume)


def read_historical(rows: Iterable[Any]) -> tuple[list[chain_pb2.Bar], list[str]]:
    """Bars of the past by start, each start once, and what cannot be read of them, in words."""
    bars: dict[int, chain_pb2.Bar] = {}
    unreadable: list[str] = []
    for row in rows:
        try:
            # Asked for so, the start is in seconds since the epoch.
            bar = _bar(int(row.date), (row.open, row.high, row.low, row.close), row.volume)
        except ValueError as error:
            unreadable.append(f"{str(row)[:_SHOWN]}: {error}")
        else:
            bars[bar.start_ns] = bar
    return [bars[start] for start in sorted(bars)], unreadable


def _bar(start_s: int, prices: Sequence[float], volume: float) -> chain_pb2.Bar:
    if not 0 < start_s < _MOST_S:
        raise ValueError(f"start {start_s} is no time in seconds")
    open_, high, low, close = prices
    return chain_pb2.Bar(
        start_ns=start_s * _NANOS_A_SECOND,
        open=open_,
        high=high,
        low=low,
        close=close,
        # An index has no volume, which is worded as -1.
        volume=0.0 if volume in _NO_VOLUME else volume,
    )
