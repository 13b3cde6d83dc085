"""What a fit is worth: conditions held against their limits, and the status that follows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from skewline.v1 import surface_pb2

GOOD: Final = surface_pb2.FIT_STATUS_GOOD
POOR: Final = surface_pb2.FIT_STATUS_POOR
FAILED: Final = surface_pb2.FIT_STATUS_FAILED

# What an unknown value is shown as: the contract's numbers are finite.
_UNKNOWN: Final = 1e300


def at_least(
    name: str, model: surface_pb2.VolModel.ValueType, value: float, limit: float
) -> surface_pb2.FitCheck:
    """A condition from below. A value that is unknown (NaN) does not meet it, and is shown as the lowest."""
    value = value if math.isfinite(value) else -_UNKNOWN
    return surface_pb2.FitCheck(name=name, model=model, passed=value >= limit, limit=limit, value=value)


def at_most(
    name: str, model: surface_pb2.VolModel.ValueType, value: float, limit: float
) -> surface_pb2.FitCheck:
    """A condition from above. A value that is unknown (NaN) does not meet it, and is shown as the highest."""
    value = value if math.isfinite(value) else _UNKNOWN
    return surface_pb2.FitCheck(name=name, model=model, passed=value <= limit, limit=limit, value=value)


def failed(checks: Iterable[surface_pb2.FitCheck]) -> list[str]:
    """Names of the conditions that are not met."""
    return [check.name for check in checks if not check.passed]
