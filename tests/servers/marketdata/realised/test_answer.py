"""From spots to volatilities: one answer an estimator and window, a reason where there is no number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from skewline.servers.marketdata.bars.piece import by_bar, moment
from skewline.servers.marketdata.realised.answer import MOST_BARS, History, volatilities
from skewline.v1 import market_data_service_pb2 as pb

BAR_NS = 1_000_000


def spots(bars: int, a_bar: int, *, vol: float = 0.01, seed: int = 2) -> list[tuple[int, float]]:
    """`a_bar` moments of each bar, one after another; `vol` a bar."""
    moves = np.random.default_rng(seed).standard_normal(bars * a_bar) * vol / math.sqrt(a_bar)
    times = [bar * BAR_NS + at for bar in range(bars) for at in range(a_bar)]
    return list(zip(times, (100.0 * np.exp(np.cumsum(moves))).tolist(), strict=True))


def history(spots: list[tuple[int, float]]) -> History:
    return History.of(list(by_bar((moment(*spot) for spot in spots), BAR_NS)))


def test_every_estimator_finds_the_volatility_of_a_long_path() -> None:
    found = volatilities(history(spots(600, 400)), [500], [], 252.0)
    assert [one.estimator for one in found] == [n for n in pb.VolatilityEstimator.values() if n]
    for one in found:
        # EWMA weighs some 30 bars; a range seen at 400 moments is 3.6 % too small
        tolerance = 0.2 if one.estimator == pb.VOLATILITY_ESTIMATOR_EWMA else 0.08
        assert one.vol == pytest.approx(0.01 * math.sqrt(252), rel=tolerance), one
        assert not one.reason
        assert one.bars == (500 if one.estimator < pb.VOLATILITY_ESTIMATOR_EWMA else 600)


def test_the_variance_of_a_bar_holds_the_step_into_it() -> None:
    made = history([(0, 100.0), (1, 101.0), (BAR_NS, 103.0), (BAR_NS + 1, 102.0)])
    assert math.isnan(made.variance[0])
    assert made.variance[1] == pytest.approx(math.log(103 / 101) ** 2 + math.log(102 / 103) ** 2)
    assert made.prices.tolist() == [2.0, 2.0]


def test_the_newest_bars_are_kept() -> None:
    long = spots(MOST_BARS + 10, 1)
    made = history(long)
    assert made.close.tolist() == [price for _, price in long[10:]]
    assert made.variance.size == MOST_BARS


def test_a_price_that_never_moves_has_no_garch() -> None:
    still = history([(bar * BAR_NS, 5.0) for bar in range(150)])
    wanted = [pb.VOLATILITY_ESTIMATOR_GARCH, pb.VOLATILITY_ESTIMATOR_CLOSE_TO_CLOSE]
    garch, close = volatilities(still, [20], wanted, 252.0)
    assert math.isnan(garch.vol)
    assert garch.reason == "the returns do not differ"
    assert (close.vol, close.reason) == (0.0, "")


def test_what_is_asked_for_twice_is_answered_once() -> None:
    ten = history(spots(10, 1))
    wanted = [pb.VOLATILITY_ESTIMATOR_EWMA, pb.VOLATILITY_ESTIMATOR_EWMA]
    assert len(volatilities(ten, [5, 6], wanted, 252.0)) == 1
