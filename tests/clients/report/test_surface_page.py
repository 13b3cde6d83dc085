"""The page of a surface some of whose smiles are no good."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from skewline.clients.report.curves import curves
from skewline.clients.report.surface_figures import densities
from skewline.clients.report.surface_page import shown_models, write_surface_page
from skewline.v1 import calibration_service_pb2, surface_pb2

RECORD, SVI = surface_pb2.VOL_MODEL_RECORD, surface_pb2.VOL_MODEL_SVI
GOOD, POOR = surface_pb2.FIT_STATUS_GOOD, surface_pb2.FIT_STATUS_POOR
STRIKES = [90.0, 100.0, 110.0]


def expiry(years: float, status: surface_pb2.FitStatus.ValueType) -> surface_pb2.VolSlice:
    return surface_pb2.VolSlice(
        root="XYZ",
        expiry_date="2020-01-17",
        years=years,
        forward=100.0,
        status=GOOD,
        strike=STRIKES,
        is_call=[False, True, True],
        bid_iv=[0.29, 0.19, 0.24],
        mid_iv=[0.30, 0.20, 0.25],
        ask_iv=[0.31, 0.21, 0.26],
        record_iv=[0.30, 0.20, 0.25],
        record=surface_pb2.RecordSmile(status=status, quotes=3),
        svi=surface_pb2.SviFit(sigma=0.1),
    )


def surface(*statuses: surface_pb2.FitStatus.ValueType) -> surface_pb2.VolSurface:
    return surface_pb2.VolSurface(
        underlying="XYZ",
        slices=[expiry(0.1 * (at + 1), status) for at, status in enumerate(statuses)],
        models=[surface_pb2.ModelQuality(model=model, quotes=3) for model in (RECORD, SVI)],
    )


def grid(
    model: surface_pb2.VolModel.ValueType, of: surface_pb2.VolSurface
) -> calibration_service_pb2.SurfaceGrid:
    """Flat at half of vol: nothing that was found at any expiry."""
    cells = len(of.slices) * len(STRIKES)
    return calibration_service_pb2.SurfaceGrid(
        model=model,
        years=[each.years for each in of.slices],
        log_moneyness=np.log(np.array(STRIKES * len(of.slices)) / 100.0).tolist(),
        volatility=[0.5] * cells,
        beyond_quotes=[False] * cells,
        density=[1.0] * cells,
        local_vol=[0.5] * cells,
    )


def test_an_expiry_whose_record_is_poor_shows_that_and_not_what_its_neighbours_would_say() -> None:
    of = surface(POOR, GOOD)
    grids = [grid(RECORD, of), grid(SVI, of)]
    drawn = [{curve.pen.name: curve.vol.tolist() for curve in curves(each, grids)} for each in of.slices]
    assert drawn[0]["record"] == pytest.approx([30.0, 20.0, 25.0])
    assert drawn[1]["record"] == pytest.approx([50.0] * 3)
    assert drawn[0]["SVI"] == pytest.approx([50.0] * 3)


def test_a_density_is_shown_of_expiries_that_have_a_smile() -> None:
    of = surface(POOR, GOOD)
    figure = densities(grid(RECORD, of), list(of.slices))
    assert figure is not None
    assert len(figure.data) == 1


def test_a_surface_without_one_good_record_still_has_its_page(tmp_path: Path) -> None:
    of = surface(POOR, POOR)
    assert shown_models(of) == [SVI]
    page = write_surface_page(of, [grid(SVI, of)], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Surface by SVI" in page
    good = surface(GOOD)
    assert shown_models(good) == [RECORD, SVI]
    page = write_surface_page(good, [grid(RECORD, good)], tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Surface of record" in page
