"""Volatility of a window of bars, from closes alone or from opens, highs and lows too.

Prices are positive float64 arrays whose last axis is the bars, oldest first; the axes before it are computed
side by side. Each returns the standard deviation of the log price over one bar, so that times sqrt(bars a
year) it is the annualised fraction; NaN where a price is not positive and finite.

Efficiency is how many closes' worth of information a bar holds, for a price that is a driftless geometric
Brownian motion seen all the time. One seen at a few moments has too small a range, and so too small a
volatility (Garman & Klass 1980, section IV): nothing is corrected for that here.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Doubles: TypeAlias = NDArray[np.float64]

_FOUR_LOG_TWO: Final = 4.0 * math.log(2.0)


def close_to_close(close: Doubles) -> Doubles:
    """Standard deviation of the log returns, about their mean; three closes at the least. Efficiency 1."""
    _enough(close, 3)
    return _root(np.var(np.diff(_log(close), axis=-1), axis=-1, ddof=1))


def parkinson(high: Doubles, low: Doubles) -> Doubles:
    """Parkinson (1980), J. Business 53, 61: mean of ln(H/L)² / 4 ln 2. No drift, no overnight; about 5."""
    _enough(high, 1)
    return _root(np.mean((_log(high) - _log(low)) ** 2, axis=-1) / _FOUR_LOG_TWO)


def garman_klass(open_: Doubles, high: Doubles, low: Doubles, close: Doubles) -> Doubles:
    """Garman & Klass (1980), J. Business 53, 67: ½ ln(H/L)² - (2 ln 2 - 1) ln(C/O)².

    No drift, no overnight; about 7.4.
    """
    _enough(close, 1)
    body, span = _log(close) - _log(open_), _log(high) - _log(low)
    return _root(np.mean(0.5 * span**2 - (2.0 * math.log(2.0) - 1.0) * body**2, axis=-1))


def rogers_satchell(open_: Doubles, high: Doubles, low: Doubles, close: Doubles) -> Doubles:
    """Rogers & Satchell (1991), Ann. Appl. Prob. 1, 504: ln(H/C) ln(H/O) + ln(L/C) ln(L/O).

    Any drift, no overnight; about 6.
    """
    _enough(close, 1)
    return _root(np.mean(_rogers_satchell(open_, high, low, close), axis=-1))


def yang_zhang(open_: Doubles, high: Doubles, low: Doubles, close: Doubles) -> Doubles:
    """Yang & Zhang (2000), J. Business 73, 477: overnight + k · open-to-close + (1 - k) · Rogers–Satchell.

    The variances about their means of n overnight returns and n open-to-close returns, with
    k = 0.34 / (1.34 + (n + 1)/(n - 1)); the first of the n + 1 ≥ 3 bars gives its close only. Any drift and
    overnight jumps; up to 14.
    """
    _enough(close, 3)
    n = close.shape[-1] - 1
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    rest = tuple(prices[..., 1:] for prices in (open_, high, low, close))
    overnight = np.var(_log(rest[0]) - _log(close[..., :-1]), axis=-1, ddof=1)
    body = np.var(_log(rest[3]) - _log(rest[0]), axis=-1, ddof=1)
    return _root(overnight + k * body + (1.0 - k) * np.mean(_rogers_satchell(*rest), axis=-1))


def ewma(close: Doubles, decay: float = 0.94) -> Doubles:
    """RiskMetrics (J.P. Morgan 1996): Σ λ^i r² / Σ λ^i, i = 0 for the newest log return; mean taken as 0.

    The weights sum to 1 over the returns that there are. ValueError unless 0 < `decay` < 1.
    """
    _enough(close, 2)
    if not 0.0 < decay < 1.0:
        raise ValueError(f"decay must be between 0 and 1, not {decay}")
    weight = decay ** np.arange(close.shape[-1] - 1)[::-1]
    return _root(np.diff(_log(close), axis=-1) ** 2 @ (weight / weight.sum()))


def _rogers_satchell(open_: Doubles, high: Doubles, low: Doubles, close: Doubles) -> Doubles:
    o, top, bottom, c = (_log(prices) for prices in (open_, high, low, close))
    terms: Doubles = (top - c) * (top - o) + (bottom - c) * (bottom - o)
    return terms


def _log(prices: Doubles) -> Doubles:
    usable = np.isfinite(prices) & (prices > 0.0)
    logs: Doubles = np.log(np.where(usable, prices, np.nan))
    return logs


def _root(variance: Doubles) -> Doubles:
    # A bar whose close is outside its range can make a sum negative: there is no volatility then.
    roots: Doubles = np.sqrt(np.where(variance >= 0.0, variance, np.nan))
    return roots


def _enough(prices: Doubles, fewest: int) -> None:
    if prices.shape[-1] < fewest:
        raise ValueError(f"at least {fewest} bars are needed, not {prices.shape[-1]}")
