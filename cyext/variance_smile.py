"""The market's smiles: the smoothest total variance within the quotes' bands that is free of arbitrage.

Total variance w(k) = vol² · expiry of log-moneyness k = ln(strike / forward) is a natural cubic spline,
linear beyond its end knots. It keeps between bid and ask where it can, with Durrleman's
g(k) = (1 - k w'/2w)² - w'²/4 (1/w + 1/4) + w''/2 >= 0 (no butterfly), w nowhere below the expiry before's (no
calendar) and slopes within Lee's |w'| < 2. M. Fengler, Arbitrage-free smoothing of the implied volatility
surface (Quant. Finance, 2009) has the idea with call prices; J. Gatheral & A. Jacquier, Arbitrage-free SVI
volatility surfaces (2014) have the conditions. Conventions and units: `skewline.cyext`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _variance_smile, smile_density
from skewline.cyext.arguments import Codes, Doubles, Indices, doubles, same_length, vector
from skewline.cyext.essvi import MIN_VOL_WIDTH, EssviFits, fitted_slices
from skewline.cyext.status import Status
from skewline.cyext.variance_quotes import VarianceQuotes, variance_quotes


@dataclass(frozen=True, slots=True)
class VarianceSmile:
    """One expiry: total variance and its second derivative at rising knots of log-moneyness."""

    expiry: float
    knot: Doubles
    variance: Doubles
    curvature: Doubles

    def derivatives(self, log_moneyness: ArrayLike) -> tuple[Doubles, Doubles, Doubles]:
        """w, w' and w'' at each `log_moneyness`; NaN where that is not finite."""
        k = doubles("log_moneyness", log_moneyness)
        out = np.empty((3, k.size))
        knot, variance = vector("knot", self.knot), vector("variance", self.variance)
        curvature = vector("curvature", self.curvature)
        _variance_smile.evaluate(knot, variance, curvature, np.ascontiguousarray(k.reshape(-1)), out)
        w, slope, bend = (row.reshape(k.shape) for row in out)
        return w, slope, bend

    def vol(self, log_moneyness: ArrayLike) -> Doubles:
        """Black volatility at each `log_moneyness`."""
        return np.asarray(np.sqrt(self.derivatives(log_moneyness)[0] / self.expiry))

    def butterfly(self, log_moneyness: ArrayLike) -> Doubles:
        """Durrleman's g at each `log_moneyness`: where it is negative, so is the density."""
        k = doubles("log_moneyness", log_moneyness)
        return smile_density.butterfly(k, *self.derivatives(k))

    def density(self, log_moneyness: ArrayLike) -> Doubles:
        """Risk-neutral density of ln(S / forward) at expiry, per unit of log-moneyness."""
        k = doubles("log_moneyness", log_moneyness)
        return smile_density.density(k, *self.derivatives(k))


@dataclass(frozen=True, slots=True)
class VarianceSmiles:
    """A chain's smiles, one element an expiry; expiry i's knots are [offsets[i], offsets[i + 1]).

    `inside` is the share of the fitted quotes whose band holds the smile, `violation` the farthest that it
    is outside one, in half spreads; `least_g` the least of g, `calendar` the least excess over the expiry
    before, over the variance at the money (NaN for the first), both on a fine grid; `rmse` against the mids
    in vol. Status OK: converged and free of arbitrage. NOT_CONVERGED (also where quotes are so far apart
    that `least_g` is unknown, NaN) and ARBITRAGE have numbers too, which are the best found and on which no
    later expiry rests.
    """

    expiry: Doubles
    offsets: Indices
    knot: Doubles
    variance: Doubles
    curvature: Doubles
    inside: Doubles
    violation: Doubles
    least_g: Doubles
    calendar: Doubles
    rmse: Doubles
    iterations: Codes
    status: Codes

    def smile(self, index: int) -> VarianceSmile:
        """The smile of one expiry; ValueError if it has none."""
        if not 0 <= index < self.expiry.size:
            raise IndexError(f"index must be in [0, {self.expiry.size}), not {index}")
        rows = slice(int(self.offsets[index]), int(self.offsets[index + 1]))
        if rows.stop == rows.start:
            raise ValueError(f"expiry {index} has no smile: {Status(int(self.status[index])).name}")
        return VarianceSmile(
            float(self.expiry[index]), self.knot[rows], self.variance[rows], self.curvature[rows]
        )


