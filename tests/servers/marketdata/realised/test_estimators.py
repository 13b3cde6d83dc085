"""Estimators against their printed formulas, and against price paths whose volatility is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from skewline.servers.marketdata.realised import estimators
from skewline.servers.marketdata.realised.estimators import Doubles

VOL = 0.013
LOG2 = math.log(2.0)
Bars = tuple[Doubles, Doubles, Doubles, Doubles]
OF: dict[str, Callable[[Doubles, Doubles, Doubles, Doubles], Doubles]] = {
    "close_to_close": lambda o, h, low, c: estimators.close_to_close(c),
    "parkinson": lambda o, h, low, c: estimators.parkinson(h, low),
    "garman_klass": estimators.garman_klass,
    "rogers_satchell": estimators.rogers_satchell,
    "yang_zhang": estimators.yang_zhang,
    "ewma": lambda o, h, low, c: estimators.ewma(c),
}


def paths(windows: int, bars: int, *, drift: float = 0.0, overnight: float = 0.0, seed: int = 1) -> Bars:
    """Open, high, low, close of Brownian bars of standard deviation VOL; `drift` a bar, jumps between bars.

    50 steps a bar, and between two of them the extremes of the Brownian bridge, drawn exactly.
    """
    draw, steps = np.random.default_rng(seed), 50
    variance = VOL**2 / steps
    moves = drift / steps + math.sqrt(variance) * draw.standard_normal((windows, bars, steps))
    away = np.sqrt(moves**2 - 2.0 * variance * np.log(draw.uniform(size=(2, *moves.shape))))
    before = np.cumsum(moves, axis=-1) - moves
    body = moves.sum(axis=-1)
    jumps = overnight * draw.standard_normal((windows, bars))
    start = np.cumsum(body + jumps, axis=-1) - body
    high = start + (before + 0.5 * (moves + away[0])).max(axis=-1)
    low = start + (before + 0.5 * (moves - away[1])).min(axis=-1)
    o, top, bottom, c = (100.0 * np.exp(x) for x in (start, high, low, start + body))
    return o, top, bottom, c


def test_one_bar_gives_the_printed_formulas() -> None:
    o, h, low, c = (np.array([x]) for x in (100.0, 103.0, 98.0, 101.0))
    span, body = math.log(103 / 98), math.log(1.01)
    assert estimators.parkinson(h, low) == pytest.approx(span / math.sqrt(4 * LOG2))
    expected = math.sqrt(0.5 * span**2 - (2 * LOG2 - 1) * body**2)
    assert estimators.garman_klass(o, h, low, c) == pytest.approx(expected)
    terms = math.log(103 / 101) * math.log(1.03) + math.log(98 / 101) * math.log(0.98)
    assert estimators.rogers_satchell(o, h, low, c) == pytest.approx(math.sqrt(terms))


def test_closes_give_the_printed_formulas() -> None:
    c = np.array([100.0, 102.0, 101.0, 104.0])
    r = [math.log(1.02), math.log(101 / 102), math.log(104 / 101)]
    mean = sum(r) / 3
    assert estimators.close_to_close(c) == pytest.approx(math.sqrt(sum((x - mean) ** 2 for x in r) / 2))
    weighted = (r[2] ** 2 + 0.9 * r[1] ** 2 + 0.81 * r[0] ** 2) / 2.71
    assert estimators.ewma(c, 0.9) == pytest.approx(math.sqrt(weighted))


def test_yang_zhang_is_its_three_parts() -> None:
    o, h, low, c = (prices[0] for prices in paths(1, 12, overnight=0.01))
    k = 0.34 / (1.34 + 12 / 10)
    parts = (
        np.var(np.log(o[1:] / c[:-1]), ddof=1),
        k * np.var(np.log(c[1:] / o[1:]), ddof=1),
        (1 - k) * estimators.rogers_satchell(o[1:], h[1:], low[1:], c[1:]) ** 2,
    )
    assert estimators.yang_zhang(o, h, low, c) == pytest.approx(math.sqrt(sum(parts)), rel=1e-12)


@pytest.mark.parametrize("name", OF)
def test_a_known_volatility_is_found(name: str) -> None:
    found = OF[name](*paths(400, 40))
    assert found.shape == (400,)
    assert math.sqrt(float(np.mean(found**2))) == pytest.approx(VOL, rel=0.015)


def test_ranges_say_more_than_closes_in_the_known_order() -> None:
    bars = paths(4000, 12)
    spread = {name: float(np.var(of(*bars) ** 2)) for name, of in OF.items()}
    efficiency = {name: spread["close_to_close"] / one for name, one in spread.items()}
    # 4.9, 7.4 and 6.0 in the papers, where the close's variance is about a known mean: here 12/11 more
    assert efficiency["parkinson"] == pytest.approx(4.9 * 12 / 11, rel=0.1)
    assert efficiency["garman_klass"] == pytest.approx(7.4 * 12 / 11, rel=0.1)
    assert efficiency["rogers_satchell"] == pytest.approx(6.0 * 12 / 11, rel=0.1)
    assert efficiency["yang_zhang"] > 5.0


def test_a_drift_misleads_only_those_that_leave_it_out() -> None:
    bars = paths(400, 40, drift=VOL)
    found = {name: math.sqrt(float(np.mean(of(*bars) ** 2))) / VOL for name, of in OF.items()}
    for name in ("close_to_close", "rogers_satchell", "yang_zhang"):
        assert found[name] == pytest.approx(1.0, rel=0.015), name
    for name in ("parkinson", "garman_klass", "ewma"):
        assert found[name] > 1.05, name


def test_jumps_between_bars_are_seen_by_closes_and_by_yang_zhang() -> None:
    bars = paths(400, 40, overnight=VOL)
    found = {name: math.sqrt(float(np.mean(of(*bars) ** 2))) / VOL for name, of in OF.items()}
    for name in ("close_to_close", "yang_zhang", "ewma"):
        assert found[name] == pytest.approx(math.sqrt(2.0), rel=0.02), name
    for name in ("parkinson", "garman_klass", "rogers_satchell"):
        assert found[name] == pytest.approx(1.0, rel=0.015), name


@pytest.mark.parametrize("name", OF)
@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_a_price_that_is_none_spoils_its_own_series_only(name: str, bad: float) -> None:
    bars = paths(3, 10)
    clean = OF[name](*bars)
    for prices in bars:
        prices[1, 4] = bad
    found = OF[name](*bars)
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == clean[[0, 2]].tolist()


@pytest.mark.parametrize(("name", "fewest"), [("close_to_close", 3), ("yang_zhang", 3), ("ewma", 2)])
def test_too_few_bars_are_refused(name: str, fewest: int) -> None:
    with pytest.raises(ValueError, match=f"at least {fewest} bars are needed, not {fewest - 1}"):
        OF[name](*(prices[0] for prices in paths(1, fewest - 1)))


def test_a_decay_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="decay must be between 0 and 1, not"):
        estimators.ewma(np.ones(5), 1.0)
