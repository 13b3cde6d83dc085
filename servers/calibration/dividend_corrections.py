"""What cash dividends change in the vols of American options, where dividends as a yield gave them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from skewline.servers.calibration.cash_dividends import CashDividends
from skewline.servers.calibration.contracts import Doubles, Flags

# Options of one side of an expiry that are solved on the grid, at most: the change is smooth in the strike.
_MOST_PLACES: Final = 5


def dividend_corrections(
    dividends: CashDividends,
    vols: Doubles,
    spot: float,
    is_call: Flags,
    price: Doubles,
    strike: Doubles,
    years: Doubles,
    forward: Doubles,
    discount: Doubles,
    *,
    threads: int = 1,
) -> Doubles:
    """European vols with cash dividends less `vols`, those with a yield; all arrays have the shape of `vols`.

    At a few options of each expiry and right, linear in strike between them. 0 where no dividend comes before
    the expiry, or nothing can be said.
    """
    flat: list[NDArray[Any]] = [np.ascontiguousarray(each).reshape(-1) for each in (
        vols, is_call, price, strike, years, forward, discount
    )]  # fmt: skip
    v, call, p, k, t, f, d = flat
    found = np.zeros(v.size)
    for expiry in np.unique(t[t > dividends.times[0]]).tolist():
        for right in (True, False):
            rows = np.flatnonzero((t == expiry) & (call == right) & np.isfinite(v))
            if not rows.size:
                continue
            rows = rows[np.argsort(k[rows], kind="stable")]
            spread = np.linspace(0, rows.size - 1, min(_MOST_PLACES, rows.size)).round().astype(np.int64)
            at = rows[np.unique(spread)]
            solved = dividends.european_vols(
                *(call[at], p[at], spot, k[at], expiry, float(f[at[0]]), float(d[at[0]])), threads=threads
            )
            told = np.isfinite(solved)
            if told.any():
                found[rows] = np.interp(k[rows], k[at][told], (solved - v[at])[told])
    return found.reshape(vols.shape)
