"""eSSVI on every smile of a chain: slices free of arbitrage, each by itself and after one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skewline.cyext import essvi
from skewline.cyext.status import Status
from skewline.servers.calibration.contracts import Doubles
from skewline.servers.calibration.forwards import Forward, levels
from skewline.servers.calibration.smiles import Smiles
from skewline.servers.calibration.verdict import FAILED, GOOD
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import surface_pb2


@dataclass(frozen=True, slots=True)
class EssviSurface:
    """All fits, one an expiry, and the vol of each quote (NaN where the fit failed)."""

    fits: tuple[surface_pb2.EssviFit, ...]
    vols: Doubles
    slices: essvi.EssviFits


def fit_essvi(
    smiles: Smiles, years: Doubles, forwards: Sequence[Forward], settings: CalibrationSettings
) -> EssviSurface:
    """Fit each smile to its mid vols, by the widths of its quotes; see `skewline.cyext.essvi`."""
    level = levels(forwards)
    found = essvi.calibrate_many(
        level,
        years,
        smiles.strike,
        smiles.bid_iv,
        smiles.ask_iv,
        smiles.offsets,
        mid_vols=smiles.mid_iv,
        min_vol_width=settings.min_vol_spread,
    )
    at = smiles.expiry
    variance = essvi.total_variance(
        np.log(smiles.strike / smiles.forward), found.theta[at], found.rho[at], found.psi[at]
    )
    fits = []
    for index, code in enumerate(found.status.tolist()):
        if code != Status.OK:
            fits.append(surface_pb2.EssviFit(status=FAILED, reasons=[Status(code).name]))
            continue
        fits.append(
            surface_pb2.EssviFit(
                theta=found.theta[index],
                rho=found.rho[index],
                psi=found.psi[index],
                rmse=found.rmse[index],
                iterations=int(found.iterations[index]),
                status=GOOD,
            )
        )
    return EssviSurface(tuple(fits), np.sqrt(variance / smiles.years), found)
