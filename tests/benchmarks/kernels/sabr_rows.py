"""Smiles of 13 strikes with 1 % noise, in a batch and alone."""

from __future__ import annotations

from functools import partial

import numpy as np
from quantlib_installed import INSTALLED, MISSING
from scipy.optimize import least_squares
from table_row import Peer, Rows, Target, timed, timed_beside

from skewline.cyext import sabr
from skewline.cyext.arguments import Doubles

_SMILES, _POINTS = 1000, 13
_FORWARD, _EXPIRY, _BETA = 100.0, 0.5, 0.5
_STRIKES = _FORWARD * np.exp(np.linspace(-0.3, 0.25, _POINTS))
_CHECKED = 60


def rows() -> Rows:
    """SABR."""
    rng = np.random.default_rng(2)
    clean = sabr.implied_vol(_FORWARD, _STRIKES, _EXPIRY, 2.0, _BETA, -0.5, 0.9)
    vols = clean * (1 + 0.01 * rng.standard_normal((_SMILES, _POINTS)))
    forwards, expiries = np.full(_SMILES, _FORWARD), np.full(_SMILES, _EXPIRY)
    offsets = np.arange(0, _SMILES * _POINTS + 1, _POINTS)
    strikes, flat = np.tile(_STRIKES, _SMILES), vols.ravel()
    batch = partial(sabr.calibrate_many, forwards, expiries, strikes, flat, offsets, beta=_BETA)
    fits = batch()
    excess = max(
        fits.rmse[i] / _rmse(vols[i], _optimum(vols[i], (2.0, -0.5, 0.9))) - 1 for i in range(_CHECKED)
    )
    accuracy = f"rmse within {max(excess, 1e-16):.0e} of SciPy's best"
    exact = bool(excess < 1e-8) and bool(fits.converged.all())
    peer = _quantlib(vols[0], float(fits.rmse[0]))
    target = Target(4e-6, 1.5e-6)
    work = "a smile, 13 strikes, 1 % noise, in a batch of 1,000"
    yield timed(work, batch, _SMILES, accuracy, peer=peer, target=target, exact=exact, seconds=2.0)
    alone = partial(sabr.calibrate, _FORWARD, _EXPIRY, _STRIKES, vols[0], beta=_BETA)
    scipy = Peer("SciPy least_squares on our formula", partial(_optimum, vols[0], (2.5, 0.0, 0.5)))
    yield from timed_beside([peer, scipy], "the same, alone", alone, 1, f"rmse {alone().rmse:.3e}")


def _quantlib(vols: Doubles, best: float) -> Peer:
    if not INSTALLED:
        return Peer(MISSING)
    from quantlib_sabr_peer import Smile

    smile = Smile(_FORWARD, _EXPIRY, _STRIKES, vols, _BETA)
    excess = _rmse(vols, np.array(smile.fit())) / best - 1
    return Peer(f"QuantLib SABRInterpolation (rmse within {max(excess, 1e-16):.0e} of ours)", smile.fit)


def _errors(p: Doubles, vols: Doubles) -> Doubles:
    return np.subtract(sabr.implied_vol(_FORWARD, _STRIKES, _EXPIRY, p[0], _BETA, p[1], p[2]), vols)


def _rmse(vols: Doubles, p: Doubles) -> float:
    return float(np.sqrt(np.mean(_errors(p, vols) ** 2)))


def _optimum(vols: Doubles, start: tuple[float, float, float]) -> Doubles:
    """SciPy's own optimum."""
    found: Doubles = least_squares(_errors, start, args=(vols,), xtol=1e-12, ftol=1e-14, gtol=1e-14).x
    return found
