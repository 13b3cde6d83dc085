"""QuantLib's SABR fit of one smile, beta fixed, from the same plain start."""

from __future__ import annotations

import QuantLib as ql  # noqa: N813

from skewline.cyext.arguments import Doubles


class Smile:
    """Strikes and vols as QuantLib takes them."""

    def __init__(self, forward: float, expiry: float, strikes: Doubles, vols: Doubles, beta: float) -> None:
        self._forward, self._expiry, self._beta = forward, expiry, beta
        self._strikes, self._vols = ql.Array(strikes.tolist()), ql.Array(vols.tolist())
        self._level = float(vols[vols.size // 2]) * forward ** (1 - beta)

    def fit(self) -> tuple[float, float, float]:
        """(alpha, rho, nu)."""
        found = ql.SABRInterpolation(
            *(self._strikes, self._vols, self._expiry, self._forward),
            *(self._level, self._beta, 0.5, 0.0, False, True, False, False, False),
            # One descent: by default it starts anew, up to 50 times, while the error is above 0.2 %.
            *(ql.EndCriteria(1000, 100, 1e-8, 1e-8, 1e-8), ql.LevenbergMarquardt(1e-8, 1e-8, 1e-8), 1.0),
        )
        return found.alpha(), found.rho(), found.nu()
