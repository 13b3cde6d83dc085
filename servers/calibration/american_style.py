"""American options: the vol that their price implies, and what they would cost without early exercise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import american, black
from skewline.servers.calibration.cash_dividends import NO_DIVIDENDS, CashDividends
from skewline.servers.calibration.contracts import Doubles, Flags
from skewline.servers.calibration.dividend_corrections import dividend_corrections
from skewline.servers.calibration.parity import ParityPairs

_CALL_THEN_PUT = np.array([[True], [False]])


def american_vols(
    is_call: Flags,
    price: Doubles,
    spot: ArrayLike,
    strike: Doubles,
    years: ArrayLike,
    forward: ArrayLike,
    discount: ArrayLike,
    *,
    threads: int = 1,
) -> Doubles:
    """Vols of American `price`, NaN where none exists; rate and carry are those of forward and discount.

    Dividends are taken as a yield here: r = -ln D / T, q = r - ln(F / S) / T.
    """
    rate = -np.log(discount) / years
    carry_yield = rate - np.log(np.asarray(forward) / spot) / years
    return american.implied_vol(is_call, price, spot, strike, years, rate, carry_yield, threads=threads)


def european_prices(
    is_call: Flags,
    price: Doubles,
    spot: ArrayLike,
    strike: Doubles,
    years: ArrayLike,
    forward: ArrayLike,
    discount: ArrayLike,
    *,
    dividends: CashDividends = NO_DIVIDENDS,
    threads: int = 1,
) -> Doubles:
    """What American `price` would be without early exercise, at the vol that it implies; NaN without one.

    With `dividends` as cash where there are any until an option's expiry; `spot` is then one number.
    """
    vols = american_vols(is_call, price, spot, strike, years, forward, discount, threads=threads)
    if dividends.times.size:
        columns = np.broadcast_arrays(is_call, price, strike, years, forward, discount)
        vols = vols + dividend_corrections(dividends, vols, float(np.max(spot)), *columns, threads=threads)
    return black.price(is_call, forward, strike, years, discount, vols, threads=threads)


def european_pairs(
    pairs: Sequence[ParityPairs],
    forward: Doubles,
    discount: Doubles,
    years: Doubles,
    spot: float,
    dividends: CashDividends = NO_DIVIDENDS,
) -> list[ParityPairs]:
    """The pairs of each expiry at European prices, by the vols of their American ones.

    A pair without both vols is left out. `forward`, `discount` and `years` have one element an expiry.
    """
    sizes = [each.strike.size for each in pairs]
    expiry = np.repeat(np.arange(len(pairs)), sizes)
    columns = [np.concatenate([getattr(each, name) for each in pairs]) for name in ("strike", "call", "put")]
    prices = european_prices(
        _CALL_THEN_PUT,
        np.stack(columns[1:]),
        spot,
        columns[0],
        years[expiry],
        forward[expiry],
        discount[expiry],
        dividends=dividends,
    )
    found = []
    for stop, each in zip(np.cumsum(sizes).tolist(), pairs, strict=True):
        rows = slice(stop - each.strike.size, stop)
        european = ParityPairs(each.strike, prices[0, rows], prices[1, rows], each.half_width)
        found.append(european.at(np.isfinite(european.difference)))
    return found
