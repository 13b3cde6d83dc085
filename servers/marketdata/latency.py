"""How long each hop from quote to risk took, from the stamps that an event collects on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

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
    """Median, 99th percentile and largest of each hop, milliseconds; "total" last."""
    listed = []
    for hop in sorted(samples, key=lambda name: name == TOTAL):
        taken = np.asarray(samples[hop], dtype=np.float64) / _NS_A_MS
        middle, high = np.percentile(taken, (50, 99))
        listed.append(
            market_data_service_pb2.HopLatency(
                hop=hop, p50_ms=middle, p99_ms=high, max_ms=taken.max(), count=taken.size
            )
        )
    return listed
