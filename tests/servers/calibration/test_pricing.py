import math

import pytest
from smile_chains import SMILES, Quoting, smile_chain

from skewline.servers.calibration.fit import fit_surface
from skewline.servers.calibration.pricing import imply_volatilities, price_options
from skewline.servers.runtime.instruments import osi_symbol
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import instrument_pb2, surface_pb2

SETTINGS = CalibrationSettings()
RECORD, SABR, HESTON = (
    surface_pb2.VOL_MODEL_RECORD,
    surface_pb2.VOL_MODEL_SABR,
    surface_pb2.VOL_MODEL_HESTON,
)


@pytest.fixture(scope="module")
def surface() -> surface_pb2.VolSurface:
    return fit_surface(smile_chain(quoting=Quoting(half_spread=0.005)), SETTINGS)


def test_prices_lie_on_the_smile_and_say_their_greeks(surface: surface_pb2.VolSurface) -> None:
    call = osi_symbol("XYZ", SMILES[2].date, True, 105.0)
    put = osi_symbol("XYZ", SMILES[2].date, False, 105.0)
    priced = price_options(surface, [call, put], SABR)
    assert list(priced.status) == ["OK", "OK"]
    found = surface.slices[2]
    assert priced.price[0] - priced.price[1] == pytest.approx(found.discount * (found.forward - 105.0))
    assert priced.delta[0] - priced.delta[1] == pytest.approx(found.discount * found.forward / surface.spot)
    assert priced.vega[0] == pytest.approx(priced.vega[1])
    assert priced.theta[0] < 0.0


def test_the_vol_of_a_price_is_the_vol_it_was_made_with(surface: surface_pb2.VolSurface) -> None:
    names = [osi_symbol("XYZ", smile.date, True, 102.5) for smile in SMILES]
    priced = price_options(surface, names, SABR)
    implied = imply_volatilities(surface, names, priced.price)
    assert list(implied.volatility) == pytest.approx(list(priced.volatility))


def test_heston_prices_are_near_those_of_sabr(surface: surface_pb2.VolSurface) -> None:
    names = [osi_symbol("XYZ", SMILES[3].date, True, strike) for strike in (95.0, 100.0, 105.0)]
    by_heston = price_options(surface, names, HESTON)
    by_sabr = price_options(surface, names, SABR)
    assert list(by_heston.volatility) == pytest.approx(list(by_sabr.volatility), abs=0.02)


def test_what_cannot_be_priced_says_why_and_spoils_nothing(surface: surface_pb2.VolSurface) -> None:
    names = [
        "nonsense",
        osi_symbol("XYZ", "2030-01-18", True, 100.0),
        osi_symbol("XYZ", SMILES[1].date, True, 100.0),
    ]
    priced = price_options(surface, names, SABR)
    assert list(priced.status) == ["NOT_AN_INSTRUMENT_ID", "NO_SUCH_EXPIRY", "OK"]
    assert math.isnan(priced.price[0])
    assert priced.price[2] > 0.0
    implied = imply_volatilities(surface, names[2:] * 2, [-1.0, 1e9])
    assert all(status != "OK" for status in implied.status)


def test_american_options_are_priced_as_such() -> None:
    quoting = Quoting(half_spread=0.005, exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN)
    surface = fit_surface(smile_chain(quoting=quoting), SETTINGS)
    deep = osi_symbol("XYZ", SMILES[3].date, False, 130.0)
    near = osi_symbol("XYZ", SMILES[3].date, False, 100.0)
    priced = price_options(surface, [deep, near], SABR)
    assert priced.price[0] >= 30.0
    assert priced.delta[0] == pytest.approx(-1.0, abs=0.05)
    implied = imply_volatilities(surface, [near], priced.price[1:])
    assert implied.volatility[0] == pytest.approx(priced.volatility[1], abs=1e-4)


def test_native_ids_are_priced_too() -> None:
    surface = fit_surface(smile_chain(quoting=Quoting(native_ids=True)), SETTINGS)
    priced = price_options(surface, [surface.slices[0].instrument_id[3]], SABR)
    assert list(priced.status) == ["OK"]


def test_an_expiry_without_a_fit_of_its_own_is_priced_between_its_neighbours(
    surface: surface_pb2.VolSurface,
) -> None:
    spoilt = surface_pb2.VolSurface()
    spoilt.CopyFrom(surface)
    for at in (0, 1):
        spoilt.slices[at].record.status = surface_pb2.FIT_STATUS_POOR
    names = [osi_symbol("XYZ", smile.date, True, 102.5) for smile in SMILES[:3]]
    priced = price_options(spoilt, names)
    assert list(priced.status) == ["FIT_FAILED", "FIT_FAILED", "OK"]
    spoilt.slices[0].record.status = surface_pb2.FIT_STATUS_GOOD
    priced = price_options(spoilt, names)
    assert list(priced.status) == ["OK", "OK", "OK"]
    assert list(priced.interpolated) == [False, True, False]
    assert priced.volatility[1] == pytest.approx(0.19, abs=0.01)
