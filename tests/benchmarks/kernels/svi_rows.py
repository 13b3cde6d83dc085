"""SVI slices of 31 strikes with 1 % noise, in a batch."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.optimize import least_squares
from table_row import Peer, Rows, timed

from skewline.cyext import svi
from skewline.cyext.arguments import Doubles

_SLICES, _POINTS, _EXPIRY = 400, 31, 0.5
_K = np.linspace(-0.8, 0.4, _POINTS)
_TRUTH = (0.01, 0.08, -0.5, 0.02, 0.15)
_LOW, _HIGH = (-1.0, 0.0, -1.0, -2.0, 1e-3), (1.0, 1.0, 1.0, 2.0, 5.0)
_CHECKED = 40


def rows() -> Rows:
    """SVI."""
    rng = np.random.default_rng(3)
    clean = svi.implied_vol(1.0, np.exp(_K), _EXPIRY, *_TRUTH)
    vols = clean * (1 + 0.01 * rng.standard_normal((_SLICES, _POINTS)))
    offsets = np.arange(0, _SLICES * _POINTS + 1, _POINTS)
    ones, expiries = np.ones(_SLICES), np.full(_SLICES, _EXPIRY)
    batch = partial(svi.calibrate_many, ones, expiries, np.tile(np.exp(_K), _SLICES), vols.ravel(), offsets)
    fits = batch()
    excess = max(fits.rmse[i] / _rmse(vols[i], _optimum(vols[i], _TRUTH)) - 1 for i in range(_CHECKED))
    yield timed(
        f"a slice, {_POINTS} strikes, 1 % noise, in a batch of {_SLICES}",
        batch,
        _SLICES,
        f"rmse within {max(excess, 1e-16):.0e} of SciPy's best, begun at the truth",
        peer=Peer("SciPy least_squares, from the data", partial(_optimum, vols[0], _guess(vols[0]))),
        exact=bool(excess < 1e-6),
    )


def _errors(p: Doubles, vols: Doubles) -> Doubles:
    w = p[0] + p[1] * (p[2] * (_K - p[3]) + np.hypot(_K - p[3], p[4]))
    return np.asarray(np.sqrt(np.maximum(w, 1e-12) / _EXPIRY) - vols)


def _rmse(vols: Doubles, p: Doubles) -> float:
    return float(np.sqrt(np.mean(_errors(p, vols) ** 2)))


def _guess(vols: Doubles) -> tuple[float, ...]:
    return float(0.5 * _EXPIRY * vols.min() ** 2), 0.1, -0.3, float(_K[vols.argmin()]), 0.1


def _optimum(vols: Doubles, start: tuple[float, ...]) -> Doubles:
    """SciPy's own optimum within Lee's bounds of a single wing."""
    found: Doubles = least_squares(
        _errors, start, args=(vols,), bounds=(_LOW, _HIGH), xtol=1e-12, ftol=1e-14, gtol=1e-14
    ).x
    return found
