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


def curves(expiry: surface_pb2.VolSlice, grids: Grids = ()) -> Iterator[Curve]:
    """By the grids, where they have the expiry, as far as there are quotes; else by the slice's columns."""
    if grids:
        yield from _of_grids(expiry, grids)
        return
    for model, name in _COLUMNS.items():
        values = getattr(expiry, name)
        if expiry.strike and len(values) == len(expiry.strike):
            yield Curve(PENS[model], column(expiry.strike) / np.float32(expiry.forward), 100 * column(values))


def row_of(grid: calibration_service_pb2.SurfaceGrid, years: float) -> slice:
    """The cells of an expiry; an empty slice where the grid has it not."""
    strikes = len(grid.volatility) // max(len(grid.years), 1)
    at = int(np.argmin(np.abs(np.array(grid.years) - years)))
    return slice(at * strikes, (at + 1) * strikes) if abs(grid.years[at] - years) < 1e-9 else slice(0)


def _of_grids(expiry: surface_pb2.VolSlice, grids: Grids) -> Iterator[Curve]:
    for grid in grids:
        row = row_of(grid, expiry.years)
        quoted = ~np.array(grid.beyond_quotes[row], dtype=bool)
        if quoted.any():
            yield Curve(
                PENS[grid.model],
                np.exp(column(grid.log_moneyness[row])[quoted]),
                100 * column(grid.volatility[row])[quoted],
            )
