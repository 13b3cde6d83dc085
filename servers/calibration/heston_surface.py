"""Heston on a chain: one set of parameters for a thinned set of its quotes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr

from skewline.cyext import black, heston
from skewline.servers.calibration.contracts import Doubles, Indices
from skewline.servers.calibration.sabr_smiles import SabrSurface
from skewline.servers.calibration.smiles import Smiles
from skewline.servers.calibration.verdict import FAILED, GOOD, POOR
from skewline.servers.runtime.day_count import DAYS_A_YEAR
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2

_FEWEST_QUOTES: Final = 8

Start = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class HestonSurface:
    """The fit and its vols: one element a quote of the smiles, NaN for expiries that it was not fitted to."""

    fit: surface_pb2.HestonFit
    vols: Doubles


def fit_heston(
    smiles: Smiles, fitted: SabrSurface, start: Start | None, settings: CalibrationSettings
) -> HestonSurface:
    """Fit to mid vols of the good smiles, each quote alike; `start` is the last fit of the underlying.

    A fit that did not converge, stopped at a bound, or cannot tell its parameters apart is POOR and says why.
    """
    nowhere = np.full(smiles.strike.size, np.nan)
    rows = _thinned(smiles, fitted, settings)
    if rows.size < _FEWEST_QUOTES:
        failed = surface_pb2.HestonFit(status=FAILED, reasons=["TOO_FEW_QUOTES"], quotes=rows.size)
        return HestonSurface(failed, nowhere)
    found = heston.calibrate(
        smiles.forward[rows],
        smiles.strike[rows],
        smiles.years[rows],
        smiles.mid_iv[rows],
        initial=start,
        threads=settings.threads,
    )
    if not math.isfinite(found.rmse):
        failed = surface_pb2.HestonFit(status=FAILED, reasons=["NOT_FINITE"], quotes=rows.size)
        return HestonSurface(failed, nowhere)
    checks = {
        "NOT_CONVERGED": not found.converged,
        **{f"AT_BOUND:{name}": True for name in found.at_bounds},
        "CONDITION": not found.condition <= settings.max_condition,
        "RMSE": found.rmse > settings.max_heston_rmse,
    }
    reasons = [reason for reason, true in checks.items() if true]
    fit = surface_pb2.HestonFit(
        v0=found.v0,
        kappa=found.kappa,
        theta=found.theta,
        sigma=found.sigma,
        rho=found.rho,
        rmse=found.rmse,
        iterations=found.iterations,
        converged=found.converged,
        feller=found.feller > 1.0,
        condition=min(found.condition, 1e300),
        status=POOR if reasons else GOOD,
        reasons=reasons,
        quotes=rows.size,
    )
    return HestonSurface(fit, _vols(fit, smiles, rows, settings.threads))


def _thinned(smiles: Smiles, fitted: SabrSurface, settings: CalibrationSettings) -> Indices:
    """Per expiry the quotes nearest to evenly spread deltas; then expiries evenly, to stay below the cap."""
    eligible = [
        index
        for index, smile in enumerate(fitted.smiles)
        if smile.status == GOOD
        and smiles.years[smiles.offsets[index]] * DAYS_A_YEAR >= settings.heston_min_days
    ]
    most = max(1, settings.heston_quotes // settings.heston_strikes)
    if len(eligible) > most:
        spread = np.unique(np.rint(np.linspace(0, len(eligible) - 1, most)).astype(np.int64))
        eligible = [eligible[index] for index in spread]
    deviation = fitted.model_iv * np.sqrt(smiles.years)
    with np.errstate(invalid="ignore"):
        delta = ndtr(np.log(smiles.forward / smiles.strike) / deviation + 0.5 * deviation)
    wanted = np.linspace(0.98, 0.02, settings.heston_strikes)
    picked = []
    for index in eligible:
        start, stop = smiles.offsets[index], smiles.offsets[index + 1]
        distance = np.abs(delta[start:stop, np.newaxis] - wanted)
        picked.append(start + np.unique(np.argmin(distance, axis=0)))
    return np.concatenate(picked) if picked else np.empty(0, dtype=np.int64)


def _vols(fit: surface_pb2.HestonFit, smiles: Smiles, rows: Indices, threads: int) -> Doubles:
    """Vols of all quotes of the expiries that were fitted, by way of their prices."""
    covered = np.isin(smiles.expiry, np.unique(smiles.expiry[rows]))
    vols = np.full(smiles.strike.size, np.nan)
    contract = (
        smiles.is_call[covered],
        smiles.forward[covered],
        smiles.strike[covered],
        smiles.years[covered],
    )
    price = heston.price(
        *contract,
        1.0,
        v0=fit.v0,
        kappa=fit.kappa,
        theta=fit.theta,
        sigma=fit.sigma,
        rho=fit.rho,
        threads=threads,
    )
    vols[covered] = black.implied_vol(contract[0], price, *contract[1:], 1.0, threads=threads)
    return vols
