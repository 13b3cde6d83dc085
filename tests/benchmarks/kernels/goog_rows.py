"""The GOOG chain of 2015-12-24: American implied vols of every contract with a quote."""

from __future__ import annotations

from datetime import date
from functools import partial

import numpy as np
from real_chains import NO_GOOG, Quotes, goog, prepared
from table_row import Row, Rows, Target, timed

from skewline.cyext import american
from skewline.cyext.status import Status

_DAY = date(2015, 12, 24)


def rows() -> Rows:
    """All vols at once; the round trip is price → vol → price."""
    if NO_GOOG:
        yield Row("the whole chain", reason=NO_GOOG)
        return
    chain = goog(_DAY)
    contracts, forwards = prepared(chain, american=True)
    q = Quotes.of(contracts, forwards)
    rate = -np.log(q.discount) / q.years
    carry_yield = rate - np.log(q.forward / chain.spot) / q.years
    terms = (chain.spot, q.strike, q.years, rate, carry_yield)
    solve = partial(american.implied_vol_with_status, q.is_call, q.mid, *terms)
    found = solve()
    told = found.status == Status.OK
    error = np.abs(american.price(q.is_call, *terms, found.vol)[told] / q.mid[told] - 1)
    good, none = int((error <= 1e-8).sum()), int((found.status == Status.BELOW_INTRINSIC).sum())
    said = f"{int(told.sum()):,} vols, {none} below intrinsic"
    yield timed(
        f"implied vols of all {q.mid.size:,} two-sided quotes of {contracts.strike.size:,} contracts",
        solve,
        1,
        f"{said}; price → vol → price ≤ 1e-8 for {good:,}, worst {error.max():.0e}",
        target=Target(40e-3, 15e-3),
        exact=bool(good == told.sum() and told.sum() + none == told.size),
    )
