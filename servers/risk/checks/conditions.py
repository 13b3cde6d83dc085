"""Conditions that have nothing to do with size: may this be traded at all, now, at this price?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from skewline.servers.risk.checks.check import UNBOUNDED, Basis, Standing, Trade
from skewline.v1 import risk_pb2


@dataclass(frozen=True, slots=True)
class Finding:
    """What a condition found, and what to do about it when it failed."""

    passed: bool
    limit: float
    value: float
    advice: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A check that bounds no size."""

    name: str
    needs: Basis
    unit: str
    find: Callable[[Trade, Standing], Finding]

    def headroom(self, _trade: Trade, _standing: Standing) -> float:
        """The size does not matter."""
        return UNBOUNDED

    def evaluate(self, trade: Trade, standing: Standing, _units: float) -> risk_pb2.RiskCheck:
        """The finding as a check."""
        found = self.find(trade, standing)
        return risk_pb2.RiskCheck(
            name=self.name,
            passed=found.passed,
            limit=found.limit,
            value=found.value,
            unit=self.unit,
            message="" if found.passed else found.advice,
        )


def _price_deviation(trade: Trade, standing: Standing) -> Finding:
    limit = standing.limits.max_price_deviation
    value = abs(trade.limit_price - trade.model_price) / trade.spread
    advice = (
        f"limit price {trade.limit_price:g} is {value:.1f} spreads of {trade.spread:.4g} from model value "
        f"{trade.model_price:.4g}; at most {limit:g}"
    )
    return Finding(value <= limit, limit, value, advice)


def _confidence(trade: Trade, standing: Standing) -> Finding:
    limit, value = standing.limits.min_confidence, trade.intent.confidence
    # A manual order has no confidence, and a replaced one comes sized: it was judged when it was new.
    judged = bool(trade.intent.signal_id) and not trade.is_sized
    return Finding(not judged or value >= limit, limit, value, f"{value:.2f} is below {limit:.2f}")


def _trading_state(_trade: Trade, standing: Standing) -> Finding:
    halted = standing.state.state == risk_pb2.TRADING_STATE_HALTED
    advice = f"trading is halted by {standing.state.changed_by}: {standing.state.reason}; resume it first"
    return Finding(not halted, 0.0, float(halted), advice)


def _known_instrument(trade: Trade, _standing: Standing) -> Finding:
    advice = f"{', '.join(trade.unknown)}: not among the surface's quotes, or its expiry has no good fit"
    return Finding(not trade.unknown, 0.0, float(len(trade.unknown)), advice)


def _surface_good(_trade: Trade, standing: Standing) -> Finding:
    advice = "the surface is absent, poor or failed; wait for the next snapshot"
    return Finding(standing.surface_good, 1.0, float(standing.surface_good), advice)


def _surface_fresh(_trade: Trade, standing: Standing) -> Finding:
    limit, age = standing.settings.max_surface_age_s, standing.surface_age_s
    advice = f"the surface is {age:,.0f} s old, more than {limit:,.0f} s; wait for the next snapshot"
    return Finding(age <= limit, limit, age, advice)


CONDITIONS: Final = (
    Condition("TRADING_STATE", Basis.INTENT, "halts", _trading_state),
    Condition("SURFACE_GOOD", Basis.INTENT, "surfaces", _surface_good),
    Condition("SURFACE_FRESH", Basis.SURFACE, "seconds", _surface_fresh),
    Condition("KNOWN_INSTRUMENT", Basis.SURFACE, "legs", _known_instrument),
    Condition("MIN_CONFIDENCE", Basis.INTENT, "probability", _confidence),
    Condition("PRICE_DEVIATION", Basis.PRICE, "spreads", _price_deviation),
)
