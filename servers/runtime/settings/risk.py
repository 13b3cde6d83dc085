"""Settings of the risk service."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from skewline.servers.runtime.settings.section import Section

Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class RiskLimitSettings(Section):
    """Limits that hold until someone sets others (`SetLimits`); the database keeps those."""

    max_order_quantity: Limit = 50.0
    """Units an order."""

    max_order_notional: Limit = 100_000.0
    """Premium of an order summed over its legs, in the account's currency."""

    max_position: Limit = 200.0
    """Contracts an instrument, absolute."""

    max_delta: Limit = 1_000_000.0
    """Absolute delta an underlying times spot, in the account's currency."""

    max_gamma: Limit = 500_000.0
    """Absolute change of that delta for a 1 % move of the underlying, in the account's currency."""

    max_vega: Limit = 10_000.0
    """Absolute vega an underlying, in the account's currency per 0.01 of vol."""

    max_theta: Limit = 20_000.0
    """Absolute theta an underlying, in the account's currency per calendar day."""

    max_value_at_risk: Limit = 50_000.0
    """99 % one-day value at risk of everything held, in the account's currency."""

    max_orders_per_snapshot: Limit = 10.0
    """Orders approved for one snapshot."""

    max_price_deviation: Limit = 10.0
    """Limit price from model value, in quoted spreads."""

    min_confidence: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Confidence of a signal."""

    kelly_scale: Annotated[float, Field(gt=0, le=1)] = 0.25
    """Share of the full Kelly size allowed."""

    max_drawdown: Limit = 100_000.0
    """Loss from peak equity that trips the kill switch, in the account's currency."""


class ScenarioSettings(Section):
    """Scenarios of the value at risk."""

    count: int = Field(default=1000, ge=100, le=100_000)
    """Scenarios revalued."""

    seed: int = Field(default=20190425, ge=0)
    """Seed of the scenarios: the same seed gives the same value at risk."""

    degrees_of_freedom: float = Field(default=4.0, gt=2)
    """Of Student's t, from which the underlying's return is drawn; lower means fatter tails."""

    vol_of_vol: float = Field(default=1.0, ge=0)
    """Standard deviation of the logarithm of 30-day vol, per sqrt(year)."""

    spot_vol_correlation: float = Field(default=-0.7, ge=-1, le=1)
    """Correlation of the underlying's return and the change of its vol."""

    underlying_correlation: float = Field(default=0.6, ge=0, le=1)
    """Correlation of the returns of any two underlyings."""


class RiskSettings(Section):
    """Capital, sizing and limits."""

    capital: Decimal = Field(default=Decimal(1000000), gt=0)
    """Capital that positions are sized against, in the account's currency."""

    size_constant: float = Field(default=1e-6, gt=0)
    """c of the size c / sigma^2, with sigma one unit's standard deviation as a share of capital."""

    max_surface_age_s: float = Field(default=300.0, gt=0)
    """Seconds of data time after which a surface is too old to trade on."""

    max_uncovered_calls: Annotated[float, Field(ge=0)] = 200.0
    """Contracts of short calls an underlying that no long call covers."""

    min_spread: float = Field(default=0.05, gt=0)
    """Least spread per unit of underlying that the price deviation is measured in."""

    surface_wait_s: float = Field(default=10.0, gt=0)
    """Seconds that a check waits for the surface of its snapshot."""

    recent_surfaces: int = Field(default=8, ge=1)
    """Surfaces an underlying that are kept in memory."""

    limits: RiskLimitSettings = RiskLimitSettings()
    """Limits at the first start."""

    scenarios: ScenarioSettings = ScenarioSettings()
    """Scenarios of the value at risk."""
