"""Whether the smiles of a model could be arbitraged where there are quotes."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from skewline.cyext import smile_density
from skewline.servers.calibration.curves import Slices, curves_of
from skewline.servers.calibration.published import CALENDAR_ROUNDING
from skewline.servers.calibration.record import STEEPEST_WING
from skewline.servers.calibration.verdict import at_least, at_most
from skewline.v1 import surface_pb2

PARAMETRIC: Final = (
    surface_pb2.VOL_MODEL_SABR,
    surface_pb2.VOL_MODEL_ESSVI,
    surface_pb2.VOL_MODEL_SVI,
)

_PLACES: Final = 201


def add_checks(slices: Slices) -> None:
    """Check every parametric smile of `slices`, which are by expiry, from its lowest strike to its highest.

    Butterflies by Durrleman's g; the calendar against the nearest expiry before that the model has; Lee's
    bound by the steepest slope of total variance there.
    """
    ends = np.array([_ends(each) for each in slices]).reshape(-1, 2)
    for model in PARAMETRIC:
        curves = curves_of(slices, model)
        which = np.flatnonzero(curves.usable & np.isfinite(ends[:, 0]))
        if not which.size:
            continue
        k = np.linspace(ends[which, 0], ends[which, 1], _PLACES, axis=1)
        derivatives = curves.derivatives(which, k)
        at_the_money = curves.derivatives(which, np.zeros((which.size, 1)))[0][:, 0]
        least_g = smile_density.butterfly(k, *derivatives).min(axis=1)
        steepest = np.abs(derivatives[1]).max(axis=1)
        before = curves.derivatives(which[:-1], k[1:])[0]
        excess = (derivatives[0][1:] - before).min(axis=1) / at_the_money[1:]
        for row, index in enumerate(which.tolist()):
            checks = [
                at_least("BUTTERFLY", model, float(least_g[row]), 0.0),
                at_most("LEE", model, float(steepest[row]), STEEPEST_WING),
            ]
            if row:
                checks.append(at_least("CALENDAR", model, float(excess[row - 1]), CALENDAR_ROUNDING))
            slices[index].checks.extend(checks)


def _ends(fitted: surface_pb2.VolSlice) -> tuple[float, float]:
    if not fitted.strike or not fitted.forward > 0.0:
        return math.nan, math.nan
    return math.log(fitted.strike[0] / fitted.forward), math.log(fitted.strike[-1] / fitted.forward)
