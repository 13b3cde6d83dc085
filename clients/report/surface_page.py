"""One surface as a page: its smiles, its shape, its densities, and what was checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from skewline.clients.demo import wording
from skewline.clients.report import levels, smiles, surface_figures
from skewline.clients.report.curves import PENS, Grids, has_smile
from skewline.clients.report.rendering import render, written
from skewline.clients.report.surface_tables import checks_table, models_table
from skewline.v1 import surface_pb2

_MOST_PANELS: Final = 60
_MOST_DENSITIES: Final = 8

LOG_MONEYNESS: Final = tuple((0.05 * np.sinh(np.linspace(-4.4, 3.6, 241))).tolist())
"""Places of the grids that a page is made from: close together at the money, far apart in the wings."""


def shown_models(surface: surface_pb2.VolSurface) -> list[surface_pb2.VolModel.ValueType]:
    """Those that have a smile to show, the record first; the page is of the first."""
    return [
        each.model
        for each in surface.models
        if each.quotes and any(has_smile(expiry, each.model) for expiry in surface.slices)
    ]


def write_surface_page(surface: surface_pb2.VolSurface, grids: Grids, path: Path) -> Path:
    """Write the page of `surface` to `path`; the first of `grids` must have density and local vol."""
    return written(surface_html(surface, grids), path)


def surface_html(surface: surface_pb2.VolSurface, grids: Grids) -> str:
    """The page as one HTML document that loads nothing from anywhere."""
    main = grids[0]
    return render(
        "surface.html",
        surface=surface,
        time=wording.clock(surface.time_ns),
        provenance=wording.provenance(surface.provenance),
        status=wording.fit_status(surface.status),
        model=PENS[main.model].name,
        atm_vol=wording.vol(surface.atm_vol_30d),
        figure=surface_figures.vol_surface(main),
        smiles=smiles.smile_grid(smiles.shown_slices(surface, _MOST_PANELS), grids),
        densities=surface_figures.densities(main, _spread(surface.slices)),
        local_vol=surface_figures.local_vol_map(main),
        term=levels.term_structure([surface]),
        models=models_table(surface),
        checks=checks_table(surface),
    )


def _spread(slices: Sequence[surface_pb2.VolSlice]) -> list[surface_pb2.VolSlice]:
    return smiles.shown_slices(surface_pb2.VolSurface(slices=slices), _MOST_DENSITIES)
