import time
from collections.abc import Iterable

import numpy as np
import pytest
from heston_parameters import model
from numpy.typing import NDArray
from published_surfaces import DAX_2002_SSE, dax_2002

from skewline.cyext import black, heston
from skewline.cyext.status import Status

DAX = dax_2002()


def vols_of(
    p: Iterable[float], forward: float, strike: NDArray[np.float64], expiry: NDArray[np.float64]
) -> NDArray[np.float64]:
    is_call = strike > forward
    prices = heston.price(is_call, forward, strike, expiry, 1.0, **model(p))
    return black.implied_vol(is_call, prices, forward, strike, expiry, 1.0)


def grid(
    expiries: list[float], points: int, vol: float = 0.2
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t = np.repeat(expiries, points)
    return np.exp(np.tile(np.linspace(-2.5, 1.8, points), len(expiries)) * vol * np.sqrt(t)), t


def test_dax_2002_reaches_the_published_sum_of_squares() -> None:
    fit = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols)
    assert fit.sse * 1e4 == pytest.approx(DAX_2002_SSE, abs=0.001)
    assert fit.converged
    assert fit.agreed
    assert fit.at_bounds == ()
    assert fit.rmse == pytest.approx(np.sqrt(fit.sse / 104))
    assert fit.feller == pytest.approx(2 * fit.kappa * fit.theta / fit.sigma**2)
    assert np.sum((fit.model_vols - DAX.vols) ** 2) == pytest.approx(fit.sse)
    again = black.implied_vol(
        True,
        heston.price(True, DAX.forward, DAX.strike, DAX.expiry, 1.0, **model(fit.parameters)),
        *(DAX.forward, DAX.strike, DAX.expiry, 1.0),
    )
    assert fit.model_vols == pytest.approx(again, abs=1e-9)


def test_every_random_start_ends_in_the_optimum_or_is_flagged() -> None:
    rng = np.random.default_rng(7)
    for _ in range(60):
        start = [
            *(10 ** rng.uniform(-3, 0), 10 ** rng.uniform(-1, 1.5), 10 ** rng.uniform(-3, 0)),
            *(10 ** rng.uniform(-1, 0.8), rng.uniform(-0.95, 0.95)),
        ]
        fit = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols, initial=start)
        assert fit.sse * 1e4 == pytest.approx(DAX_2002_SSE, abs=0.02) or not fit.converged, start


def test_gradient_leads_downhill_everywhere() -> None:
    """Parameters of random surfaces come back, Feller violated or not."""
    rng = np.random.default_rng(3)
    strike, expiry = grid([7 / 365, 0.1, 0.5, 1.5], 9)
    for _ in range(25):
        p = (
            *(rng.uniform(0.01, 0.2), rng.uniform(0.5, 10), rng.uniform(0.01, 0.2)),
            *(rng.uniform(0.2, 2.0), rng.uniform(-0.9, 0.3)),
        )
        vols = vols_of(p, 1.0, strike, expiry)
        fit = heston.calibrate(1.0, strike, expiry, vols)
        assert fit.rmse < 1e-6, p
        assert fit.parameters == pytest.approx(p, rel=2e-3), p


def test_warm_start_takes_few_iterations() -> None:
    cold = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols)
    moved = DAX.vols * 1.01
    warm = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, moved, initial=cold.parameters)
    fresh = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, moved)
    assert warm.starts == 1
    assert warm.iterations < cold.iterations
    assert warm.sse == pytest.approx(fresh.sse, rel=1e-6)


def test_weights_and_missing_points() -> None:
    strike, expiry = grid([0.1, 0.5, 1.5], 9)
    p = (0.04, 2.0, 0.06, 0.7, -0.6)
    vols = vols_of(p, 1.0, strike, expiry)
    spoiled = vols.copy()
    spoiled[4] += 0.3
    weights = np.ones(vols.size)
    weights[4] = 0.0
    fit = heston.calibrate(1.0, strike, expiry, spoiled, weights=weights)
    assert fit.parameters == pytest.approx(p, rel=1e-4)
    assert np.isnan(fit.model_vols).sum() == 1
    spoiled[4] = np.nan
    strike[5] = -1.0
    expiry[6] = 0.0
    again = heston.calibrate(1.0, strike, expiry, spoiled)
    assert again.parameters == pytest.approx(p, rel=1e-4)
    assert np.flatnonzero(np.isnan(again.model_vols)).tolist() == [4, 5, 6]


def test_a_single_expiry_is_fitted_and_said_to_be_badly_identified() -> None:
    strike, expiry = grid([0.25], 15)
    vols = vols_of((0.04, 2.0, 0.06, 0.7, -0.6), 1.0, strike, expiry)
    fit = heston.calibrate(1.0, strike, expiry, vols)
    assert fit.rmse < 1e-4
    assert fit.condition > 100


def test_a_flat_surface_does_not_break_it() -> None:
    strike, expiry = grid([0.1, 0.5, 1.5], 9)
    fit = heston.calibrate(1.0, strike, expiry, np.full(strike.size, 0.2))
    assert fit.rmse < 1e-3
    assert fit.at_bounds or fit.condition > 100


