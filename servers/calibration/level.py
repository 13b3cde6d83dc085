"""The level of the surface: its vol at the money at 30 days, and how that reverts to its mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from skewline.servers.calibration.reversion import fit_reversion
from skewline.servers.calibration.verdict import GOOD
from skewline.servers.runtime.day_count import DAYS_A_YEAR
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
    """Ornstein-Uhlenbeck on the logarithm of `history`, (data time in ns, vol) oldest first."""
    return fit_reversion([(time, math.log(vol)) for time, vol in history], settings)
