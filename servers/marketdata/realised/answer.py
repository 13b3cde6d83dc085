"""Volatilities of an underlying from its prices: each a value, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from skewline.servers.marketdata.bars.piece import Piece
from skewline.servers.marketdata.realised import estimators, forecasts
from skewline.servers.marketdata.realised.estimators import Doubles
from skewline.v1 import market_data_service_pb2 as pb

MOST_BARS: Final = 2520
"""Ten years of days."""

FEWEST_PRICES: Final = 50
"""Prices below which a bar has no range to speak of.

Seen at n moments, the range of a Brownian motion is too small by about 0.73 / sqrt(n) of itself (after
Broadie, Glasserman & Kou 1997): a tenth for 50.
"""


@dataclass(frozen=True, slots=True)
class History:
    """Bars, oldest first: prices, how many of them each saw, realised variance (sum of squared returns).

    A recorded bar saw all prices: their number is infinite.
    """

    open: Doubles
    high: Doubles
    low: Doubles
    close: Doubles
    prices: Doubles
    variance: Doubles

    @classmethod
    def of(cls, groups: Sequence[Sequence[Piece]]) -> History:
        """The newest bars, `MOST_BARS` at most, that `groups` of pieces make: each a bar, oldest first."""
        closes = [piece.close for group in groups for piece in group]
        squares = np.diff(np.log(closes), prepend=math.nan) ** 2
        starts = np.cumsum([0, *(len(group) for group in groups[:-1])]).astype(np.intp)
        variance = np.add.reduceat(squares, starts) if groups else squares
        newest = groups[-MOST_BARS:]
        return cls(
            open=_doubles(group[0].open for group in newest),
            high=_doubles(max(piece.high for piece in group) for group in newest),
            low=_doubles(min(piece.low for piece in group) for group in newest),
            close=_doubles(group[-1].close for group in newest),
            prices=_doubles(math.inf if group[0].is_bar else len(group) for group in newest),
            variance=variance[-MOST_BARS:],
        )

    def newest(self, count: int) -> History:
        """The last `count` bars."""
        columns = (self.open, self.high, self.low, self.close, self.prices, self.variance)
        return History(*(column[-count:] for column in columns))


Estimate: TypeAlias = Callable[[History], float]

_WINDOWED: Final[dict[int, Estimate]] = {
    pb.VOLATILITY_ESTIMATOR_CLOSE_TO_CLOSE: lambda h: float(estimators.close_to_close(h.close)),
    pb.VOLATILITY_ESTIMATOR_PARKINSON: lambda h: float(estimators.parkinson(h.high, h.low)),
    pb.VOLATILITY_ESTIMATOR_GARMAN_KLASS: lambda h: float(
        estimators.garman_klass(h.open, h.high, h.low, h.close)
    ),
    pb.VOLATILITY_ESTIMATOR_ROGERS_SATCHELL: lambda h: float(
        estimators.rogers_satchell(h.open, h.high, h.low, h.close)
    ),
    pb.VOLATILITY_ESTIMATOR_YANG_ZHANG: lambda h: float(
        estimators.yang_zhang(h.open, h.high, h.low, h.close)
    ),
}
_WHOLE: Final[dict[int, Estimate]] = {
    pb.VOLATILITY_ESTIMATOR_EWMA: lambda h: float(estimators.ewma(h.close)),
    pb.VOLATILITY_ESTIMATOR_GARCH: lambda h: _converged(forecasts.garch(h.close)),
    # the first bar's variance lacks the return into it
    pb.VOLATILITY_ESTIMATOR_HAR: lambda h: forecasts.har(h.variance[1:]),
}
_FEWEST: Final[dict[int, int]] = {
    pb.VOLATILITY_ESTIMATOR_EWMA: 3,
    pb.VOLATILITY_ESTIMATOR_GARCH: forecasts.FEWEST + 1,
    pb.VOLATILITY_ESTIMATOR_HAR: forecasts.FEWEST + 1,
}
_BY_RANGE: Final = frozenset(_WINDOWED) - {pb.VOLATILITY_ESTIMATOR_CLOSE_TO_CLOSE}


def volatilities(
    history: History, windows: Sequence[int], wanted: Sequence[int], bars_a_year: float
) -> list[pb.RealisedVolatility]:
    """Each of `wanted` (empty: all) over each window of 3 bars or more; those of the whole history, once."""
    chosen = wanted or [*_WINDOWED, *_WHOLE]
    return [
        _volatility(history, estimator, window, bars_a_year)
        for estimator in dict.fromkeys(chosen)
        for window in (windows if estimator in _WINDOWED else [max(history.close.size, _FEWEST[estimator])])
    ]


def _volatility(history: History, estimator: int, window: int, bars_a_year: float) -> pb.RealisedVolatility:
    part = history.newest(window)
    made = pb.RealisedVolatility(bars=part.close.size, vol=math.nan)
    made.estimator = pb.VolatilityEstimator.ValueType(estimator)
    fewest = part.prices.min() if part.close.size else 0.0
    if part.close.size < window:
        made.reason = f"there are {part.close.size} bars of {window}"
    elif estimator in _BY_RANGE and fewest < FEWEST_PRICES:
        made.reason = f"a bar has {fewest:.0f} prices: a range needs {FEWEST_PRICES}, or is far too small"
    else:
        try:
            made.vol = (_WINDOWED | _WHOLE)[estimator](part) * math.sqrt(bars_a_year)
        except ValueError as error:
            made.reason = str(error)
    return made


def _converged(fit: forecasts.Garch) -> float:
    if not fit.converged:
        raise ValueError("the fit did not converge")
    return fit.forecast


def _doubles(values: Iterable[float]) -> Doubles:
    return np.fromiter(values, dtype=np.float64)
