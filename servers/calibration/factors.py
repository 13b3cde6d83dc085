"""What moves a surface, in a few figures: level, skew and curvature at 30 days, and the slope of its term."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from skewline.servers.calibration.level import THIRTY_DAYS
from skewline.servers.calibration.memory import Point
from skewline.servers.calibration.reversion import fit_reversion
from skewline.servers.calibration.verdict import GOOD
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2

LEVEL: Final = "LEVEL"
_NINETY_DAYS: Final = 3.0 * THIRTY_DAYS


def factor_values(level: float, slices: Sequence[surface_pb2.VolSlice]) -> dict[str, float]:
    """What is known of them by name; nothing of a surface without a level.

    Skew and curvature are the first and second derivative of vol by log-moneyness at the forward, of the
    smiles of record, whose total variance is linear in time between expiries. The slope is vol at the money
    at 90 days less that at 30 days, and is unknown where the expiries do not reach as far.
    """
    if not level > 0.0:
        return {}
    values = {LEVEL: level}
    good = [each for each in slices if each.record.status == GOOD and each.years > 0.0]
    if not good:
        return values
    years = np.array([each.years for each in good])
    smiles = np.array([_variance_at_the_money(each) for each in good])
    near, skew, curvature = _smile_at(THIRTY_DAYS, years, smiles)
    values |= {"SKEW": skew, "CURVATURE": curvature}
    if years[0] < _NINETY_DAYS <= years[-1]:
        values["TERM_SLOPE"] = _smile_at(_NINETY_DAYS, years, smiles)[0] - near
    return {name: value for name, value in values.items() if math.isfinite(value)}


def factors_of(
    history: Sequence[Point], values: dict[str, float], settings: CalibrationSettings
) -> list[surface_pb2.SurfaceFactor]:
    """The factors with how each reverts over `history`, whose last point is theirs."""
    found = []
    for name, value in values.items():
        known = [(point.time_ns, point.values[name]) for point in history if name in point.values]
        if name == LEVEL:
            known = [(time, math.log(vol)) for time, vol in known]
        found.append(surface_pb2.SurfaceFactor(name=name, value=value, ou=fit_reversion(known, settings)))
    return found


def _variance_at_the_money(fitted: surface_pb2.VolSlice) -> tuple[float, float, float]:
    """w, dw/dk and d²w/dk² of w = vol² years at the forward."""
    record, years = fitted.record, fitted.years
    vol, skew = record.atm_vol, record.atm_skew
    return vol**2 * years, 2.0 * vol * skew * years, 2.0 * years * (vol * record.atm_curvature + skew**2)


def _smile_at(
    at: float,
    years: np.ndarray[tuple[int], np.dtype[np.float64]],
    smiles: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> tuple[float, float, float]:
    """Vol, its slope and its curvature; before the first expiry and after the last as they are there."""
    at = min(max(at, float(years[0])), float(years[-1]))
    w, slope, bend = (float(np.interp(at, years, column)) for column in smiles.T)
    vol = math.sqrt(w / at)
    skew = slope / (2.0 * vol * at)
    return vol, skew, (bend / (2.0 * at) - skew * skew) / vol
