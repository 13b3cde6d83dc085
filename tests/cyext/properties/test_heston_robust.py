"""Heston's calibration from anywhere, to anything: it ends in the optimum or says that it did not."""

import time

import numpy as np
import pytest
from heston_parameters import model
from heston_starts import random_models, random_starts
from numpy.typing import NDArray
from published_surfaces import DAX_2002_SSE, dax_2002

from skewline.cyext import black, heston
from skewline.cyext.status import Status

DAX = dax_2002()


def surface(
    expiries: list[float], strikes: int, width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(strike, expiry) of options around forward 1, `width` standard deviations of 20 % to either side."""
    expiry = np.repeat(expiries, strikes)
    steps = np.tile(np.linspace(-width, 0.8 * width, strikes), len(expiries))
    return np.exp(steps * 0.2 * np.sqrt(expiry)), expiry


def vols_of(
    parameters: NDArray[np.float64], strike: NDArray[np.float64], expiry: NDArray[np.float64]
) -> NDArray[np.float64]:
    is_call = strike > 1.0
    price = heston.price(is_call, 1.0, strike, expiry, 1.0, **model(parameters))
    return black.implied_vol(is_call, price, 1.0, strike, expiry, 1.0)


def flagged(fit: heston.HestonFit) -> bool:
    return not fit.converged or fit.agreed is False or bool(fit.at_bounds)


def test_a_thousand_starts_on_the_dax() -> None:
    for start in random_starts(1000, seed=2017):
        fit = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols, initial=start)
        assert fit.sse * 1e4 <= DAX_2002_SSE + 0.1 or flagged(fit), start


def test_the_dax_from_the_published_start() -> None:
    fit = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols, initial=[0.1, 1.0, 0.1, 0.5, -0.5])
    assert fit.sse * 1e4 == pytest.approx(DAX_2002_SSE, abs=0.001)
    assert fit.converged


def test_random_surfaces_come_back_with_and_without_noise() -> None:
    strike, expiry = surface([5 / 365, 30 / 365, 0.25, 0.75, 2.0], 11, 2.2)
    rng = np.random.default_rng(71)
    for parameters in random_models(60, seed=72):
        vols = vols_of(parameters, strike, expiry)
        if not np.isfinite(vols).all():
            continue
        clean = heston.calibrate(1.0, strike, expiry, vols)
        assert clean.rmse < 1e-6 or flagged(clean), parameters
        noisy = vols * (1 + 0.01 * rng.standard_normal(vols.size))
        there = float(np.sum((vols - noisy) ** 2))
        fit = heston.calibrate(1.0, strike, expiry, noisy)
        # the optimum is no worse than the truth
        assert fit.sse <= there * (1 + 1e-6) or flagged(fit), parameters


@pytest.mark.parametrize(
    "parameters",
    [
        (0.04, 2.0, 0.06, 0.7, -0.985),
        (0.04, 2.0, 0.06, 0.7, 0.985),
        (0.04, 0.01, 0.04, 0.4, -0.6),
        (0.02, 1.0, 0.01, 2.5, -0.7),
        (0.5, 8.0, 0.6, 1.0, 0.0),
        (0.0004, 2.0, 0.0009, 0.05, -0.4),
    ],
)
def test_models_at_the_edge(parameters: tuple[float, ...]) -> None:
    """ρ near ±1, κ near 0, Feller violated by a factor of 300, wild and quiet markets."""
    scale = np.sqrt(max(parameters[0], parameters[2])) / 0.2
    strike, expiry = surface([7 / 365, 0.1, 0.5, 1.5], 11, 2.0)
    strike = strike**scale
    vols = vols_of(np.array(parameters), strike, expiry)
    keep = np.isfinite(vols)
    assert keep.sum() > 30
    fit = heston.calibrate(1.0, strike[keep], expiry[keep], vols[keep])
    assert fit.rmse < 1e-5 or flagged(fit)
    assert fit.rmse < 0.02 * np.median(vols[keep])


def test_one_day_and_deep_wings() -> None:
    strike, expiry = surface([1 / 365, 2 / 365], 15, 7.0)
    vols = vols_of(np.array([0.03, 3.0, 0.04, 1.2, -0.6]), strike, expiry)
    fit = heston.calibrate(1.0, strike, expiry, vols)
    known = np.isfinite(fit.model_vols)
    assert known.sum() > 15
    assert fit.rmse < 1e-4
    assert fit.condition > 100  # two days say nothing of κ and θ


@pytest.mark.parametrize(
    ("strikes", "vols"),
    [
        ([1.0], [0.2]),
        ([1.0] * 6, [0.2] * 6),
        ([1.0] * 6, [0.2, 0.21, 0.2, 0.19, 0.2, 0.2]),
        ([0.9, 1.0, 1.1, 0.9, 1.0, 1.1], [0.2] * 6),
        ([0.9, 1.0, 1.1, 0.9, 1.0, 1.1], [np.nan] * 6),
        ([0.9, 1.0, 1.1, 0.9, 1.0, 1.1], [-0.2] * 6),
        ([0.9, 1.0, 1.1, 0.9, 1.0, 1.1], [0.2, np.inf, 0.2, 1e300, 1e-300, 5e-324]),
        ([1e-300, 1e300, 1.0, 0.0, -0.0, np.nan], [0.2] * 6),
        ([0.95, 1.0, 1.05, 0.9, 1.1, 1.2], [5.0, 0.01, 5.0, 0.01, 5.0, 0.01]),
    ],
)
@pytest.mark.parametrize("expiry", [1 / 365, 0.5, 30.0])
def test_what_says_little_or_nothing_is_answered_and_flagged(
    strikes: list[float], vols: list[float], expiry: float
) -> None:
    fit = heston.calibrate(1.0, strikes, expiry, vols)
    known = np.isfinite(fit.model_vols)
    if fit.status is Status.OK:
        assert np.isfinite(fit.parameters).all()
        assert known.any()
    assert not fit.converged or fit.condition > 100 or fit.at_bounds
    assert fit.sse >= 0 or np.isnan(fit.sse)


def test_no_surface_holds_others_up() -> None:
    """However absurd, an answer takes a fraction of a second (on a busy machine)."""
    rng = np.random.default_rng(73)
    strike, expiry = surface([3 / 365, 0.1, 0.5, 1.5], 12, 2.5)
    for _ in range(20):
        vols = np.clip(rng.lognormal(-1.5, rng.uniform(0.05, 1.0), strike.size), 0.02, 4.0)
        before = time.thread_time()
        fit = heston.calibrate(1.0, strike, expiry, vols)
        assert time.thread_time() - before < 0.5
        assert np.isfinite(fit.parameters).all()
        known = np.isfinite(fit.model_vols)
        assert fit.rmse <= np.std(vols[known]) * (1 + 1e-3) + 1e-3


def test_the_order_of_options_does_not_matter() -> None:
    rng = np.random.default_rng(74)
    here = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols)
    order = rng.permutation(DAX.vols.size)
    there = heston.calibrate(DAX.forward[order], DAX.strike[order], DAX.expiry[order], DAX.vols[order])
    assert there.sse == pytest.approx(here.sse, rel=1e-9)
    assert there.parameters == pytest.approx(here.parameters, rel=1e-5)
    assert there.model_vols == pytest.approx(here.model_vols[order], abs=1e-7)


def test_units_of_money_and_weight_do_not_matter() -> None:
    here = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols)
    for unit in (1e-6, 1e6):
        there = heston.calibrate(DAX.forward * unit, DAX.strike * unit, DAX.expiry, DAX.vols)
        assert there.sse == pytest.approx(here.sse, rel=1e-9)
    heavy = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols, weights=1e6)
    assert heavy.sse == pytest.approx(here.sse * 1e6, rel=1e-9)
    assert heavy.rmse == pytest.approx(here.rmse, rel=1e-9)
    assert heavy.parameters == pytest.approx(here.parameters, rel=1e-5)
