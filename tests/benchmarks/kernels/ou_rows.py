"""500 observations a series, in a batch of 1,000."""

from __future__ import annotations

import math
from functools import partial

import exact_ou
import numpy as np
from table_row import Peer, Rows, Target, timed

from skewline.cyext import ou
from skewline.cyext.arguments import Doubles

_SERIES, _POINTS, _DT = 1000, 500, 1 / 252


def rows() -> Rows:
    """Ornstein–Uhlenbeck."""
    rng = np.random.default_rng(5)
    x = np.zeros((_SERIES, _POINTS))
    for i in range(1, _POINTS):
        x[:, i] = 0.95 * x[:, i - 1] + 0.1 * rng.standard_normal(_SERIES)
    batch = partial(ou.fit_many, x, _DT)
    fits = batch()
    error = 0.0
    for at in range(2):
        found = (float(fits.kappa[at]), float(fits.mean[at]), float(fits.sigma[at]))
        steps = exact_ou.newton_step(x[at].tolist(), [_DT] * (_POINTS - 1), *found)
        error = max(error, *(abs(step / one) for step, one in zip(steps, found, strict=True)))
    yield timed(
        "a fit, 500 points, in a batch of 1,000",
        batch,
        _SERIES,
        f"{error:.0e} rel. from the maximum (mpmath)",
        peer=Peer("NumPy closed form", partial(_closed_form, x[0])),
        target=Target(1e-6, 0.2e-6),
        exact=error < 1e-9,
        seconds=2.0,
    )


def _closed_form(x: Doubles) -> tuple[float, float, float]:
    """Least squares of x' on x, written for speed."""
    a, b = x[:-1], x[1:]
    mean_a, mean_b = a.sum() / a.size, b.sum() / b.size
    da, db = a - mean_a, b - mean_b
    slope = (da @ db) / (da @ da)
    error = db - slope * da
    kappa = -math.log(slope) / _DT
    sigma = math.sqrt((error @ error) / a.size * 2 * kappa / (1 - slope * slope))
    return kappa, float((mean_b - slope * mean_a) / (1 - slope)), sigma
