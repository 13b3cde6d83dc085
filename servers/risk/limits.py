"""The limits in force: from the settings at the first start, then as they were set."""

from __future__ import annotations

from typing import Final

from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.servers.runtime.validation import Validation
from skewline.v1 import risk_pb2

_SHARES: Final = ("min_confidence", "kelly_scale")
FIELDS: Final = tuple(field.name for field in risk_pb2.RiskLimits.DESCRIPTOR.fields)


def initial_limits(settings: RiskSettings) -> risk_pb2.RiskLimits:
    """The limits of the settings."""
    limits = risk_pb2.RiskLimits(**settings.limits.model_dump())
    limits.capital = float(settings.capital)
    return limits


def validate_limits(v: Validation, limits: risk_pb2.RiskLimits) -> None:
    """Every limit must be a positive number, and shares at most 1."""
    for name in FIELDS:
        value: float = getattr(limits, name)
        if v.positive(name, value) and name in _SHARES:
            v.check(value <= 1.0, name, f"must be at most 1, not {value}")
