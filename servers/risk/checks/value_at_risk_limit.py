"""Limit of the value at risk of the whole portfolio."""

from __future__ import annotations

import math
from typing import Final

from skewline.servers.risk.checks.check import UNBOUNDED, Basis, Standing, Trade
from skewline.servers.risk.value_at_risk import loss_at
from skewline.v1 import risk_pb2

CONFIDENCE: Final = 0.99


class MaxValueAtRisk:
    """99 % one-day value at risk after the trade; a trade that reduces it passes."""

    name: Final = "MAX_VALUE_AT_RISK"
    needs: Final = Basis.PRICE

    def headroom(self, trade: Trade, standing: Standing) -> float:
        """Most whole units that pass, by bisection: profit is linear in units, its quantile not."""
        low, high = 0, math.ceil(standing.limits.max_order_quantity)
        if self._passes(trade, standing, high):
            return UNBOUNDED
        while high - low > 1:
            middle = (low + high) // 2
            if self._passes(trade, standing, middle):
                low = middle
            else:
                high = middle
        return float(low)

    def evaluate(self, trade: Trade, standing: Standing, units: float) -> risk_pb2.RiskCheck:
        """Revalues the portfolio with the trade."""
        limit = standing.limits.max_value_at_risk
        value = loss_at(standing.profit + units * trade.profit, CONFIDENCE)
        passed = value <= limit or value < loss_at(standing.profit, CONFIDENCE)
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=passed,
            limit=limit,
            value=value,
            unit="currency",
            message="" if passed else f"would be {value:,.0f}, more than {limit:,.0f}; reduce what is held",
        )

    def _passes(self, trade: Trade, standing: Standing, units: float) -> bool:
        return self.evaluate(trade, standing, units).passed
