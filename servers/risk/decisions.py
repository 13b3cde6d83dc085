"""A decision on one intent: its size, every check that can be made, and whether all passed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from skewline.servers.risk import intents as intent_rules
from skewline.servers.risk.checks.catalogue import CHECKS
from skewline.servers.risk.checks.check import Basis, Standing, Trade
from skewline.servers.risk.sizing import Size, given, size
from skewline.servers.runtime.decimals import from_decimal
from skewline.v1 import risk_pb2

_NO_SIZE: Final = Size(0, 0.0, 0.0, "", 0.0)


def decide(trade: Trade, standing: Standing) -> risk_pb2.RiskDecision:
    """Size and check a trade.

    A check that needs more than there is (a price, of an instrument that the surface does not know) is not
    made and not reported: another one, which says what is missing, has failed then.
    """
    makeable = [check for check in CHECKS if check.needs <= trade.basis]
    chosen, sized = _NO_SIZE, []
    if trade.basis >= Basis.PRICE:
        chosen = given(trade.intent.quantity.units) if trade.is_sized else size(trade, standing, CHECKS)
        sized = [chosen.check()]
    units = float(max(chosen.units, 1))
    checks = [
        intent_rules.valid(),
        *(check.evaluate(trade, standing, units) for check in makeable),
        *sized,
    ]
    approved = trade.basis >= Basis.PRICE and all(check.passed for check in checks)
    return _decision(trade.intent.intent_id, chosen, checks, approved, standing.time_ns)


def refuse(intent_id: str, check: risk_pb2.RiskCheck, time_ns: int) -> risk_pb2.RiskDecision:
    """The refusal of an intent that cannot be valued at all."""
    return _decision(intent_id, _NO_SIZE, [check], False, time_ns)


def _decision(
    intent_id: str, chosen: Size, checks: Sequence[risk_pb2.RiskCheck], approved: bool, time_ns: int
) -> risk_pb2.RiskDecision:
    return risk_pb2.RiskDecision(
        intent_id=intent_id,
        approved=approved,
        quantity=from_decimal(Decimal(chosen.units if approved else 0)),
        checks=checks,
        kelly_fraction=chosen.kelly_fraction,
        raw_size=chosen.raw,
        bound_by=chosen.bound_by,
        time_ns=time_ns,
    )
