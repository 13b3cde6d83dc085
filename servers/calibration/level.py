"""The level of the surface: its vol at the money at 30 days, and how that reverts to its mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from skewline.cyext import ou
from skewline.servers.calibration.verdict import FAILED, GOOD, POOR
from skewline.servers.runtime.day_count import DAYS_A_YEAR, YEAR_NS
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2

THIRTY_DAYS: Final = 30.0 / DAYS_A_YEAR


def atm_vol_at(years: float, slices: Sequence[surface_pb2.VolSlice]) -> float:
    """At-the-money vol at `years`, linear in total variance between good slices, flat in vol beyond them.

    0 where there is no good slice.
    """
    good = [each for each in slices if each.status == GOOD]
    if not good:
        return 0.0
    known = np.array([each.years for each in good])
    variance = np.array([each.atm_vol**2 * each.years for each in good])
    if years <= known[0]:
        return good[0].atm_vol
    if years >= known[-1]:
        return good[-1].atm_vol
    return math.sqrt(float(np.interp(years, known, variance)) / years)


def fit_level(history: Sequence[tuple[int, float]], settings: CalibrationSettings) -> surface_pb2.OuFit:
    """Ornstein-Uhlenbeck on the logarithm of `history`, (data time in ns, vol) oldest first; times in years.

    Every step is the time that passed between its points, nights, weekends and months without data included:
    the longer it was, the less the point before it says. POOR where the vols do not revert to a mean, or
    where that may be chance.
    """
    if len(history) < settings.ou_min_points:
        return surface_pb2.OuFit(observations=len(history), status=FAILED, reasons=["TOO_FEW_POINTS"])
    times = np.array([time for time, _ in history], dtype=np.int64)
    found = ou.fit(np.log([vol for _, vol in history]), np.diff(times) / YEAR_NS)
    if not (math.isfinite(found.kappa) and math.isfinite(found.sigma)):
        return surface_pb2.OuFit(observations=len(history), status=FAILED, reasons=["NO_MEAN_REVERSION"])
    reverting = found.mean_reverting and math.isfinite(found.half_life)
    checks = {
        "NO_MEAN_REVERSION": not reverting,
        "MEAN_REVERSION_NOT_SIGNIFICANT": not found.kappa >= settings.ou_min_deviations * found.stderr.kappa,
    }
    reasons = [reason for reason, true in checks.items() if true][:1]
    return surface_pb2.OuFit(
        kappa=found.kappa,
        mean=found.mean if reverting else 0.0,
        sigma=found.sigma,
        half_life=found.half_life if reverting else 0.0,
        kappa_stderr=_finite(found.stderr.kappa),
        mean_stderr=_finite(found.stderr.mean) if reverting else 0.0,
        observations=len(history),
        status=POOR if reasons else GOOD,
        reasons=reasons,
    )


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
