"""Curves of a smile: what each model says at the strikes of an expiry, or on a grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from skewline.clients.report.canvas import BLUE, GREEN, ORANGE, PURPLE, TEAL, column
from skewline.v1 import calibration_service_pb2, surface_pb2

Grids = Sequence[calibration_service_pb2.SurfaceGrid]
Column = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pen:
    """How a model is drawn."""

    name: str
    colour: str
    dash: str
    width: float


PENS: Final = {
    surface_pb2.VOL_MODEL_RECORD: Pen("record", GREEN, "solid", 2.4),
    surface_pb2.VOL_MODEL_SABR: Pen("SABR", BLUE, "solid", 1.4),
    surface_pb2.VOL_MODEL_ESSVI: Pen("eSSVI", PURPLE, "dot", 1.4),
    surface_pb2.VOL_MODEL_SVI: Pen("SVI", TEAL, "dash", 1.4),
    surface_pb2.VOL_MODEL_HESTON: Pen("Heston", ORANGE, "dash", 1.4),
}

_COLUMNS: Final = {
    surface_pb2.VOL_MODEL_RECORD: "record_iv",
    surface_pb2.VOL_MODEL_SABR: "model_iv",
    surface_pb2.VOL_MODEL_HESTON: "heston_iv",
}


@dataclass(frozen=True, slots=True)
class Curve:
    """Vol in percent over strike / forward."""

    pen: Pen
    moneyness: Column
    vol: Column


def has_smile(expiry: surface_pb2.VolSlice, model: surface_pb2.VolModel.ValueType) -> bool:
    """Whether `model` says of the expiry itself what its smile is; a grid also has those made of others'."""
    match model:
        case surface_pb2.VOL_MODEL_RECORD:
            return expiry.record.status == surface_pb2.FIT_STATUS_GOOD
        case surface_pb2.VOL_MODEL_SABR:
            return expiry.status != surface_pb2.FIT_STATUS_FAILED
        case surface_pb2.VOL_MODEL_ESSVI:
            return expiry.essvi.theta > 0.0
        case surface_pb2.VOL_MODEL_SVI:
            return expiry.svi.sigma > 0.0
    return True


def curves(expiry: surface_pb2.VolSlice, grids: Grids = ()) -> Iterator[Curve]:
    """By the grids, where the model has a smile there, as far as there are quotes; else by its column."""
    if not grids:
        for model in _COLUMNS:
            yield from _of_column(expiry, model)
    for grid in grids:
        if has_smile(expiry, grid.model):
            yield from _of_grid(expiry, grid)
        else:
            # Between its neighbours a smile could be had, but it is not what was found here.
            yield from _of_column(expiry, grid.model)


def row_of(grid: calibration_service_pb2.SurfaceGrid, years: float) -> slice:
    """The cells of an expiry; an empty slice where the grid has it not."""
    strikes = len(grid.volatility) // max(len(grid.years), 1)
    at = int(np.argmin(np.abs(np.array(grid.years) - years)))
    return slice(at * strikes, (at + 1) * strikes) if abs(grid.years[at] - years) < 1e-9 else slice(0)


def _of_grid(expiry: surface_pb2.VolSlice, grid: calibration_service_pb2.SurfaceGrid) -> Iterator[Curve]:
    row = row_of(grid, expiry.years)
    quoted = ~np.array(grid.beyond_quotes[row], dtype=bool)
    if quoted.any():
        yield Curve(
            PENS[grid.model],
            np.exp(column(grid.log_moneyness[row])[quoted]),
            100 * column(grid.volatility[row])[quoted],
        )


def _of_column(expiry: surface_pb2.VolSlice, model: surface_pb2.VolModel.ValueType) -> Iterator[Curve]:
    values = getattr(expiry, _COLUMNS[model]) if model in _COLUMNS else ()
    if expiry.strike and len(values) == len(expiry.strike) and np.isfinite(values).any():
        yield Curve(PENS[model], column(expiry.strike) / np.float32(expiry.forward), 100 * column(values))
