"""American options with cash dividends, on the grid."""

from __future__ import annotations

from functools import partial

import numpy as np
from one_dividend import option
from quantlib_installed import INSTALLED, MISSING
from table_row import Peer, Rows, timed

from skewline.cyext import american, american_dividends

_CALL = (True, 100.0, 100.0, 1.0, 0.05, 0.0, 0.25)
_QUARTERS, _AMOUNT = (0.2, 0.45, 0.7, 0.95), 1.0
_BATCH = 64


def rows() -> Rows:
    """Exact against the quadrature of one dividend; timed with four of them."""
    one = american_dividends.Dividends([0.45], [3.0])
    exact = option(True, 100.0, 1.0, 0.05, 0.25, 0.45, 3.0, exercise=True)
    four = american_dividends.Dividends(_QUARTERS, [_AMOUNT] * 4)
    spots = np.linspace(80.0, 125.0, _BATCH)
    cases: tuple[american_dividends.Accuracy, ...] = ("fast", "precise")
    for accuracy in cases:
        error = abs(float(american_dividends.price(*_CALL, dividends=one, accuracy=accuracy)) - exact)
        call = partial(
            american_dividends.price, _CALL[0], spots, *_CALL[2:], dividends=four, accuracy=accuracy
        )
        yield timed(
            f"call, 1 year, four dividends, {accuracy}",
            call,
            _BATCH,
            f"err. {error:.0e} (quadrature, one dividend)",
            peer=_quantlib(),
        )
    price = american_dividends.price(_CALL[0], spots, *_CALL[2:], dividends=four)
    solve = partial(american.implied_vol, _CALL[0], price, spots, *_CALL[2:6], dividends=four)
    error = float(np.max(np.abs(solve() - _CALL[6])))
    yield timed("implied vol, four dividends", solve, _BATCH, f"{error:.0e} on the vol")


def _quantlib() -> Peer:
    if not INSTALLED:
        return Peer(MISSING)
    from quantlib_american_peer import dividend_pricer

    price = dividend_pricer((*_CALL[:3], 365, *_CALL[4:]), _QUARTERS, _AMOUNT)
    four = american_dividends.Dividends([round(365 * t) / 365 for t in _QUARTERS], [_AMOUNT] * 4)
    ours = float(american_dividends.price(*_CALL, dividends=four, accuracy="precise"))
    return Peer(f"QuantLib finite differences, 400 × 400 ({abs(price() - ours):.0e} from ours)", price)
