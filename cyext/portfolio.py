"""Full revaluation of a portfolio of European options in scenarios, for value at risk and stress tests.

In each scenario every option is priced anew by Black-76 (`skewline.cyext.black`), not expanded in Greeks:

* forward' = forward × spot_factor × exp(carry_shift × left)
* vol' = vol × exp(vol_weight × vol_shock)
* left = max(expiry - time_passed, 0)
* discount' = discount × exp(yield × (expiry - left) - rate_shift × left), yield = -ln(discount)/expiry

Time passing and `rate_shift` hold the forward, as `theta` and `rho` of `black.greeks` do. A shift of the rate
at a constant spot moves the forward too: give it as `rate_shift` and as `carry_shift`.

Positions are columns (options,), or one value for all. Scenarios are columns (scenarios,), or one value for
all; `spot_factor` and `vol_shock` may be (underlyings, scenarios), and then `underlying` (options,) names
each option's row. Units: factors are plain ratios (0.9 is 10 % down), `vol_shock` is the change of the
logarithm of vol where `vol_weight` is 1, `time_passed` is in years, shifts per 1.00 of rate, `quantity`
counts units of the underlying (contracts × multiplier), negative for sold ones.

An option without a value (see `status`) is in no sum; a scenario whose shocks are not finite or whose time
runs backwards, or in which an option has no value, is NaN as a whole. A scenario's answer depends neither on
the other scenarios nor on `threads`: profits are added up in the order of the options. A value differs from
`black.price` of the shocked arguments by less than 1e-12 of itself plus 4e-15 of the forward or strike (the
rounding of those arguments).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _portfolio, black
from skewline.cyext.arguments import Codes, Doubles, thread_count
from skewline.cyext.portfolio_arguments import Book, Scenarios
from skewline.cyext.status import Status

__all__ = ["Revaluation", "Status", "matrix", "revalue"]


@dataclass(frozen=True, slots=True)
class Revaluation:
    """A portfolio in scenarios: `profit` (scenarios,) over `base`, what it is worth before any shock.

    `status` (options,) is the `Status` code of each option: those that are not OK are left out of both.
    """

    profit: Doubles
    base: float
    status: Codes

    @property
    def value(self) -> Doubles:
        """What the portfolio is worth in each scenario."""
        return self.base + self.profit


def revalue(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    vol: ArrayLike,
    quantity: ArrayLike,
    *,
    spot_factor: ArrayLike = 1.0,
    vol_shock: ArrayLike = 0.0,
    vol_weight: ArrayLike = 1.0,
    underlying: ArrayLike | None = None,
    time_passed: ArrayLike = 0.0,
    rate_shift: ArrayLike = 0.0,
    carry_shift: ArrayLike = 0.0,
    base: ArrayLike | None = None,
    threads: int = 1,
) -> Revaluation:
    """Profit of the whole portfolio in each scenario, in the memory of one number a scenario and 128 options.

    `base` is the value (options,) of one unit that profits count from, by default the price before any
    shock.
    """
    count = thread_count(threads)
    numbers = {"forward": forward, "strike": strike, "expiry": expiry, "discount": discount, "vol": vol}
    before = base
    if before is None:
        before = black.price(is_call, forward, strike, expiry, discount, vol, threads=count)
        _portfolio.make_finite(before.reshape(-1), count)
    scenarios = Scenarios.of(spot_factor, vol_shock, time_passed, rate_shift, carry_shift)
    book = Book.of(
        is_call,
        {**numbers, "vol_weight": vol_weight, "quantity": quantity, "base": before},
        underlying,
        scenarios.underlyings,
    )
    status = np.empty(book.size, dtype=np.int32)
    _portfolio.examine(book, status, count)
    profit = np.zeros(scenarios.count)
    if profit.size and book.size:
        groups = np.empty((_portfolio.groups(book.size), profit.size))
        _portfolio.profit(book, status, scenarios, groups, profit, count)
    with np.errstate(all="ignore"):  # of what is left out
        worth = book.quantity * book.base
    return Revaluation(profit, float(np.sum(worth[status == Status.OK])), status)


def matrix(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    vol: ArrayLike,
    *,
    spot_factor: ArrayLike = 1.0,
    vol_shock: ArrayLike = 0.0,
    vol_weight: ArrayLike = 1.0,
    underlying: ArrayLike | None = None,
    time_passed: ArrayLike = 0.0,
    rate_shift: ArrayLike = 0.0,
    carry_shift: ArrayLike = 0.0,
    threads: int = 1,
) -> Doubles:
    """Price of one unit of each option in each scenario, (scenarios, options); NaN where there is none.

    It is the transpose of a C-contiguous array: `.T` has an option's prices in one row.
    """
    numbers = {"forward": forward, "strike": strike, "expiry": expiry, "discount": discount, "vol": vol}
    scenarios = Scenarios.of(spot_factor, vol_shock, time_passed, rate_shift, carry_shift)
    book = Book.of(
        is_call,
        {**numbers, "vol_weight": vol_weight, "quantity": 1.0, "base": 0.0},
        underlying,
        scenarios.underlyings,
    )
    count = thread_count(threads)
    status = np.empty(book.size, dtype=np.int32)
    _portfolio.examine(book, status, count)
    rows = np.empty((book.size, scenarios.count))
    if rows.size:
        _portfolio.matrix(book, status, scenarios, rows, count)
    return rows.T
