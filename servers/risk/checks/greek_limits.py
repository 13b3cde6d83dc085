"""Limits of the Greeks of an underlying: one object a Greek, from a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from skewline.servers.risk.checks.check import Basis, Sensitivity, Standing, Trade, linear_headroom, within
from skewline.v1 import risk_pb2


@dataclass(frozen=True, slots=True)
class GreekLimit:
    """|exposure| of the underlying after the trade against its limit; a trade that reduces it passes."""

    name: str
    unit: str
    exposure: Callable[[Sensitivity], float]
    limit: Callable[[risk_pb2.RiskLimits], float]
    needs: Basis = Basis.PRICE

    def headroom(self, trade: Trade, standing: Standing) -> float:
        """Units until the limit."""
        before, unit = self.exposure(standing.sensitivity), self.exposure(trade.unit)
        return linear_headroom(before, unit, self.limit(standing.limits))

    def evaluate(self, trade: Trade, standing: Standing, units: float) -> risk_pb2.RiskCheck:
        """Compares the exposure after the trade."""
        limit, before = self.limit(standing.limits), self.exposure(standing.sensitivity)
        value = before + units * self.exposure(trade.unit)
        passed = within(before, value, limit)
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=passed,
            limit=limit,
            value=abs(value),
            unit=self.unit,
            message=""
            if passed
            else f"would stand at {value:,.0f} (now {before:,.0f}), more than {limit:,.0f}",
        )


GREEK_LIMITS: Final = (
    GreekLimit("MAX_DELTA", "currency", lambda s: s.delta, lambda limits: limits.max_delta),
    GreekLimit("MAX_GAMMA", "currency per 1 %", lambda s: s.gamma, lambda limits: limits.max_gamma),
    GreekLimit("MAX_VEGA", "currency per 0.01 vol", lambda s: s.vega, lambda limits: limits.max_vega),
    GreekLimit("MAX_THETA", "currency per day", lambda s: s.theta, lambda limits: limits.max_theta),
)
