"""How many units to trade: c / sigma^2, bounded by Kelly and by the head-room of every limit.

sigma is the standard deviation of one unit's outcome as a share of capital. Kelly's size is edge / variance
(J. Kelly, A New Interpretation of Information Rate, 1956; in its continuous form after E. Thorp, The Kelly
Criterion in Blackjack, Sports Betting and the Stock Market, 2006), scaled down by `kelly_scale`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from skewline.servers.risk.checks.check import Check, Standing, Trade
from skewline.v1 import risk_pb2

RAW: Final = "INVERSE_VARIANCE"
KELLY: Final = "KELLY"
NAME: Final = "SIZE"
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Size:
    """A size in whole units.

    `raw` is c / sigma^2; `kelly_fraction` the share of capital that Kelly's bound puts at risk (units times
    one unit's standard deviation); `bound_by` the least of all bounds, `least` its size before rounding down.
    """

    units: int
    raw: float
    kelly_fraction: float
    bound_by: str
    least: float

    def check(self) -> risk_pb2.RiskCheck:
        """The check that at least one unit is left."""
        passed = self.units >= 1
        return risk_pb2.RiskCheck(
            name=NAME,
            passed=passed,
            limit=1.0,
            value=self.least,
            unit="units",
            message="" if passed else f"{self.bound_by} leaves {self.least:.3g} units, less than one",
        )


def size(trade: Trade, standing: Standing, checks: Sequence[Check]) -> Size:
    """The size of an intent that leaves it to risk; 0 units without a positive edge and deviation."""
    capital = standing.limits.capital
    edge, deviation = trade.intent.edge, trade.intent.edge_stdev
    if not (math.isfinite(edge) and math.isfinite(deviation) and deviation > 0):
        return Size(0, 0.0, 0.0, RAW, 0.0)
    raw = standing.settings.size_constant / (deviation / capital) ** 2
    kelly = max(standing.limits.kelly_scale * edge * capital / deviation**2, 0.0)
    bounds = [(raw, RAW), (kelly, KELLY)]
    bounds += [(check.headroom(trade, standing), check.name) for check in checks]
    # The first of equal bounds: min keeps their order.
    least, bound_by = min(bounds, key=lambda bound: bound[0])
    units = math.floor(least * (1.0 + _ROUNDING))
    return Size(units, raw, kelly * deviation / capital, bound_by, least)


def given(quantity: int) -> Size:
    """The size of an intent that names its quantity."""
    return Size(quantity, 0.0, 0.0, "", float(quantity))
