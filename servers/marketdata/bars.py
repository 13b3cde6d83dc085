"""Bars of the underlying's price, from the spots of stored snapshots."""

from __future__ import annotations

from collections.abc import Iterable

from skewline.v1 import chain_pb2


def bars(spots: Iterable[tuple[int, float]], interval_ns: int) -> list[chain_pb2.Bar]:
    """Open, high, low and close of each interval that has a spot; `spots` are (time_ns, price), oldest first.

    Intervals begin at whole multiples of `interval_ns` since the epoch.
    """
    made: list[chain_pb2.Bar] = []
    for time_ns, spot in spots:
        start = time_ns - time_ns % interval_ns
        if not made or made[-1].start_ns != start:
            made.append(chain_pb2.Bar(start_ns=start, open=spot, high=spot, low=spot))
        bar = made[-1]
        bar.high = max(bar.high, spot)
        bar.low = min(bar.low, spot)
        bar.close = spot
        bar.snapshots += 1
    return made
