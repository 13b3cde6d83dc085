"""Volatilities of an underlying from its stored spots: each a value, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from skewline.servers.marketdata.bars import bars
from skewline.servers.marketdata.realised import estimators, forecasts
from skewline.servers.marketdata.realised.estimators import Doubles
from skewline.v1 import chain_pb2
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
    """Bars, oldest first: prices, the number of spots in each, realised variance (sum of squared returns)."""

    open: Doubles
    high: Doubles
    low: Doubles
    close: Doubles
    prices: Doubles
    variance: Doubles

    @classmethod
    def of(cls, spots: Sequence[tuple[int, float]], interval_ns: int) -> History:
        """The newest bars of `spots` (time_ns, price; oldest first), `MOST_BARS` at most."""
        made = bars(spots, interval_ns)
        squares = np.diff(np.log([price for _, price in spots]), prepend=math.nan) ** 2
        starts = np.cumsum([0, *(bar.snapshots for bar in made[:-1])]).astype(np.intp)
        variance = np.add.reduceat(squares, starts) if made else squares
        return cls(
            open=_column(made, "open"),
            high=_column(made, "high"),
            low=_column(made, "low"),
            close=_column(made, "close"),
            prices=_column(made, "snapshots"),
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
    fewest = int(part.prices.min(initial=math.inf)) if part.close.size else 0
    if part.close.size < window:
        made.reason = f"there are {part.close.size} bars of {window}"
    elif estimator in _BY_RANGE and fewest < FEWEST_PRICES:
        made.reason = f"a bar has {fewest} prices: a range needs {FEWEST_PRICES}, or is far too small"
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


def _column(made: Sequence[chain_pb2.Bar], name: str) -> Doubles:
    return np.array([getattr(bar, name) for bar in made[-MOST_BARS:]], dtype=np.float64)
