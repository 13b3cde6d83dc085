"""A book of 10,000 options revalued in 1,000 scenarios of spot and volatility."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
from scipy.special import ndtr
from stopwatch import race
from table_row import Peer, Row, Rows, timed

from skewline.cyext import black, portfolio
from skewline.cyext.arguments import Doubles

_OPTIONS, _SCENARIOS = 10_000, 1_000
#: The peer does so many of the scenarios: their time is proportional to their number.
_OF_THE_PEER = 20


def rows() -> Rows:
    """One thread beside NumPy and SciPy, and both threads against the floor."""
    rng = np.random.default_rng(8)
    forward = np.full(_OPTIONS, 100.0)
    strike, expiry = rng.uniform(70, 140, _OPTIONS), rng.uniform(0.02, 2, _OPTIONS)
    is_call, vol = strike > 100, rng.uniform(0.1, 0.6, _OPTIONS)
    discount, quantity = np.exp(-0.02 * expiry), rng.integers(-50, 51, _OPTIONS).astype(float)
    factor, shock = np.exp(0.02 * rng.standard_normal(_SCENARIOS)), 0.1 * rng.standard_normal(_SCENARIOS)
    contracts = (is_call, forward, strike, expiry, discount, vol)
    revalue = partial(portfolio.revalue, *contracts, quantity, spot_factor=factor, vol_shock=shock)
    profit = revalue().profit
    error = 0.0
    before = black.price(*contracts)
    for i in range(0, _SCENARIOS, 100):
        after = black.price(is_call, forward * factor[i], *contracts[2:5], vol * np.exp(shock[i]))
        error = max(error, abs(profit[i] / float(quantity @ (after - before)) - 1))
    accuracy = f"{max(error, 1e-16):.0e} rel. from black.price, option by option"

    def numpy_profit() -> Doubles:
        some = slice(0, _OF_THE_PEER)
        at = forward * factor[some, np.newaxis]
        s = vol * np.exp(shock[some, np.newaxis]) * np.sqrt(expiry)
        d1 = np.log(at / strike) / s + s / 2
        sign = np.where(is_call, 1.0, -1.0)
        value = sign * discount * (at * ndtr(sign * d1) - strike * ndtr(sign * (d1 - s)))
        total: Doubles = (value - before) @ quantity
        return total

    theirs = numpy_profit()
    error = max(error, float(np.max(np.abs(profit[:_OF_THE_PEER] / theirs - 1))))
    peer = Peer("NumPy + SciPy", numpy_profit, _OPTIONS * _OF_THE_PEER)
    units = _OPTIONS * _SCENARIOS
    exact = error < 1e-9
    yield timed("revaluation, an option in a scenario", revalue, units, accuracy, peer=peer, exact=exact)
    (both,) = race(partial(revalue, threads=2), seconds=2.0, clock=time.perf_counter)
    yield Row(
        f"the whole, {_OPTIONS:,} options × {_SCENARIOS:,} scenarios",
        both.best,
        accuracy,
        exact=exact,
        floor=0.12,
        threads=2,
        spread=both.spread,
    )
