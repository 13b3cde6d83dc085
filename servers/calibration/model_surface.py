"""A model's total variance at any time and log-moneyness, with what density and local volatility need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from skewline.cyext import black, heston, smile_density
from skewline.servers.calibration.contracts import Doubles, Flags, Indices
from skewline.servers.calibration.curves import Curves, curves_of
from skewline.servers.calibration.differences import STEP, differentiated
from skewline.servers.calibration.verdict import FAILED
from skewline.v1 import surface_pb2

# Of the time to expiry: for the derivative of Heston's variance by time.
_TIME_STEP: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Values:
    """Total variance w, dw/dk, d²w/dk² and dw/dT at fixed k, shaped (expiries, strikes).

    `extrapolated` has one element an expiry: whether it is outside of those fitted.
    """

    k: Doubles
    variance: Doubles
    slope: Doubles
    bend: Doubles
    growth: Doubles
    extrapolated: Flags

    @property
    def density(self) -> Doubles:
        """Of ln(S / forward) at expiry, per unit of k; negative where there is a butterfly."""
        return smile_density.density(self.k, self.variance, self.slope, self.bend)

    @property
    def local_vol(self) -> Doubles:
        """√(dw/dT / g): B. Dupire (1994), J. Gatheral, The Volatility Surface (2006), eq. (1.10)."""
        g = smile_density.butterfly(self.k, self.variance, self.slope, self.bend)
        sound = (g > 0.0) & (self.growth >= 0.0)
        return np.sqrt(np.where(sound, self.growth, np.nan) / np.where(sound, g, 1.0))


class ModelSurface(Protocol):
    """Answers at every time."""

    def at(self, years: Doubles, k: Doubles) -> Values:
        """At times (m,), all positive, and log-moneyness (m, n)."""

    def fitted(self, years: Doubles) -> Flags:
        """Whether the model says of each time itself what its smile is, not by the expiries next to it."""


@dataclass(frozen=True, slots=True)
class BetweenExpiries:
    """Smiles an expiry at a time; between them total variance is linear in time at fixed k.

    Before the first expiry vol is that of the first; after the last, variance goes on to grow alike at every
    k, as it does at the money between the last two.
    """

    years: Doubles
    index: Indices
    curves: Curves

    def at(self, years: Doubles, k: Doubles) -> Values:
        """See `ModelSurface`."""
        known, last = self.years, self.years.size - 1
        # At an expiry that is known: the interval that begins there.
        left = np.clip(np.searchsorted(known, years, side="right") - 1, 0, max(last - 1, 0))
        right = np.minimum(left + 1, last)
        left_years, right_years = known[left], known[right]
        span = np.where(right > left, right_years - left_years, 1.0)
        share = np.where(right > left, np.clip((years - left_years) / span, 0.0, 1.0), 0.0)[:, np.newaxis]
        before = self.curves.derivatives(self.index[left], k)
        after = self.curves.derivatives(self.index[right], k)
        w, slope, bend = (a + share * (b - a) for a, b in zip(before, after, strict=True))
        growth = (after[0] - before[0]) / span[:, np.newaxis]
        early, late = years < known[0], years > known[-1]
        shrink = np.where(early, years / known[0], 1.0)[:, np.newaxis]
        w, slope, bend = w * shrink, slope * shrink, bend * shrink
        growth = np.where(early[:, np.newaxis], w / years[:, np.newaxis], growth)
        speed = self._last_speed()
        w = w + np.where(late, speed * (years - known[-1]), 0.0)[:, np.newaxis]
        growth = np.where((late | (left == right) & ~early)[:, np.newaxis], speed, growth)
        return Values(k, w, slope, bend, growth, early | late)

    def fitted(self, years: Doubles) -> Flags:
        """At the expiries."""
        return np.isin(years, self.years)

    def _last_speed(self) -> float:
        at_the_money = self.curves.derivatives(self.index[-2:], np.zeros((self.index[-2:].size, 1)))[0][:, 0]
        if self.years.size == 1:
            return float(at_the_money[0] / self.years[0])
        return max(float((at_the_money[1] - at_the_money[0]) / (self.years[-1] - self.years[-2])), 0.0)


@dataclass(frozen=True, slots=True)
class HestonSurface:
    """Heston's prices as total variances."""

    fit: surface_pb2.HestonFit
    first: float
    last: float

    def at(self, years: Doubles, k: Doubles) -> Values:
        """See `ModelSurface`; NaN where a price is too small to imply a vol."""
        column = years[:, np.newaxis]
        deviation = np.sqrt(self._variance(column, np.zeros_like(column)))
        w, slope, bend = differentiated(lambda at: self._variance(column, at), k, STEP * deviation)
        step = _TIME_STEP * column
        growth = (self._variance(column + step, k) - self._variance(column - step, k)) / (2.0 * step)
        return Values(k, w, slope, bend, growth, (years < self.first) | (years > self.last))

    def fitted(self, years: Doubles) -> Flags:
        """Everywhere."""
        return np.ones(years.shape, dtype=np.bool_)

    def _variance(self, years: Doubles, k: Doubles) -> Doubles:
        fit, is_call = self.fit, k >= 0.0
        strike = np.exp(k)
        price = heston.price(
            is_call, 1.0, strike, years, 1.0,
            v0=fit.v0, kappa=fit.kappa, theta=fit.theta, sigma=fit.sigma, rho=fit.rho,
        )  # fmt: skip
        return np.asarray(black.implied_vol(is_call, price, 1.0, strike, years, 1.0) ** 2 * years)


def model_surface(
    surface: surface_pb2.VolSurface, model: surface_pb2.VolModel.ValueType
) -> ModelSurface | None:
    """The surface by `model`; None where the model has no usable fit."""
    years = np.array([each.years for each in surface.slices])
    if model == surface_pb2.VOL_MODEL_HESTON:
        if surface.heston.status == FAILED or not surface.heston.sigma > 0.0 or not years.size:
            return None
        return HestonSurface(surface.heston, float(years.min()), float(years.max()))
    curves = curves_of(surface.slices, model or surface_pb2.VOL_MODEL_RECORD)
    usable = np.flatnonzero(curves.usable & (years > 0.0))
    if not usable.size:
        return None
    known, first = np.unique(years[usable], return_index=True)
    return BetweenExpiries(known, usable[first], curves)