def test_strikes_that_say_nothing_are_left_out() -> None:
    strike, expiry = grid([1 / 365, 0.5, 1.5], 9)
    p = (0.04, 2.0, 0.06, 0.7, -0.6)
    vols = vols_of(p, 1.0, strike, expiry)
    strike[0], strike[8], vols[0], vols[8] = 0.05, 2.7, 0.3, 0.3
    fit = heston.calibrate(1.0, strike, expiry, vols)
    assert fit.parameters == pytest.approx(p, rel=1e-3)
    assert np.flatnonzero(np.isnan(fit.model_vols)).tolist() == [0, 8]


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_a_quote_whose_moneyness_is_no_number_is_left_out(scale: float) -> None:
    strike, expiry = grid([0.1, 0.5, 1.5], 9)
    p = (0.04, 2.0, 0.06, 0.7, -0.6)
    vols, forward = vols_of(p, 1.0, strike, expiry), np.ones(strike.size)
    forward[4], strike[4] = scale, 1.0 / scale
    fit = heston.calibrate(forward, strike, expiry, vols)
    assert fit.parameters == pytest.approx(p, rel=1e-3)
    assert np.flatnonzero(np.isnan(fit.model_vols)).tolist() == [4]


@pytest.mark.parametrize("shape", ["garbage", "steep", "rising", "frown", "huge"])
def test_surfaces_that_no_model_makes_end_finite_and_honest(shape: str) -> None:
    strike, expiry = grid([3 / 365, 0.1, 0.5, 1.5], 9)
    x = np.log(strike)
    vols = {
        "garbage": np.random.default_rng(0).uniform(0.05, 1.0, strike.size),
        "steep": np.clip(0.25 - 0.8 * x, 0.02, 3),
        "rising": np.clip(0.25 + 0.8 * x, 0.02, 3),
        "frown": np.clip(0.3 - x**2 / expiry, 0.02, 3),
        "huge": np.full(strike.size, 3.0),
    }[shape]
    fit = heston.calibrate(1.0, strike, expiry, vols)
    assert np.isfinite(fit.parameters).all()
    known = np.isfinite(fit.model_vols)
    assert np.sum((fit.model_vols - vols)[known] ** 2) <= fit.sse * (1 + 1e-9)
    assert fit.rmse <= np.std(vols) + 1e-3


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_points_are_not_called_a_fit(count: int) -> None:
    strike, expiry = np.linspace(0.9, 1.1, count), np.full(count, 0.5)
    fit = heston.calibrate(1.0, strike, expiry, np.full(count, 0.2))
    assert fit.status is Status.TOO_FEW
    assert not fit.converged
    assert fit.model_vols.shape == (count,)


def test_keeps_the_shape_and_order_of_the_input() -> None:
    strike = np.array([[1.1, 0.9, 1.0], [1.2, 0.8, 1.0]])
    expiry = np.array([[1.0], [0.1]])
    vols = np.array([[0.19, 0.22, 0.2], [0.2, 0.3, 0.21]])
    fit = heston.calibrate(1.0, strike, expiry, vols)
    assert fit.model_vols.shape == (2, 3)
    assert fit.model_vols == pytest.approx(vols, abs=0.05)


def test_threads_give_the_same_fit() -> None:
    one = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols)
    two = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols, threads=2)
    assert one.parameters.tolist() == two.parameters.tolist()
    assert one.sse == two.sse


def test_five_hundred_options_over_thirty_five_expiries_in_time() -> None:
    rng = np.random.default_rng(1)
    strike, expiry = grid([*np.arange(1, 30) * 3 / 365, 0.3, 0.5, 0.8, 1.2, 2.0, 2.7], 15)
    vols = vols_of((0.02, 5.0, 0.03, 1.2, -0.75), 1.0, strike, expiry)
    vols = vols * (1 + 0.02 * rng.standard_normal(vols.size))
    start = time.perf_counter()
    fit = heston.calibrate(1.0, strike, expiry, vols)
    assert time.perf_counter() - start < 10
    assert fit.converged
    assert fit.rmse < 0.01


def test_misuse_names_the_argument() -> None:
    with pytest.raises(ValueError, match="initial"):
        heston.calibrate(1.0, [0.9, 1.0], 1.0, [0.2, 0.2], initial=[1.0, 2.0])
    with pytest.raises(ValueError, match="strike"):
        heston.calibrate(1.0, [0.9, 1.0], 1.0, [0.2, 0.2, 0.2])
    with pytest.raises(TypeError, match="vols"):
        heston.calibrate(1.0, [0.9, 1.0], 1.0, ["a", "b"])


def test_a_large_surface_ends_where_all_of_its_quotes_want_it() -> None:
    """The way is searched on a part of the quotes; the optimum is that of all."""
    rng = np.random.default_rng(2)
    strike, expiry = grid([0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0], 150)
    vols = vols_of((0.03, 3.0, 0.05, 0.9, -0.7), 1.0, strike, expiry)
    vols = vols * (1 + 0.03 * rng.standard_normal(vols.size)) + 0.01 * np.sin(5 * np.log(strike))
    fit = heston.calibrate(1.0, strike, expiry, vols)
    order = rng.permutation(vols.size)
    again = heston.calibrate(1.0, strike[order], expiry[order], vols[order])
    assert fit.converged
    assert fit.agreed
    assert again.sse == pytest.approx(fit.sse, rel=1e-7)
    for factor in (0.999, 1.001):
        for i in range(5):
            moved = fit.parameters
            moved[i] *= factor
            assert np.sum((vols_of(moved, 1.0, strike, expiry) - vols) ** 2) > fit.sse
