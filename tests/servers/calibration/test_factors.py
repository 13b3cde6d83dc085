"""Factors of a surface, how they revert, and their history."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from smile_chains import DAY_NS, SMILES, THURSDAY_NS, Quoting, smile_chain

from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.factors import factor_values, factors_of
from skewline.servers.calibration.memory import Memory, Point
from skewline.servers.calibration.parameters import NAMES, check_names, point_of
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.servers.runtime.validation import Validation
from skewline.storage.calibration.repository import summary_of
from skewline.v1 import surface_pb2

SETTINGS = CalibrationSettings(ou_min_points=8)


def values_of(surface: surface_pb2.VolSurface) -> dict[str, float]:
    return {each.name: each.value for each in surface.factors}


@pytest.fixture(scope="module")
def fitted() -> surface_pb2.VolSurface:
    return CalibrationEngine(SETTINGS).on_chain(smile_chain())


def test_factors_are_those_of_the_smiles_at_thirty_days(fitted: surface_pb2.VolSurface) -> None:
    found = values_of(fitted)
    assert list(found) == ["LEVEL", "SKEW", "CURVATURE", "TERM_SLOPE"]
    assert found["LEVEL"] == fitted.atm_vol_30d
    # Of Hagan's formula at the money: skew rho nu / 2, with smiles of 29 and 57 days on both sides.
    smile = SMILES[1]
    assert found["SKEW"] == pytest.approx(smile.rho * smile.nu / 2.0, abs=0.05)
    assert found["CURVATURE"] > 0.0
    strikes = np.array([smile.forward])
    assert found["LEVEL"] == pytest.approx(float(smile.vols(strikes)[0]), abs=0.005)
    assert 0.0 < found["TERM_SLOPE"] < 0.02


def test_factors_agree_with_the_surface_between_its_expiries(fitted: surface_pb2.VolSurface) -> None:
    from skewline.servers.calibration.model_surface import model_surface

    record = model_surface(fitted, surface_pb2.VOL_MODEL_RECORD)
    assert record is not None
    years, k = np.array([30.0 / 365.0]), np.array([[-0.01, 0.0, 0.01]])
    vols = np.sqrt(record.at(years, k).variance[0] / years)
    found = values_of(fitted)
    assert found["SKEW"] == pytest.approx((vols[2] - vols[0]) / 0.02, rel=0.02)
    assert found["CURVATURE"] == pytest.approx((vols[2] - 2 * vols[1] + vols[0]) / 1e-4, rel=0.1)


def test_the_slope_is_unknown_where_expiries_do_not_reach_ninety_days() -> None:
    surface = CalibrationEngine(SETTINGS).on_chain(smile_chain(SMILES[:3]))
    assert list(values_of(surface)) == ["LEVEL", "SKEW", "CURVATURE"]


def test_a_surface_without_a_level_has_no_factors(fitted: surface_pb2.VolSurface) -> None:
    assert factor_values(0.0, fitted.slices) == {}
    assert factor_values(0.2, []) == {"LEVEL": 0.2}


def test_each_factor_is_fitted_on_its_own_history() -> None:
    draw = np.random.default_rng(7)
    skew = np.empty(200)
    skew[0] = -0.4
    for at in range(1, 200):
        skew[at] = -0.4 + 0.6 * (skew[at - 1] + 0.4) + 0.02 * draw.standard_normal()
    history = [
        Point(THURSDAY_NS + at * DAY_NS, {"LEVEL": 0.2} | ({"SKEW": float(value)} if at != 50 else {}))
        for at, value in enumerate(skew)
    ]
    level, found = factors_of(history, {"LEVEL": 0.2, "SKEW": float(skew[-1])}, SETTINGS)
    assert level.ou.status != surface_pb2.FIT_STATUS_GOOD
    assert found.ou.observations == 199
    assert found.ou.status == surface_pb2.FIT_STATUS_GOOD
    assert found.ou.mean == pytest.approx(-0.4, abs=0.02)
    assert found.ou.kappa == pytest.approx(-365.0 * math.log(0.6), rel=0.35)


def test_the_fit_of_the_level_is_the_surfaces_own() -> None:
    engine = CalibrationEngine(SETTINGS)
    for day in range(10):
        level = 1.0 + 0.1 * math.sin(1.7 * day)
        smiles = tuple(replace(smile, alpha=smile.alpha * level) for smile in SMILES)
        chain = smile_chain(smiles, Quoting(noise_seed=day), time_ns=THURSDAY_NS + day * DAY_NS)
        surface = engine.on_chain(chain)
    assert surface.factors[0].ou == surface.ou
    assert [each.ou.observations for each in surface.factors] == [10] * 4


def test_what_was_stored_before_there_were_factors_still_has_its_level() -> None:
    old = surface_pb2.VolSurface(time_ns=5, atm_vol_30d=0.2)
    assert Memory().after(old, 9).factors == (Point(5, {"LEVEL": 0.2}),)
    assert point_of(old, (), 0.0).values == {"factor.LEVEL": 0.2}


def test_a_point_of_history_has_every_name_that_is_known(fitted: surface_pb2.VolSurface) -> None:
    whole = point_of(fitted, (), 0.0)
    assert set(NAMES) - set(whole.values) == {
        f"ou.{name}" for name in ("kappa", "mean", "sigma", "half_life")
    }
    assert whole.expiry_date == "2019-05-24"
    assert whole.values["sabr.nu"] == fitted.slices[1].sabr.nu
    assert whole.values["heston.rho"] == fitted.heston.rho
    assert point_of(summary_of(fitted), (), 0.0) == whole


def test_a_point_of_history_is_of_the_expiry_asked_for(fitted: surface_pb2.VolSurface) -> None:
    found = point_of(fitted, {"svi.sigma", "parity.forward"}, 0.5)
    assert found.values == {
        "svi.sigma": fitted.slices[3].svi.sigma,
        "parity.forward": fitted.slices[3].forward,
    }
    assert found.years == fitted.slices[3].years


def test_a_model_that_failed_has_no_parameters() -> None:
    nothing = CalibrationEngine(SETTINGS).on_chain(
        smile_chain(SMILES[:1], Quoting(strikes=np.array([100.0])))
    )
    assert set(point_of(nothing, (), 0.0).values) <= {
        "parity.forward", "parity.forward_stderr", "parity.discount"
    }  # fmt: skip


def test_names_that_there_are_not_are_refused() -> None:
    validation = Validation()
    check_names(validation, ["heston.v0", "garch.omega"])
    (violation,) = validation.violations
    assert violation.field == "names[1]"
    assert "sabr.nu" in violation.description
