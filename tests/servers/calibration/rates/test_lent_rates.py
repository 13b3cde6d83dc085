"""A curve from outside gives the rates that quotes do not say well, and leaves the others alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from smile_chains import SMILES, Quoting, smile_chain

from skewline.servers.calibration.engine import CalibrationEngine
from skewline.servers.calibration.rates.curve import zero_curve
from skewline.servers.calibration.rates.opening import rates_of
from skewline.servers.calibration.rates.source import Always
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import instrument_pb2, surface_pb2

SETTINGS = CalibrationSettings()
NOISY = Quoting(half_spread=0.02, noise_seed=7)
AMERICAN = replace(NOISY, exercise=instrument_pb2.EXERCISE_STYLE_AMERICAN)


def rate(found: surface_pb2.VolSlice) -> float:
    return float(-np.log(found.discount) / found.years)


def test_a_short_expiry_takes_its_rate_from_the_curve_and_a_long_one_keeps_its_own() -> None:
    curve = Always(zero_curve({0.04: 0.05, 1.0: 0.01}))
    chain = smile_chain(quoting=NOISY)
    plain, lent = (
        CalibrationEngine(SETTINGS, rates=source).on_chain(chain) for source in (rates_of("parity"), curve)
    )
    assert "RATE_NOT_FROM_EXPIRY" in plain.slices[0].reasons
    assert "RATE_FROM_CURVE" in lent.slices[0].reasons
    assert rate(lent.slices[0]) == pytest.approx(0.05, abs=0.002)
    assert lent.slices[-1].discount == plain.slices[-1].discount
    assert lent.slices[0].status == surface_pb2.FIT_STATUS_GOOD


def test_american_options_take_all_rates_from_the_curve() -> None:
    engine = CalibrationEngine(SETTINGS, rates=rates_of("flat:0.03"))
    surface = engine.on_chain(smile_chain(quoting=AMERICAN))
    assert [rate(each) for each in surface.slices] == pytest.approx([0.03] * len(surface.slices))
    for smile, found in zip(SMILES, surface.slices, strict=True):
        assert "RATE_FROM_CURVE" in found.reasons
        assert found.forward == pytest.approx(smile.forward, abs=0.02)
    without = CalibrationEngine(SETTINGS).on_chain(smile_chain(quoting=AMERICAN))
    assert [rate(each) for each in without.slices] == pytest.approx([SETTINGS.fallback_rate] * len(SMILES))
