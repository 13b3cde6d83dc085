"""Recorded bars, made up in the open."""

from __future__ import annotations

from collections.abc import Iterable

from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS

from skewline.v1 import chain_pb2, common_pb2

# Midnight in New York, on the days before FRIDAY_NS.
FRIDAY_MIDNIGHT_NS = FRIDAY_NS - 15 * 60 * MINUTE_NS


def bar(start_ns: int, close: float, volume: float = 10.0) -> chain_pb2.Bar:
    """A bar around `close`."""
    return chain_pb2.Bar(
        start_ns=start_ns, open=close - 0.5, high=close + 1, low=close - 1, close=close, volume=volume
    )


def series(
    bars: Iterable[chain_pb2.Bar], *, interval_ns: int = DAY_NS, underlying: str = "XYZ"
) -> chain_pb2.BarSeries:
    """These bars as a file gives them."""
    return chain_pb2.BarSeries(
        underlying=underlying,
        interval_ns=interval_ns,
        source="test:bars.csv",
        provenance=common_pb2.PROVENANCE_RECORDED,
        bars=bars,
    )
