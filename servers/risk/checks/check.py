"""What a pre-trade check sees and says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from skewline.servers.risk.option import Option
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.v1 import risk_pb2

UNBOUNDED: Final = math.inf
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Exposure in the units of the limits, currency.

    `delta`: times spot; `gamma`: change of that for a 1 % move; `vega`: per 0.01 of vol; `theta`: per
    calendar day.
    """

    delta: float
    gamma: float
    vega: float
    theta: float


class Basis(IntEnum):
    """What there is to judge an intent by; each includes those before it."""

    INTENT = 0
    """The intent alone."""
    SURFACE = 1
    """A surface of its underlying."""
    PRICE = 2
    """A price of every leg on that surface."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One unit of an intent, valued. Prices per unit of underlying; without `Basis.PRICE` no value counts."""

    intent: risk_pb2.OrderIntent
    basis: Basis
    limit_price: float
    model_price: float
    spread: float
    notional: float
    """Premium summed over the legs, currency."""
    unit: Sensitivity
    options: tuple[Option | None, ...]
    """What the legs' ids mean; None where nothing says."""
    contracts: Mapping[str, float]
    """Signed contracts a unit, by instrument."""
    calls: float
    """Signed calls a unit, contracts."""
    profit: npt.NDArray[np.float64]
    """Profit of one unit in each scenario, currency."""
    unknown: tuple[str, ...]
    """Legs that no good slice prices."""

    @property
    def is_sized(self) -> bool:
        """Whether the intent names its quantity; else risk sizes it."""
        return self.intent.quantity.units > 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the portfolio stands before the trade, with everything reserved counted as filled."""

    limits: risk_pb2.RiskLimits
    settings: RiskSettings
    state: risk_pb2.RiskState
    time_ns: int
    sensitivity: Sensitivity
    """Of the trade's underlying."""
    profit: npt.NDArray[np.float64]
    """Of the whole portfolio, in each scenario, currency."""
    contracts: Mapping[str, float]
    """Signed contracts of the trade's underlying, by instrument."""
    uncovered_calls: float
    """Short calls of the underlying that no long call covers, contracts."""
    approved: int
    """Intents approved for the same snapshot."""
    surface_good: bool
    surface_age_s: float
    """Data time from the surface to the request; infinite without a surface."""


class Check(Protocol):
    """One limit."""

    @property
    def name(self) -> str:
        """Stable upper-case name."""

    @property
    def needs(self) -> Basis:
        """What it judges by: on less, it is not made."""

    def headroom(self, trade: Trade, standing: Standing) -> float:
        """Most units that pass, not necessarily whole; infinite where the size does not matter."""

    def evaluate(self, trade: Trade, standing: Standing, units: float) -> risk_pb2.RiskCheck:
        """The outcome for `units`."""


def linear_headroom(before: float, unit: float, limit: float) -> float:
    """Most units n >= 0 with |before + n unit| within `limit`, or within |before| where that is past it."""
    if not math.isfinite(unit) or not math.isfinite(before):
        return 0.0
    if unit == 0.0:
        return UNBOUNDED
    bound = max(limit, abs(before)) if before * unit < 0 else limit
    return max((math.copysign(bound, unit) - before) / unit, 0.0)


def within(before: float, value: float, limit: float) -> bool:
    """Whether |value| passes: inside the limit, or past it but nearer than before (it reduces risk)."""
    return abs(value) <= limit * (1.0 + _ROUNDING) or abs(value) < abs(before)
