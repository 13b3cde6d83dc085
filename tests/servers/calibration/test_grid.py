"""Grids of a surface: what is asked for, what comes, and what is refused."""

import math

import numpy as np
import pytest
from priced_surfaces import surface as weekly_surface

from skewline.servers.calibration.grid import check_grid, grids_of
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.servers.runtime.errors import InvalidArgument, Refused
from skewline.servers.runtime.validation import Validation
from skewline.v1 import calibration_service_pb2 as pb
from skewline.v1 import surface_pb2

RECORD, SABR, HESTON = (
    surface_pb2.VOL_MODEL_RECORD,
    surface_pb2.VOL_MODEL_SABR,
    surface_pb2.VOL_MODEL_HESTON,
)


@pytest.fixture(scope="module")
def weekly() -> surface_pb2.VolSurface:
    return weekly_surface()


def test_without_expiries_it_is_those_of_the_surface(weekly: surface_pb2.VolSurface) -> None:
    (grid,) = grids_of(weekly, pb.SurfaceGridRequest(strike=[90.0, 100.0, 110.0]))
    assert grid.model == RECORD
    assert list(grid.years) == [each.years for each in weekly.slices]
    assert list(grid.forward) == pytest.approx([each.forward for each in weekly.slices])
    assert list(grid.discount) == pytest.approx([each.discount for each in weekly.slices])
    assert list(grid.strike) == pytest.approx([90.0, 100.0, 110.0] * len(weekly.slices))
    at_100 = [each.record_iv[list(each.strike).index(100.0)] for each in weekly.slices]
    assert list(grid.volatility)[1::3] == pytest.approx(at_100)
    assert not any(grid.extrapolated)
    assert not grid.density
    assert not grid.local_vol


def test_any_expiry_and_moneyness_by_several_models(weekly: surface_pb2.VolSurface) -> None:
    instants = [weekly.time_ns + round(years * YEAR_NS) for years in (0.001, 0.1, 2.0)]
    request = pb.SurfaceGridRequest(
        expiry_ns=instants,
        log_moneyness=[-3.0, 0.0],
        models=[SABR, RECORD],
        density=True,
        local_vol=True,
    )
    by_sabr, by_record = grids_of(weekly, request)
    assert (by_sabr.model, by_record.model) == (SABR, RECORD)
    assert list(by_record.extrapolated) == [True, False, True]
    assert list(by_record.beyond_quotes) == [True, False] * 3
    assert list(by_record.strike)[1::2] == pytest.approx(list(by_record.forward))
    assert len(by_record.density) == len(by_record.local_vol) == 6
    assert by_record.volatility[3] == pytest.approx(by_sabr.volatility[3], abs=0.003)


def test_forwards_between_expiries_are_of_constant_carry(weekly: surface_pb2.VolSurface) -> None:
    left, right = weekly.slices[0], weekly.slices[1]
    middle = 0.5 * (left.years + right.years)
    (grid,) = grids_of(weekly, pb.SurfaceGridRequest(years=[middle], log_moneyness=[0.0]))
    assert grid.forward[0] == pytest.approx(math.sqrt(left.forward * right.forward))
    assert grid.discount[0] == pytest.approx(math.sqrt(left.discount * right.discount))


def test_a_model_without_a_fit_is_refused_by_name(weekly: surface_pb2.VolSurface) -> None:
    spoilt = surface_pb2.VolSurface()
    spoilt.CopyFrom(weekly)
    spoilt.heston.status = surface_pb2.FIT_STATUS_FAILED
    with pytest.raises(Refused, match="VOL_MODEL_HESTON has no usable fit"):
        grids_of(spoilt, pb.SurfaceGridRequest(strike=[100.0], models=[RECORD, HESTON]))


RUBBISH = {
    "strike": pb.SurfaceGridRequest(),
    "log_moneyness": pb.SurfaceGridRequest(strike=[100.0], log_moneyness=[0.0]),
    "years": pb.SurfaceGridRequest(strike=[100.0], years=[0.1], expiry_ns=[1]),
    "years[1]": pb.SurfaceGridRequest(strike=[100.0], years=[0.1, -0.1]),
    "years[0]": pb.SurfaceGridRequest(strike=[100.0], years=[math.inf]),
    "strike[2]": pb.SurfaceGridRequest(strike=[100.0, 90.0, 0.0]),
    "strike[0]": pb.SurfaceGridRequest(strike=[math.nan]),
    "log_moneyness[1]": pb.SurfaceGridRequest(log_moneyness=[0.0, -1e9]),
    "models": pb.SurfaceGridRequest(strike=[100.0], models=[SABR, SABR]),
    "models[0]": pb.SurfaceGridRequest.FromString(
        pb.SurfaceGridRequest(strike=[100.0]).SerializeToString() + b"\x28\x63"
    ),
}


@pytest.mark.parametrize("field", RUBBISH)
def test_rubbish_is_refused_by_field(field: str) -> None:
    validation = Validation()
    check_grid(validation.within("grid"), RUBBISH[field])
    assert [each.field for each in validation.violations] == [f"grid.{field}"]


def test_expiries_that_are_over_and_grids_too_large_are_refused(weekly: surface_pb2.VolSurface) -> None:
    over = pb.SurfaceGridRequest(strike=[100.0], expiry_ns=[weekly.time_ns + 1, weekly.time_ns])
    with pytest.raises(InvalidArgument, match=r"grid.expiry_ns\[1\]: must be after the surface's time"):
        grids_of(weekly, over)
    large = pb.SurfaceGridRequest(log_moneyness=np.linspace(-1, 1, 30_000))
    with pytest.raises(InvalidArgument, match=r"grid\.log_moneyness: makes 240000 cells"):
        grids_of(weekly, large)
