"""All checks, in the order in which they are reported."""

from __future__ import annotations

from typing import Final

from skewline.servers.risk.checks.check import Check
from skewline.servers.risk.checks.conditions import CONDITIONS
from skewline.servers.risk.checks.greek_limits import GREEK_LIMITS
from skewline.servers.risk.checks.order_limits import MaxOrderNotional, MaxOrderQuantity, MaxOrdersPerSnapshot
from skewline.servers.risk.checks.position_limits import MaxPosition, MaxUncoveredCalls
from skewline.servers.risk.checks.value_at_risk_limit import MaxValueAtRisk

CHECKS: Final[tuple[Check, ...]] = (
    *CONDITIONS,
    MaxOrdersPerSnapshot(),
    MaxOrderQuantity(),
    MaxOrderNotional(),
    MaxPosition(),
    MaxUncoveredCalls(),
    *GREEK_LIMITS,
    MaxValueAtRisk(),
)
