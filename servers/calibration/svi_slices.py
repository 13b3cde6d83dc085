"""Raw SVI on every smile of a chain: free in each expiry, so that it may be arbitraged, and says where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skewline.cyext import svi
from skewline.cyext.status import Status
from skewline.servers.calibration.contracts import Doubles
from skewline.servers.calibration.forwards import Forward, levels
from skewline.servers.calibration.smiles import Smiles
from skewline.servers.calibration.verdict import FAILED, GOOD, POOR
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2


@dataclass(frozen=True, slots=True)
class SviSurface:
    """All fits, one an expiry, and the vol of each quote (NaN where the fit failed)."""

    fits: tuple[surface_pb2.SviFit, ...]
    vols: Doubles


def fit_svi(
    smiles: Smiles, years: Doubles, forwards: Sequence[Forward], settings: CalibrationSettings
) -> SviSurface:
    """Fit each smile to its mid vols, weighted by 1 / (vol spread)², as SABR is."""
    level = levels(forwards)
    found = svi.calibrate_many(
        level,
        years,
        smiles.strike,
        smiles.mid_iv,
        smiles.offsets,
        weights=np.maximum(smiles.vol_spread, settings.min_vol_spread) ** -2.0,
        threads=settings.threads,
    )
    at = smiles.expiry
    parameters = (found.a, found.b, found.rho, found.m, found.sigma)
    vols = svi.implied_vol(smiles.forward, smiles.strike, smiles.years, *(each[at] for each in parameters))
    fits = []
    for index, code in enumerate(found.status.tolist()):
        values = [float(each[index]) for each in (*parameters, found.rmse)]
        if not all(math.isfinite(each) for each in values):
            fits.append(surface_pb2.SviFit(status=FAILED, reasons=[Status(code).name]))
            vols[smiles.offsets[index] : smiles.offsets[index + 1]] = np.nan
            continue
        a, b, rho, m, sigma, rmse = values
        fits.append(
            surface_pb2.SviFit(
                a=a,
                b=b,
                rho=rho,
                m=m,
                sigma=sigma,
                rmse=rmse,
                iterations=int(found.iterations[index]),
                status=GOOD if code == Status.OK else POOR,
                reasons=[] if code == Status.OK else [Status(code).name],
            )
        )
    return SviSurface(tuple(fits), vols)
