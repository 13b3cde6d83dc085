"""Random starts on the DAX surface: how many end in a bad fit that nobody is told of."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from published_surfaces import DAX_2002_SSE, dax_2002
from quantlib_installed import INSTALLED, MISSING
from table_row import Row, Rows, Unit

from skewline.cyext import heston
from skewline.cyext.arguments import Doubles

_OURS, _THEIRS = 1000, 60
#: How far from the published optimum (vol points²) a fit is bad.
_TOLERANCE = 0.1


def rows() -> Rows:
    """Both counted by one rule: a fit is bad when its SSE is not the optimum's and it claims to be done."""
    surface = dax_2002()

    def ours(start: Doubles) -> tuple[float, bool]:
        fit = heston.calibrate(surface.forward, surface.strike, surface.expiry, surface.vols, initial=start)
        return fit.sse, fit.converged and not fit.at_bounds and fit.agreed is not False

    silent, flagged, seconds = _count(_OURS, ours)
    peer = MISSING
    if INSTALLED:
        from quantlib_heston_peer import DaxSurface

        quantlib = DaxSurface(surface, 4468.17)

        def theirs(start: Doubles) -> tuple[float, bool]:
            ending = quantlib.fit(start)
            return ending.sse, ending.finished

        wrong, told, _ = _count(_THEIRS, theirs)
        peer = f"QuantLib LM: {wrong} of {_THEIRS} silently bad, {told} flagged"
    yield Row(
        work=f"silently bad fits of {_OURS:,} random starts",
        ours=float(silent),
        accuracy=f"{flagged} more flagged; {seconds / _OURS * 1e3:.2f} ms a start on average",
        peer=peer,
        floor=0.0,
        goal=0.0,
        unit=Unit.STARTS,
    )


def _count(size: int, fit: Callable[[Doubles], tuple[float, bool]]) -> tuple[int, int, float]:
    """Silently bad ones, flagged ones, and seconds in all."""
    rng = np.random.default_rng(7)
    silent = flagged = 0
    begin = time.thread_time()
    for _ in range(size):
        start = np.array(
            [
                *(10 ** rng.uniform(-3, 0), 10 ** rng.uniform(-1, 1.5), 10 ** rng.uniform(-3, 0)),
                *(10 ** rng.uniform(-1, 0.8), rng.uniform(-0.95, 0.95)),
            ]
        )
        sse, claims = fit(start)
        bad = not abs(sse * 1e4 - DAX_2002_SSE) <= _TOLERANCE
        silent += bad and claims
        flagged += not claims
    return silent, flagged, time.thread_time() - begin
