"""Surfaces between and beyond expiries: what holds whatever the model."""

import numpy as np
import pytest
from numpy.typing import NDArray
from priced_surfaces import surface as weekly_surface

from skewline.cyext import black
from skewline.servers.calibration.curves import curves_of
from skewline.servers.calibration.differences import differentiated
from skewline.servers.calibration.model_surface import ModelSurface, model_surface
from skewline.v1 import surface_pb2

RECORD, SABR, ESSVI, HESTON = (
    surface_pb2.VOL_MODEL_RECORD,
    surface_pb2.VOL_MODEL_SABR,
    surface_pb2.VOL_MODEL_ESSVI,
    surface_pb2.VOL_MODEL_HESTON,
)
SVI = surface_pb2.VOL_MODEL_SVI
ALL = (RECORD, SABR, ESSVI, SVI, HESTON)
K = np.linspace(-0.25, 0.2, 91)


@pytest.fixture(scope="module")
def weekly() -> surface_pb2.VolSurface:
    return weekly_surface()


def of(surface: surface_pb2.VolSurface, model: surface_pb2.VolModel.ValueType) -> ModelSurface:
    found = model_surface(surface, model)
    assert found is not None
    return found


def rows(count: int, k: NDArray[np.float64] = K) -> NDArray[np.float64]:
    return np.tile(k, (count, 1))


@pytest.mark.parametrize("model", [RECORD, SABR, ESSVI, SVI])
def test_at_an_expiry_it_is_the_smile_of_that_expiry(
    weekly: surface_pb2.VolSurface, model: surface_pb2.VolModel.ValueType
) -> None:
    years = np.array([each.years for each in weekly.slices])
    values = of(weekly, model).at(years, rows(years.size))
    own = curves_of(weekly.slices, model).derivatives(np.arange(years.size), rows(years.size))
    for found, expected in zip((values.variance, values.slope, values.bend), own, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert not values.extrapolated.any()


@pytest.mark.parametrize("model", [RECORD, SABR, ESSVI, SVI])
def test_between_expiries_total_variance_is_linear_in_time(
    weekly: surface_pb2.VolSurface, model: surface_pb2.VolModel.ValueType
) -> None:
    left, right = weekly.slices[2].years, weekly.slices[3].years
    years = np.array([left, 0.25 * left + 0.75 * right, right])
    values = of(weekly, model).at(years, rows(3))
    w = values.variance
    np.testing.assert_allclose(w[1], 0.25 * w[0] + 0.75 * w[2], rtol=1e-12)
    np.testing.assert_allclose(values.growth[1], (w[2] - w[0]) / (right - left), rtol=1e-9)


@pytest.mark.parametrize("model", ALL)
def test_derivatives_are_those_of_the_values(
    weekly: surface_pb2.VolSurface, model: surface_pb2.VolModel.ValueType
) -> None:
    found = of(weekly, model)
    years = np.array([0.03, 0.1, 0.15, 0.4])
    k = rows(4, np.linspace(-0.1, 0.1, 21))
    values = found.at(years, k)
    expected = differentiated(lambda at: found.at(years, at).variance, k, np.full((4, 1), 2e-4))
    np.testing.assert_allclose(values.slope, expected[1], atol=1e-6)
    np.testing.assert_allclose(values.bend, expected[2], atol=2e-2)
    step = 1e-6
    later, earlier = (found.at(years + by, k).variance for by in (step, -step))
    np.testing.assert_allclose(values.growth, (later - earlier) / (2 * step), rtol=1e-4)


@pytest.mark.parametrize("model", ALL)
def test_beyond_the_expiries_it_says_so_and_variance_still_grows(
    weekly: surface_pb2.VolSurface, model: surface_pb2.VolModel.ValueType
) -> None:
    first, last = weekly.slices[0].years, weekly.slices[-1].years
    years = np.array([0.2 * first, 0.7 * first, first, last, 1.5 * last, 4.0 * last])
    values = of(weekly, model).at(years, rows(6, np.linspace(-0.05, 0.05, 11)))
    assert values.extrapolated.tolist() == [True, True, False, False, True, True]
    assert np.all(np.diff(values.variance, axis=0) > 0.0)


def test_the_record_has_no_arbitrage_between_expiries_either(weekly: surface_pb2.VolSurface) -> None:
    years = np.linspace(0.5 * weekly.slices[0].years, 1.5 * weekly.slices[-1].years, 60)
    values = of(weekly, RECORD).at(years, rows(60, np.linspace(-1.0, 1.0, 801)))
    assert np.all(values.density >= 0.0)
    assert np.all(values.growth >= 0.0)
    assert np.all(np.isfinite(values.local_vol))


@pytest.mark.parametrize("model", ALL)
def test_the_density_is_that_of_the_option_prices(
    weekly: surface_pb2.VolSurface, model: surface_pb2.VolModel.ValueType
) -> None:
    """It sums to one, has the forward as its mean, and prices an option."""
    years = np.array([weekly.slices[3].years])
    k = np.linspace(-0.35, 0.25, 2401) if model == HESTON else np.linspace(-0.9, 0.6, 6001)
    values = of(weekly, model).at(years, k[np.newaxis, :])
    density = np.nan_to_num(values.density[0])
    step = k[1] - k[0]
    assert density.sum() * step == pytest.approx(1.0, abs=2e-3)
    assert (density * np.exp(k)).sum() * step == pytest.approx(1.0, abs=2e-3)
    # SVI's right wing is too heavy, Heston's left wing not known far enough, to be summed to its end.
    is_call = model != SVI
    at = int(np.argmin(np.abs(k - (0.03 if is_call else -0.03))))
    vol = np.sqrt(values.variance[0, at] / years[0])
    price = black.price(is_call, 1.0, np.exp(k[at]), years[0], 1.0, vol)
    paid = np.maximum((np.exp(k) - np.exp(k[at])) * (1 if is_call else -1), 0.0)
    assert (density * paid).sum() * step == pytest.approx(float(price), abs=2e-5)


def test_a_flat_surface_has_its_own_vol_as_local_vol() -> None:
    slices = [
        surface_pb2.VolSlice(
            years=years,
            forward=100.0,
            status=surface_pb2.FIT_STATUS_GOOD,
            sabr=surface_pb2.SabrFit(alpha=0.2, beta=1.0, rho=0.0, nu=1e-9),
        )
        for years in (0.1, 0.5, 1.0)
    ]
    found = of(surface_pb2.VolSurface(slices=slices), SABR)
    values = found.at(np.array([0.05, 0.1, 0.3, 1.0, 2.0]), rows(5, np.linspace(-0.2, 0.2, 9)))
    np.testing.assert_allclose(values.local_vol, 0.2, rtol=1e-6)


def test_a_model_without_a_fit_has_no_surface(weekly: surface_pb2.VolSurface) -> None:
    empty = surface_pb2.VolSurface()
    assert all(model_surface(empty, model) is None for model in ALL)
    spoilt = surface_pb2.VolSurface()
    spoilt.CopyFrom(weekly)
    for each in spoilt.slices[1:]:
        each.record.status = surface_pb2.FIT_STATUS_POOR
    alone = of(spoilt, RECORD).at(np.array([0.01, weekly.slices[0].years, 1.0]), rows(3))
    assert alone.extrapolated.tolist() == [True, False, True]
    assert np.all(np.diff(alone.variance, axis=0) > 0.0)