def calibrate_many(
    forwards: ArrayLike,
    expiries: ArrayLike,
    strikes: ArrayLike,
    bid_vols: ArrayLike,
    ask_vols: ArrayLike,
    offsets: ArrayLike,
    *,
    mid_vols: ArrayLike | None = None,
    roughness: float = 0.1,
    spacing: float = 0.12,
    starts: EssviFits | None = None,
) -> VarianceSmiles:
    """Fit a chain, expiry after expiry in order of time (in whatever order they are given).

    Ragged columns as in `sabr.calibrate_many`; which quotes are left out: `variance_quotes`. `roughness` is
    the price of a squared third derivative, `spacing` the least distance of knots, both in standard
    deviations at the money. `starts` are eSSVI slices of the same expiries, fitted to these or fewer quotes,
    which saves their fit here; where one is missing that is made all the same. ValueError for lengths or
    offsets that do not fit together, or for a `roughness` or `spacing` that is not positive.
    """
    for name, value in (("roughness", roughness), ("spacing", spacing)):
        if not (np.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} must be positive, not {value}")
    quotes = variance_quotes(forwards, expiries, strikes, bid_vols, ask_vols, offsets, mid_vols)
    count = quotes.years.size
    slices, start_status = _starts(quotes, starts)
    codes = np.zeros((3, count), dtype=np.int32)
    codes[1] = start_status
    curve = np.empty((3, quotes.k.size + _variance_smile.MORE_KNOTS * count))
    out = np.full((4, count), np.nan)
    _variance_smile.calibrate(
        quotes.k, quotes.lower, quotes.upper, quotes.middle, quotes.offsets, slices, roughness, spacing,
        curve, out, codes,
    )  # fmt: skip
    first = quotes.offsets[:-1] + _variance_smile.MORE_KNOTS * np.arange(count)
    rmse = np.full(count, np.nan)
    for i in np.flatnonzero(codes[2]).tolist():
        rows = slice(int(quotes.offsets[i]), int(quotes.offsets[i + 1]))
        knots = slice(int(first[i]), int(first[i] + codes[2, i]))
        smile = VarianceSmile(float(quotes.years[i]), curve[0, knots], curve[1, knots], curve[2, knots])
        with np.errstate(invalid="ignore"):
            rmse[i] = np.sqrt(np.mean(np.square(smile.vol(quotes.k[rows]) - quotes.vol[rows])))
    back = np.argsort(quotes.order)
    pieces = [np.arange(first[i], first[i] + codes[2, i]) for i in back.tolist()]
    taken = np.concatenate([np.empty(0, dtype=np.int64), *pieces])
    return VarianceSmiles(
        expiry=quotes.years[back],
        offsets=np.concatenate(([0], np.cumsum(codes[2, back]))).astype(np.int64),
        knot=curve[0, taken],
        variance=curve[1, taken],
        curvature=curve[2, taken],
        inside=out[0, back],
        violation=out[1, back],
        least_g=out[2, back],
        calendar=out[3, back],
        rmse=rmse[back],
        iterations=codes[0, back],
        status=codes[1, back],
    )


def _starts(quotes: VarianceQuotes, given: EssviFits | None) -> tuple[Doubles, Codes]:
    """Rows theta, rho, psi and the status of each, in the order of `quotes`."""
    if given is not None:
        same_length(quotes.order.size, starts=given.theta)
        slices = np.ascontiguousarray(np.stack((given.theta, given.rho, given.psi))[:, quotes.order])
        fit = quotes.status == Status.OK
        # One by one they rest on those before: a slice that is missing would have to be fitted among them.
        if bool(np.isfinite(slices[:, fit]).all()):
            return slices, quotes.status
    slices, _, codes = fitted_slices(quotes, MIN_VOL_WIDTH)
    return slices, codes[1]
