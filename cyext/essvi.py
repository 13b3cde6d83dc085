"""eSSVI slices: S. Hendriks & C. Martini, The extended SSVI volatility surface (J. Comput. Finance, 2019).

Total variance w(k) = (θ + ρψk + √((ψk + θρ)² + θ²(1 - ρ²))) / 2 of log-moneyness k = ln(strike / forward): θ
is that at the money, ψ = θφ. Conventions and units: `skewline.cyext`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _variance_slices
from skewline.cyext.arguments import Codes, Doubles, doubles
from skewline.cyext.variance_quotes import VarianceQuotes, variance_quotes

#: Narrower quotes weigh no more: a width in vol below the smallest step of most prices.
MIN_VOL_WIDTH: Final = 0.002


@dataclass(frozen=True, slots=True)
class EssviFits:
    """One element an expiry: parameters, root mean square error in vol, iterations and `Status`.

    What is OK is free of arbitrage, each slice by itself (J. Gatheral & A. Jacquier, 2014) and after the one
    before (P. Corbetta et al., 2019): ψ(1 + |ρ|) < 4, ψ²(1 + |ρ|) <= 4θ; θ and ψ(1 ± ρ) do not fall in expiry
    and ψ/θ does not rise. The others have NaN.
    """

    theta: Doubles
    rho: Doubles
    psi: Doubles
    rmse: Doubles
    iterations: Codes
    status: Codes


def total_variance(log_moneyness: ArrayLike, theta: ArrayLike, rho: ArrayLike, psi: ArrayLike) -> Doubles:
    """Total variance of the slice at `log_moneyness`; all arguments broadcast."""
    k, level = doubles("log_moneyness", log_moneyness), doubles("theta", theta)
    skew, width = doubles("rho", rho), doubles("psi", psi)
    rest = np.square(level) * (1.0 - np.square(skew))
    root = np.sqrt(np.square(width * k + level * skew) + rest)
    return np.asarray(0.5 * (level + skew * width * k + root))


def calibrate_many(
    forwards: ArrayLike,
    expiries: ArrayLike,
    strikes: ArrayLike,
    bid_vols: ArrayLike,
    ask_vols: ArrayLike,
    offsets: ArrayLike,
    *,
    mid_vols: ArrayLike | None = None,
    min_vol_width: float = MIN_VOL_WIDTH,
) -> EssviFits:
    """Fit a chain, expiry after expiry in order of time, to the mid vols.

    Ragged columns as in `sabr.calibrate_many`. Errors count by the quote's width in vol (at least
    `min_vol_width`), and beyond one width by their size, not its square. ValueError for lengths or offsets
    that do not fit together; see `variance_quotes` for quotes that are left out.
    """
    quotes = variance_quotes(forwards, expiries, strikes, bid_vols, ask_vols, offsets, mid_vols)
    slices, rmse, codes = fitted_slices(quotes, min_vol_width)
    back = np.argsort(quotes.order)
    return EssviFits(
        slices[0, back], slices[1, back], slices[2, back], rmse[back], codes[0, back], codes[1, back]
    )


def fitted_slices(quotes: VarianceQuotes, min_vol_width: float) -> tuple[Doubles, Doubles, Codes]:
    """Rows theta, rho, psi; the errors; rows iterations, status; all in the order of `quotes`."""
    count = quotes.years.size
    slices, rmse = np.full((3, count), np.nan), np.full(count, np.nan)
    codes = np.zeros((2, count), dtype=np.int32)
    codes[1] = quotes.status
    width = np.maximum(quotes.vol_width, min_vol_width)
    _variance_slices.essvi(quotes.k, quotes.vol, width, quotes.years, quotes.offsets, slices, rmse, codes)
    return slices, rmse, codes
