"""A discount curve, log-linear between its points."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from scipy.optimize import brentq

from skewline.servers.calibration.contracts import Doubles

LOWEST_RATE: Final = -0.1
HIGHEST_RATE: Final = 1.0
_COUPON_YEARS: Final = 0.5
# A maturity that is a whole number of coupons from today, but for rounding.
_WHOLE: Final = 1e-9


class Curve:
    """Discount factors by time in years (ACT/365F), from 1 now; beyond the last point its zero rate holds."""

    def __init__(self, discounts: Mapping[float, float]) -> None:
        """`discounts` by years: at least one, each with years > 0 and a discount > 0. Raises ValueError."""
        points = sorted(discounts.items())
        if not points or points[0][0] <= 0.0 or min(discount for _, discount in points) <= 0.0:
            raise ValueError("a curve needs points in the future, with discount factors above zero")
        self._years = np.array([0.0, *(years for years, _ in points)])
        self._logs = np.log(np.array([1.0, *(discount for _, discount in points)]))

    def discount(self, years: Doubles) -> Doubles:
        """Discount factor at each time, years ≥ 0."""
        last = self._years[-1]
        inside = np.interp(years, self._years, self._logs)
        return np.asarray(np.exp(np.where(years > last, self._logs[-1] * years / last, inside)))

    def rate(self, years: Doubles) -> Doubles:
        """Continuous zero rate at each time; at 0 and before, that of the first point."""
        later = np.where(years > 0.0, years, self._years[1])
        return np.asarray(-np.log(self.discount(later)) / later)


def flat_curve(rate: float) -> Curve:
    """The same continuous rate at all times."""
    return Curve({1.0: math.exp(-rate)})


def zero_curve(rates: Mapping[float, float]) -> Curve:
    """From continuous zero rates by years."""
    return Curve({years: math.exp(-rate * years) for years, rate in rates.items()})


def par_curve(yields: Mapping[float, float]) -> Curve:
    """From par yields of bonds with a coupon every half year, by years, shortest first.

    Up to half a year a yield is that of a bill: simple interest, as the US Treasury states it (Treasury Yield
    Curve Methodology: bond-equivalent yields). Each longer discount factor D(T) solves
    1 = y/2 Σ D(tᵢ) + D(T) with coupons every half year back from T, the factors between log-linear; a first
    coupon that comes sooner than in half a year pays its part of one.
    """
    known: dict[float, float] = {}
    for years, rate in sorted(yields.items()):
        if years <= _COUPON_YEARS + _WHOLE:
            known[years] = 1.0 / (1.0 + rate * years)
            continue
        known[years] = _par_discount(years, rate, known)
    return Curve(known)


def bill_curve(discounts: Iterable[tuple[int, float]]) -> Curve:
    """From bank discount rates of bills by days to maturity: D = 1 - rate × days / 360."""
    return Curve({days / 365.0: 1.0 - rate * days / 360.0 for days, rate in discounts})


def _par_discount(years: float, rate: float, known: Mapping[float, float]) -> float:
    count = math.ceil(years / _COUPON_YEARS - _WHOLE)
    times = years - _COUPON_YEARS * np.arange(count, dtype=np.float64)[::-1]
    paid = rate * np.diff(times, prepend=0.0)

    def worth_over_par(log_discount: float) -> float:
        curve = Curve({**known, years: math.exp(log_discount)})
        return float((paid * curve.discount(times)).sum()) + math.exp(log_discount) - 1.0

    return math.exp(
        float(brentq(worth_over_par, -HIGHEST_RATE * years, -2.0 * LOWEST_RATE * years, xtol=1e-14))
    )
