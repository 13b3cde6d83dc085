"""Whether a figure of a surface reverts to a mean, and how fast."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from skewline.cyext import ou
from skewline.servers.calibration.verdict import FAILED, GOOD, POOR
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2


def fit_reversion(history: Sequence[tuple[int, float]], settings: CalibrationSettings) -> surface_pb2.OuFit:
    """Ornstein-Uhlenbeck on `history`, (data time in ns, value) oldest first; times in years.

    Every step is the time that passed between its points, nights, weekends and months without data included:
    the longer it was, the less the point before it says. POOR where the values do not revert to a mean, or
    where that may be chance.
    """
    if len(history) < settings.ou_min_points:
        return surface_pb2.OuFit(observations=len(history), status=FAILED, reasons=["TOO_FEW_POINTS"])
    times = np.array([time for time, _ in history], dtype=np.int64)
    found = ou.fit(np.array([value for _, value in history]), np.diff(times) / YEAR_NS)
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
