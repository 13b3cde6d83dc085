"""American options: the vol that their price implies, and what they would cost without early exercise."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import american, black
from skewline.servers.calibration.contracts import Doubles, Flags
from skewline.servers.calibration.parity import ParityPairs


def american_vols(
    is_call: Flags,
    price: Doubles,
    spot: float,
    strike: Doubles,
    years: ArrayLike,
    forward: ArrayLike,
    discount: ArrayLike,
    *,
    threads: int = 1,
) -> Doubles:
    """Vols of American `price`, NaN where none exists; rate and carry are those of forward and discount.

    Dividends are taken as a yield: r = -ln D / T, q = r - ln(F / S) / T.
    """
    rate = -np.log(discount) / years
    carry_yield = rate - np.log(np.asarray(forward) / spot) / years
    return american.implied_vol(is_call, price, spot, strike, years, rate, carry_yield, threads=threads)


def european_prices(
    is_call: Flags,
    price: Doubles,
    spot: float,
    strike: Doubles,
    years: ArrayLike,
    forward: ArrayLike,
    discount: ArrayLike,
    *,
    threads: int = 1,
) -> Doubles:
    """What American `price` would be without early exercise, at the vol that it implies; NaN without one."""
    vols = american_vols(is_call, price, spot, strike, years, forward, discount, threads=threads)
    return black.price(is_call, forward, strike, years, discount, vols, threads=threads)


def european_pairs(
    pairs: ParityPairs, forward: float, discount: float, years: float, spot: float
) -> ParityPairs:
    """`pairs` at European prices, by the vols of their American ones; those without a vol are left out."""
    prices = {
        is_call: european_prices(
            np.full(mid.size, is_call), mid, spot, pairs.strike, years, forward, discount
        )
        for is_call, mid in ((True, pairs.call), (False, pairs.put))
    }
    european = ParityPairs(pairs.strike, prices[True], prices[False], pairs.half_width)
    return european.at(np.isfinite(european.difference))
