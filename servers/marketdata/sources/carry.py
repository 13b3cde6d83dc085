"""Forward and discount factor of each expiry of a chain, by put-call parity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.servers.marketdata.chain_columns import Columns, Doubles, columns_of
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.v1 import chain_pb2

# Parity is read where both sides trade: near where call and put cost the same.
_NEAREST: Final = 20
_FEWEST: Final = 3
_LEAST_SPREAD: Final = 1e-4
_DISCOUNTS: Final = (0.5, 1.05)


@dataclass(frozen=True, slots=True)
class Carry:
    """By expiry: forward, discount factor, years (ACT/365F); an unknown `spot` is the nearest forward."""

    spot: float
    forward: Doubles
    discount: Doubles
    years: Doubles


def carry_of(chain: chain_pb2.OptionChain) -> Carry:
    """Least squares of call less put = discount × (forward - strike) over strikes quoted on both sides.

    An expiry with too few of them gets the spot and no discount.
    """
    columns = columns_of(chain)
    count = len(chain.expiries)
    forward, discount = np.full(count, chain.spot), np.ones(count)
    for place in range(count):
        if (line := _parity(columns, place)) is not None:
            forward[place], discount[place] = line
    if math.isnan(chain.spot) and np.isfinite(forward).any():
        forward[np.isnan(forward)] = forward[np.isfinite(forward)][0]
    spot = chain.spot if math.isfinite(chain.spot) else float(forward[0])
    instants = np.array([expiry.expiry_ns for expiry in chain.expiries], dtype=np.float64)
    return Carry(spot, forward, discount, np.maximum((instants - chain.time_ns) / YEAR_NS, 1e-9))


def _parity(columns: Columns, place: int) -> tuple[float, float] | None:
    quoted = (columns.expiry_index == place) & (columns.bid > 0) & (columns.ask > 0)
    mid = (columns.bid + columns.ask) / 2
    call, put = quoted & columns.is_call, quoted & ~columns.is_call
    strikes, calls, puts = np.intersect1d(columns.strike[call], columns.strike[put], return_indices=True)
    if strikes.size < _FEWEST:
        return None
    difference = mid[call][calls] - mid[put][puts]
    spread = columns.ask - columns.bid
    doubt = spread[call][calls] + spread[put][puts]
    near = np.argsort(np.abs(difference), kind="stable")[:_NEAREST]
    weights = 1 / np.maximum(doubt[near], _LEAST_SPREAD)
    slope, level = np.polyfit(strikes[near], difference[near], 1, w=weights)
    if not _DISCOUNTS[0] < -slope < _DISCOUNTS[1]:
        return None
    return float(level / -slope), float(-slope)
