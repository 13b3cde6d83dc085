"""The surface of record and what is checked of it and of the models."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fitted_messages import checks_of
from priced_surfaces import surface as weekly_surface
from smile_chains import DAY_NS, SMILES, THURSDAY_NS, Quoting, smile_chain

from skewline.servers.calibration.fit import fit_surface
from skewline.servers.calibration.memory import Memory
from skewline.servers.calibration.record import smile_of
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import instrument_pb2, surface_pb2

SETTINGS = CalibrationSettings()
GOOD, POOR = surface_pb2.FIT_STATUS_GOOD, surface_pb2.FIT_STATUS_POOR
RECORD, SABR, ESSVI, HESTON = (
    surface_pb2.VOL_MODEL_RECORD,
    surface_pb2.VOL_MODEL_SABR,
    surface_pb2.VOL_MODEL_ESSVI,
    surface_pb2.VOL_MODEL_HESTON,
)

SVI = surface_pb2.VOL_MODEL_SVI


@pytest.fixture(scope="module")
def weekly() -> surface_pb2.VolSurface:
    return weekly_surface()


@pytest.fixture(scope="module")
def spx(market_data: Path) -> surface_pb2.VolSurface:
    source = CboeSource(market_data / "spx-2019")
    return fit_surface(source.load(source.plan()[0]), SETTINGS)


def test_the_record_lies_inside_the_quotes_and_says_its_vols(weekly: surface_pb2.VolSurface) -> None:
    for each in weekly.slices:
        assert each.record.status == GOOD
        assert each.record.inside_band == 1.0
        vols = smile_of(each).vol(np.log(np.array(each.strike) / each.forward))
        assert list(each.record_iv) == pytest.approx(vols.tolist(), abs=1e-15)
        assert np.all(vols >= np.array(each.bid_iv) - 1e-9)
        assert np.all(vols <= np.array(each.ask_iv) + 1e-9)


def test_level_skew_and_curvature_are_those_of_the_smile(weekly: surface_pb2.VolSurface) -> None:
    for each in weekly.slices:
        step = 1e-4
        left, middle, right = smile_of(each).vol([-step, 0.0, step])
        assert each.record.atm_vol == pytest.approx(middle)
        assert each.record.atm_skew == pytest.approx((right - left) / (2 * step), rel=1e-5)
        assert each.record.atm_curvature == pytest.approx((right + left - 2 * middle) / step**2, rel=1e-2)


def test_every_smile_is_checked_against_its_limits(weekly: surface_pb2.VolSurface) -> None:
    for at, each in enumerate(weekly.slices):
        before = {"CALENDAR"} if at else set()
        record = checks_of(each.checks, RECORD)
        assert record.keys() == {"BUTTERFLY", "LEE", "INSIDE_BAND"} | before
        assert all(check.passed for check in record.values())
        for model in (SABR, ESSVI, SVI):
            assert checks_of(each.checks, model).keys() == {"BUTTERFLY", "LEE"} | before
    assert checks_of(weekly.checks, HESTON).keys() == {"FELLER", "CONDITION"}
    assert checks_of(weekly.checks, RECORD)["GOOD_EXPIRIES"].value == 1.0


def test_essvi_is_free_of_arbitrage_and_sabr_says_where_it_is_not(spx: surface_pb2.VolSurface) -> None:
    for each in spx.slices:
        assert all(check.passed for check in checks_of(each.checks, ESSVI).values())
    calendars = [checks_of(each.checks, SABR)["CALENDAR"] for each in spx.slices[1:]]
    assert {check.passed for check in calendars} == {True, False}
    assert all(check.passed == (check.value >= check.limit) for check in calendars)


def test_the_models_are_compared_on_the_same_quotes(spx: surface_pb2.VolSurface) -> None:
    by_model = {each.model: each for each in spx.models}
    assert by_model.keys() == {RECORD, SABR, ESSVI, SVI, HESTON}
    assert by_model[RECORD].quotes == by_model[SABR].quotes == spx.quotes
    assert by_model[RECORD].inside_band > 0.99
    assert by_model[RECORD].rmse < by_model[SVI].rmse < by_model[SABR].rmse < by_model[ESSVI].rmse


def test_the_record_is_fitted_to_quotes_far_from_the_money_too(spx: surface_pb2.VolSurface) -> None:
    far = {each.reason: each.count for each in spx.excluded}["FAR_FROM_THE_MONEY"]
    assert sum(each.record.quotes for each in spx.slices) == spx.quotes + far
    assert all(each.record.status == GOOD for each in spx.slices)


def test_a_dear_expiry_is_no_ground_for_arbitrage_in_the_record() -> None:
    """Quotes that contradict the later expiries are left, not followed, and the check says so."""
    from priced_surfaces import weekly_smiles

    smiles = list(weekly_smiles())
    smiles[4] = replace(smiles[4], alpha=0.23)
    found = weekly_surface(smiles=tuple(smiles))
    after = found.slices[5]
    assert after.record.status == GOOD
    record = checks_of(after.checks, RECORD)
    assert not record["INSIDE_BAND"].passed
    assert record["CALENDAR"].passed
    assert not checks_of(after.checks, SABR)["CALENDAR"].passed


def test_an_expiry_without_a_forward_of_its_own_has_no_record() -> None:
    chain = smile_chain()
    for at, index in enumerate(chain.expiry_index):
        out_of_money = chain.is_call[at] == (chain.strike[at] > 100.3)
        if index == 1 and not out_of_money:
            chain.bid[at] = 0.0
    found = fit_surface(chain, SETTINGS).slices[1]
    assert found.record.status == surface_pb2.FIT_STATUS_FAILED
    assert list(found.record.reasons) == ["FORWARD_INTERPOLATED"]
    assert not found.record.knot
    assert np.isnan(found.record_iv).all()


def test_the_vols_of_american_options_are_those_without_early_exercise() -> None:
    smiles = tuple(replace(each, rate=0.08, forward=98.0 + each.days / 100) for each in SMILES[:3])
    quoting = Quoting(half_spread=0.02, exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN, spot=98.0)
    surface = fit_surface(smile_chain(smiles, quoting), CalibrationSettings(fallback_rate=0.08))
    for smile, found in zip(smiles, surface.slices, strict=True):
        near = np.abs(np.array(found.strike) / found.forward - 1.0) < 0.1
        vols = np.array(found.record_iv)[near]
        assert vols == pytest.approx(smile.vols(np.array(found.strike)[near]), abs=4e-3)


@pytest.mark.parametrize(("level", "days", "status"), [(0.2, 1, GOOD), (0.5, 1, POOR), (0.5, 60, GOOD)])
def test_a_level_that_jumps_waits_for_the_next_surface(
    level: float, days: int, status: surface_pb2.FitStatus.ValueType
) -> None:
    before = fit_surface(smile_chain(time_ns=THURSDAY_NS - days * DAY_NS), SETTINGS)
    memory = Memory().after(before, SETTINGS.ou_max_points)
    chain = smile_chain(tuple(replace(each, alpha=level) for each in SMILES))
    found = fit_surface(chain, SETTINGS, memory)
    check = checks_of(found.checks, SABR)["STABILITY"]
    assert check.passed == (status == GOOD)
    assert found.status == status
    assert list(found.reasons) == ([] if status == GOOD else ["STABILITY"])
    confirmed = smile_chain(
        tuple(replace(each, alpha=level) for each in SMILES), time_ns=THURSDAY_NS + DAY_NS
    )
    again = fit_surface(confirmed, SETTINGS, memory.after(found, SETTINGS.ou_max_points))
    assert again.status == GOOD
