"""The models of a surface side by side: how near they come to what is quoted."""

from __future__ import annotations

import numpy as np

from skewline.servers.calibration.contracts import Doubles
from skewline.servers.calibration.record import RecordSurface
from skewline.servers.calibration.slices import Models
from skewline.servers.calibration.smiles import Smiles
from skewline.v1 import surface_pb2


def qualities(smiles: Smiles, record: RecordSurface, models: Models) -> list[surface_pb2.ModelQuality]:
    """One entry a model, over the quotes of the expiries that it was fitted to."""
    vols = {
        surface_pb2.VOL_MODEL_RECORD: record.vols,
        surface_pb2.VOL_MODEL_SABR: models.sabr.model_iv,
        surface_pb2.VOL_MODEL_ESSVI: models.essvi.vols,
        surface_pb2.VOL_MODEL_SVI: models.svi.vols,
        surface_pb2.VOL_MODEL_HESTON: models.heston.vols,
    }
    return [_quality(smiles, model, column) for model, column in vols.items()]


def _quality(
    smiles: Smiles, model: surface_pb2.VolModel.ValueType, vols: Doubles
) -> surface_pb2.ModelQuality:
    rows = np.isfinite(vols)
    if not rows.any():
        return surface_pb2.ModelQuality(model=model)
    vol = vols[rows]
    inside = (vol >= smiles.bid_iv[rows]) | ~np.isfinite(smiles.bid_iv[rows])
    inside &= vol <= smiles.ask_iv[rows]
    return surface_pb2.ModelQuality(
        model=model,
        slices=np.unique(smiles.expiry[rows]).size,
        quotes=vol.size,
        rmse=float(np.sqrt(np.mean(np.square(vol - smiles.mid_iv[rows])))),
        inside_band=float(inside.mean()),
    )
