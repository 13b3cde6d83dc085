"""Options bought and sold as one: what it costs to cross, what it is worth, what may become of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skewline.cyext import black
from skewline.servers.signal.view import SliceView


@dataclass(frozen=True, slots=True)
class Leg:
    """`ratio` contracts of quote `index` of `slice`, bought (`side` 1) or sold (-1).

    `fair_vol` is what the strategy holds to be right, `vol_error` the standard deviation of that.
    """

    slice: SliceView
    index: int
    side: int
    ratio: int
    fair_vol: float
    vol_error: float

    @property
    def crossing(self) -> float:
        """The price that is paid or received when the spread is crossed."""
        return float((self.slice.ask if self.side > 0 else self.slice.bid)[self.index])


@dataclass(frozen=True, slots=True)
class Valuation:
    """One unit of a structure, per unit of underlying; Greeks are with respect to the forward.

    `edge` is the fair value less what crossing the spread on all legs costs, `error` its standard deviation
    from the legs' vol errors. `model_price`, `leg_delta` and `leg_vega` are of one contract of each leg.
    """

    edge: float
    error: float
    delta: float
    gamma: float
    vega: float
    gross_vega: float
    model_price: tuple[float, ...]
    leg_delta: tuple[float, ...]
    leg_vega: tuple[float, ...]


def value(legs: Sequence[Leg], *, common_error: bool = False) -> Valuation:
    """Value one unit. With `common_error` the legs' vols err together (a level), else each by itself."""
    column = [
        (
            leg.slice.is_call[leg.index],
            leg.slice.forward,
            leg.slice.strike[leg.index],
            leg.slice.years,
            leg.slice.message.discount,
            leg.fair_vol,
        )
        for leg in legs
    ]
    is_call, *numbers = (np.array(values) for values in zip(*column, strict=True))
    greeks = black.greeks(is_call, *numbers)
    price = greeks.price + np.array([leg.slice.early_exercise[leg.index] for leg in legs])
    signed = np.array([leg.side * leg.ratio for leg in legs], dtype=np.float64)
    errors = signed * greeks.vega * np.array([leg.vol_error for leg in legs])
    crossing = np.array([leg.crossing for leg in legs])
    return Valuation(
        edge=float((signed * (price - crossing)).sum()),
        error=abs(float(errors.sum())) if common_error else float(np.sqrt((errors**2).sum())),
        delta=float((signed * greeks.delta).sum()),
        gamma=float((signed * greeks.gamma).sum()),
        vega=float((signed * greeks.vega).sum()),
        gross_vega=float((np.abs(signed) * greeks.vega).sum()),
        model_price=tuple(price.tolist()),
        leg_delta=tuple(greeks.delta.tolist()),
        leg_vega=tuple(greeks.vega.tolist()),
    )


def outcome_stdev(
    valuation: Valuation, *, forward: float, vol: float, years: float, vol_of_vol: float
) -> float:
    """Standard deviation of one unit's outcome over `years`, not hedged, per unit of underlying.

    error² + (Δ F σ √h)² + 2 (½ Γ F² σ² h)² + (vega σ ν √h)²: the fair value's own error, the first two
    orders of a normal move of the forward, and a move of the vol level, taken as independent.
    """
    move = forward * vol * math.sqrt(years)
    return math.sqrt(
        valuation.error**2
        + (valuation.delta * move) ** 2
        + 0.5 * (valuation.gamma * move * move) ** 2
        + (valuation.vega * vol * vol_of_vol) ** 2 * years
    )
