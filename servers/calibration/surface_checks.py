"""Conditions on a surface as a whole: Heston's parameters, and its level since the last fit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from skewline.servers.calibration.memory import Memory
from skewline.servers.calibration.verdict import FAILED, at_least, at_most
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2


def surface_checks(
    time_ns: int,
    level: float,
    slices: Sequence[surface_pb2.VolSlice],
    heston: surface_pb2.HestonFit,
    memory: Memory,
    settings: CalibrationSettings,
) -> list[surface_pb2.FitCheck]:
    """What can be said: nothing of a Heston fit that failed, nor of stability without a fit before."""
    checks = []
    if slices:
        share = sum(each.record.status == surface_pb2.FIT_STATUS_GOOD for each in slices) / len(slices)
        checks.append(at_least("GOOD_EXPIRIES", surface_pb2.VOL_MODEL_RECORD, share, settings.min_good_share))
    if heston.status != FAILED:
        feller = 2.0 * heston.kappa * heston.theta / heston.sigma**2
        checks.append(at_least("FELLER", surface_pb2.VOL_MODEL_HESTON, feller, 1.0))
        checks.append(
            at_most("CONDITION", surface_pb2.VOL_MODEL_HESTON, heston.condition, settings.max_condition)
        )
    if level > 0.0 and memory.factors and time_ns > memory.factors[-1].time_ns:
        before_ns, before = memory.factors[-1].time_ns, memory.factors[-1].level
        limit = settings.max_level_jump + settings.max_level_speed * math.sqrt(
            (time_ns - before_ns) / YEAR_NS
        )
        change = abs(math.log(level / before))
        checks.append(at_most("STABILITY", surface_pb2.VOL_MODEL_SABR, change, limit))
    return checks
