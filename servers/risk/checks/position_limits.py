"""Limits of what is held of each instrument and underlying."""

from __future__ import annotations

from typing import Final

from skewline.servers.risk.checks.check import UNBOUNDED, Basis, Standing, Trade, linear_headroom, within
from skewline.v1 import risk_pb2


class MaxPosition:
    """Contracts of any one instrument."""

    name: Final = "MAX_POSITION"
    needs: Final = Basis.PRICE

    def headroom(self, trade: Trade, standing: Standing) -> float:
        """The least over the legs."""
        limit = standing.limits.max_position
        return min(
            linear_headroom(standing.contracts.get(name, 0.0), unit, limit)
            for name, unit in trade.contracts.items()
        )

    def evaluate(self, trade: Trade, standing: Standing, units: float) -> risk_pb2.RiskCheck:
        """Compares the largest position that the legs would leave."""
        limit = standing.limits.max_position
        worst, passed, name = -1.0, True, ""
        for instrument_id, unit in trade.contracts.items():
            before = standing.contracts.get(instrument_id, 0.0)
            after = before + units * unit
            passed = passed and within(before, after, limit)
            if abs(after) > worst:
                worst, name = abs(after), instrument_id
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=passed,
            limit=limit,
            value=worst,
            unit="contracts",
            message="" if passed else f"{name} would stand at {worst:g} contracts, more than {limit:g}",
        )


class MaxUncoveredCalls:
    """Short calls that no long call of the underlying covers: their loss has no bound."""

    name: Final = "MAX_UNCOVERED_CALLS"
    needs: Final = Basis.PRICE

    def headroom(self, trade: Trade, standing: Standing) -> float:
        """Units until the cover is gone."""
        unit = -trade.calls
        if unit <= 0:
            return UNBOUNDED
        return max((standing.settings.max_uncovered_calls - standing.uncovered_calls) / unit, 0.0)

    def evaluate(self, trade: Trade, standing: Standing, units: float) -> risk_pb2.RiskCheck:
        """Compares short less long calls of the underlying."""
        limit, before = standing.settings.max_uncovered_calls, standing.uncovered_calls
        value = before - units * trade.calls
        passed = value <= limit or value < before
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=passed,
            limit=limit,
            value=value,
            unit="contracts",
            message="" if passed else f"{value:g} short calls would be uncovered, more than {limit:g}",
        )
