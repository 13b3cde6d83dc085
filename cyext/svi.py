"""Raw SVI slices: J. Gatheral, A parsimonious arbitrage-free implied volatility parameterization (2004).

Total variance w(k) = a + b (ρ(k - m) + √((k - m)² + σ²)) of log-moneyness k = ln(strike / forward). A slice
may have butterflies: where Durrleman's g(k) = (1 - k w'/2w)² - w'²/4 (1/w + 1/4) + w''/2 is negative
(J. Gatheral & A. Jacquier, Arbitrage-free SVI volatility surfaces, 2014). Conventions and units:
`skewline.cyext`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _svi
from skewline.cyext.arguments import (
    Broadcast,
    Codes,
    Doubles,
    doubles,
    ragged,
    same_length,
    thread_count,
    vector,
)

_NO_WEIGHTS = np.empty(0)


@dataclass(frozen=True, slots=True)
class SviFit:
    """One element a slice: raw parameters, how good they are, and `Status`.

    `rmse` is the weighted root mean square error in vol, `min_g` the least of g over all k. OK: converged,
    and g >= 0 everywhere. ARBITRAGE (converged, but g is negative somewhere) and NOT_CONVERGED have numbers
    too; all others NaN.
    """

    a: Doubles
    b: Doubles
    rho: Doubles
    m: Doubles
    sigma: Doubles
    rmse: Doubles
    min_g: Doubles
    iterations: Codes
    status: Codes


def total_variance(
    log_moneyness: ArrayLike, a: ArrayLike, b: ArrayLike, rho: ArrayLike, m: ArrayLike, sigma: ArrayLike
) -> Doubles:
    """Total variance of the slice at `log_moneyness`; all arguments broadcast.

    NaN where it is negative, or where b < 0, |rho| > 1 or sigma <= 0.
    """
    x = doubles("log_moneyness", log_moneyness) - doubles("m", m)
    slope, skew, width = doubles("b", b), doubles("rho", rho), doubles("sigma", sigma)
    with np.errstate(invalid="ignore", over="ignore"):
        w = doubles("a", a) + slope * (skew * x + np.hypot(x, width))
        fine = (slope >= 0.0) & (np.abs(skew) <= 1.0) & (width > 0.0) & (w >= 0.0)
    return np.where(fine, w, np.nan)


def implied_vol(
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    rho: ArrayLike,
    m: ArrayLike,
    sigma: ArrayLike,
) -> Doubles:
    """Black volatility of the slice at `strike`; all arguments broadcast.

    NaN where forward, strike or expiry is not positive, and where `total_variance` is.
    """
    f, k, t = doubles("forward", forward), doubles("strike", strike), doubles("expiry", expiry)
    with np.errstate(all="ignore"):
        fine = (f > 0.0) & (k > 0.0) & (t > 0.0)
        log_moneyness = np.log(np.where(fine, k / f, np.nan))
        return np.asarray(np.sqrt(total_variance(log_moneyness, a, b, rho, m, sigma) / t))


def butterfly(
    log_moneyness: ArrayLike, a: ArrayLike, b: ArrayLike, rho: ArrayLike, m: ArrayLike, sigma: ArrayLike
) -> Doubles:
    """Durrleman's g at `log_moneyness`: where it is negative, so is the density; all arguments broadcast."""
    k, level, slope = doubles("log_moneyness", log_moneyness), doubles("a", a), doubles("b", b)
    skew, centre, width = doubles("rho", rho), doubles("m", m), doubles("sigma", sigma)
    shape = Broadcast(log_moneyness=k, a=level, b=slope, rho=skew, m=centre, sigma=width)
    result = shape.result()
    k, level, slope, skew, centre, width = (
        shape.flat(each) for each in (k, level, slope, skew, centre, width)
    )
    _svi.butterfly(k, level, slope, skew, centre, width, result.reshape(-1))
    return result


def min_butterfly(a: ArrayLike, b: ArrayLike, rho: ArrayLike, m: ArrayLike, sigma: ArrayLike) -> Doubles:
    """The least of g over all log-moneyness, a slice each; negative: the slice has a butterfly.

    NaN where w is not positive throughout, or where b < 0, |rho| > 1 or sigma <= 0.
    """
    level, slope, skew = doubles("a", a), doubles("b", b), doubles("rho", rho)
    centre, width = doubles("m", m), doubles("sigma", sigma)
    shape = Broadcast(a=level, b=slope, rho=skew, m=centre, sigma=width)
    result = shape.result()
    level, slope, skew, centre, width = (shape.flat(each) for each in (level, slope, skew, centre, width))
    _svi.least_butterflies(level, slope, skew, centre, width, result.reshape(-1))
    return result


def calibrate_many(
    forward: ArrayLike,
    expiry: ArrayLike,
    strikes: ArrayLike,
    vols: ArrayLike,
    offsets: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    threads: int = 1,
) -> SviFit:
    """Fit many slices of different lengths to vols, each as if it were alone.

    Ragged columns as in `sabr.calibrate_many`: slice i has the strikes, vols and weights [offsets[i],
    offsets[i + 1]). The weighted sum of squared vol differences is least with wings within Lee's bound,
    b (1 + |rho|) <= 2, and positive variance; butterflies are reported, not forbidden. Weigh by
    1 / spread² to fit within the band. Points without positive, finite strike, vol and weight are left
    out; with fewer than five different strikes left it is TOO_FEW. ValueError for lengths or offsets that do
    not fit together.
    """
    f, t = vector("forward", forward), vector("expiry", expiry)
    k, v = vector("strikes", strikes), vector("vols", vols)
    same_length(f.size, expiry=t)
    same_length(k.size, vols=v)
    w = _NO_WEIGHTS if weights is None else vector("weights", weights)
    if weights is not None:
        same_length(k.size, weights=w)
    starts = ragged(offsets, k.size, forward=f)
    out, codes = np.empty((7, f.size)), np.empty((2, f.size), dtype=np.int32)
    _svi.calibrate_many(f, t, k, v, w, starts, np.empty((3, k.size)), out, codes, thread_count(threads))
    return SviFit(
        a=out[0],
        b=out[1],
        rho=out[2],
        m=out[3],
        sigma=out[4],
        rmse=out[5],
        min_g=out[6],
        iterations=codes[0],
        status=codes[1],
    )
