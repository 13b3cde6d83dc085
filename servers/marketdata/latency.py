"""How long each hop from quote to risk took, from the stamps that an event collects on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from skewline.v1 import event_pb2, market_data_service_pb2

TOTAL = "total"
_NS_A_MS = 1e6


def hops(stamps: Sequence[event_pb2.StageStamp]) -> dict[str, int]:
    """Nanoseconds of each service, of each way between two ("a→b"), and from first to last ("total")."""
    took: dict[str, int] = {}
    for stamp in stamps:
        took[stamp.service] = stamp.published_ns - stamp.received_ns
    for before, after in pairwise(stamps):
        took[f"{before.service}→{after.service}"] = after.received_ns - before.published_ns
    if stamps:
        took[TOTAL] = stamps[-1].published_ns - stamps[0].received_ns
    return took


def latencies(samples: Mapping[str, Sequence[int]]) -> list[market_data_service_pb2.HopLatency]:
    """Median, 99th percentile and largest of each hop, milliseconds; "total" last.

    `samples` are nanoseconds, ascending: a replay asks after every snapshot, of which it may have many.
    """
    return [
        market_data_service_pb2.HopLatency(
            hop=hop,
            p50_ms=_quantile(samples[hop], 0.50) / _NS_A_MS,
            p99_ms=_quantile(samples[hop], 0.99) / _NS_A_MS,
            max_ms=samples[hop][-1] / _NS_A_MS,
            count=len(samples[hop]),
        )
        for hop in sorted(samples, key=lambda name: name == TOTAL)
    ]


def _quantile(ascending: Sequence[int], share: float) -> float:
    """Linear between the two nearest."""
    place = share * (len(ascending) - 1)
    low = int(place)
    high = min(low + 1, len(ascending) - 1)
    return ascending[low] + (place - low) * (ascending[high] - ascending[low])
