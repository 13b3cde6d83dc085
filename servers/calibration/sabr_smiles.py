"""SABR on every smile of a chain, in one batch, and how good each fit is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.cyext import sabr
from skewline.servers.calibration.contracts import Doubles, Indices
from skewline.servers.calibration.forwards import Forward
from skewline.servers.calibration.smiles import Smiles
from skewline.servers.calibration.verdict import FAILED, GOOD, POOR
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2

_STEEPEST_RHO: Final = 0.995
_MOST_TOTAL_NU: Final = 3.0


@dataclass(frozen=True, slots=True)
class SabrSmile:
    """The fit of one expiry; `weighted_error` and `weight` are the sums behind its rmse."""

    fit: surface_pb2.SabrFit
    atm_vol: float
    inside_band: float
    status: surface_pb2.FitStatus.ValueType
    reasons: tuple[str, ...]
    weighted_error: float
    weight: float


@dataclass(frozen=True, slots=True)
class SabrSurface:
    """All fits, one an expiry, and the fitted vol of each quote (NaN where the fit failed)."""

    smiles: tuple[SabrSmile, ...]
    model_iv: Doubles

    @property
    def rmse(self) -> float:
        """Weighted root mean square error over all fitted quotes, vol."""
        weight = sum(each.weight for each in self.smiles)
        error = sum(each.weighted_error for each in self.smiles)
        return float(np.sqrt(error / weight)) if weight > 0.0 else 0.0


def fit_sabr(smiles: Smiles, forwards: Sequence[Forward], settings: CalibrationSettings) -> SabrSurface:
    """Fit each smile to its mid vols, weighted by 1 / (vol spread)², that is by (vega / price spread)²."""
    count = len(forwards)
    level = np.array([each.forward if each.known else 1.0 for each in forwards])
    years = np.ones(count)
    years[smiles.expiry] = smiles.years
    weights = np.maximum(smiles.vol_spread, settings.min_vol_spread) ** -2.0
    fits = sabr.calibrate_many(
        level,
        years,
        smiles.strike,
        smiles.mid_iv,
        smiles.offsets,
        beta=settings.beta,
        weights=weights,
        threads=settings.threads,
    )
    model = _vols(smiles.forward, smiles.strike, smiles.years, fits, smiles.expiry)
    atm = _vols(level, level, years, fits, np.arange(count, dtype=np.int64))
    found = []
    for index, forward in enumerate(forwards):
        rows = slice(smiles.offsets[index], smiles.offsets[index + 1])
        fit = surface_pb2.SabrFit(
            alpha=fits.alpha[index],
            beta=fits.beta[index],
            rho=fits.rho[index],
            nu=fits.nu[index],
            rmse=fits.rmse[index],
            iterations=int(fits.iterations[index]),
            converged=bool(fits.converged[index]),
        )
        quotes = int(smiles.offsets[index + 1] - smiles.offsets[index])
        finite = bool(np.isfinite(model[rows]).all()) and np.isfinite(atm[index])
        fatal = _fatal(forward, quotes, finite, settings)
        if fatal:
            found.append(SabrSmile(surface_pb2.SabrFit(), 0.0, 0.0, FAILED, fatal, 0.0, 0.0))
            model[rows] = np.nan
            continue
        with np.errstate(invalid="ignore"):
            inside = (model[rows] >= smiles.bid_iv[rows]) | ~np.isfinite(smiles.bid_iv[rows])
            inside &= model[rows] <= smiles.ask_iv[rows]
        reasons = _shortcomings(fit, forward, float(years[index]), float(atm[index]), settings)
        error = weights[rows] * (model[rows] - smiles.mid_iv[rows]) ** 2
        found.append(
            SabrSmile(
                fit=fit,
                atm_vol=float(atm[index]),
                inside_band=float(inside.mean()),
                status=POOR if reasons else GOOD,
                reasons=reasons,
                weighted_error=float(error.sum()),
                weight=float(weights[rows].sum()),
            )
        )
    return SabrSurface(tuple(found), model)


def _vols(forward: Doubles, strike: Doubles, years: Doubles, fits: sabr.SabrFits, index: Indices) -> Doubles:
    return sabr.implied_vol(
        forward, strike, years, fits.alpha[index], fits.beta[index], fits.rho[index], fits.nu[index]
    )


def _fatal(forward: Forward, quotes: int, finite: bool, settings: CalibrationSettings) -> tuple[str, ...]:
    if not forward.known:
        return forward.reasons
    if quotes < settings.min_strikes:
        return ("TOO_FEW_STRIKES",)
    return () if finite else ("SABR_NOT_FINITE",)


def _shortcomings(
    fit: surface_pb2.SabrFit, forward: Forward, years: float, atm_vol: float, settings: CalibrationSettings
) -> tuple[str, ...]:
    checks = {
        "SABR_NOT_CONVERGED": not fit.converged,
        "AT_BOUND:rho": abs(fit.rho) > _STEEPEST_RHO,
        # Hagan's expansion is one in nu² T.
        "AT_BOUND:nu": fit.nu * fit.nu * years > _MOST_TOTAL_NU**2,
        "RMSE": not fit.rmse <= max(settings.max_slice_rmse, settings.max_relative_rmse * atm_vol),
        "FORWARD_INTERPOLATED": "FORWARD_INTERPOLATED" in forward.reasons,
    }
    return tuple(reason for reason, true in checks.items() if true)
