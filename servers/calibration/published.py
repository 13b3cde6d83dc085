"""Which smiles of a chain may stand beside one another in one surface."""

from __future__ import annotations

from typing import Final

import numpy as np

from skewline.cyext.status import Status
from skewline.cyext.variance_smile import VarianceSmile, VarianceSmiles

# Lower than the expiry before by this share of the variance at the money is rounding.
CALENDAR_ROUNDING: Final = -1e-9

_PLACES: Final = 1001
_BEYOND: Final = 4.0


def published(found: VarianceSmiles) -> list[bool]:
    """Whether each smile is free of arbitrage, by itself and with all others that are published.

    What converged is so by the fit. A smile whose search was broken off is as good if it is free of
    butterflies and lies above the last that converged, as the fit has checked, and below the next, which is
    looked at here.
    """
    free = [False] * found.expiry.size
    above: VarianceSmile | None = None
    for index in np.argsort(found.expiry, kind="stable")[::-1].tolist():
        code = found.status[index]
        if code == Status.NOT_CONVERGED and found.least_g[index] >= 0.0:
            calendar = found.calendar[index]
            lies_above = bool(np.isnan(calendar) or calendar >= CALENDAR_ROUNDING)
            free[index] = lies_above and (
                above is None or least_excess(above, found.smile(index)) >= CALENDAR_ROUNDING
            )
        else:
            free[index] = code == Status.OK
        if free[index]:
            above = found.smile(index)
    return free


def least_excess(later: VarianceSmile, earlier: VarianceSmile) -> float:
    """Least of later less earlier total variance, over the later's at the money, wings included."""
    deviation = float(np.sqrt(later.derivatives(0.0)[0]))
    ends = (min(later.knot[0], earlier.knot[0]), max(later.knot[-1], earlier.knot[-1]))
    k = np.linspace(ends[0] - _BEYOND * deviation, ends[1] + _BEYOND * deviation, _PLACES)
    k = np.concatenate((k, later.knot, earlier.knot))
    excess = later.derivatives(k)[0] - earlier.derivatives(k)[0]
    return float(excess.min()) / deviation**2
