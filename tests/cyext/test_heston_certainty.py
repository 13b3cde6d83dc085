"""What a fit says of itself: standard errors, conditioning, and Feller's condition where it is asked for."""

import numpy as np
import pytest
from heston_parameters import model
from numpy.typing import NDArray
from published_surfaces import dax_2002
from scipy.optimize import least_squares

from skewline.cyext import black, heston

DAX = dax_2002()


def differences(p: NDArray[np.float64]) -> NDArray[np.float64]:
    is_call = DAX.strike > DAX.forward
    contract = (DAX.forward, DAX.strike, DAX.expiry, 1.0)
    prices = heston.price(is_call, *contract, **model(p))
    return np.subtract(black.implied_vol(is_call, prices, *contract), DAX.vols)


def jacobian(p: NDArray[np.float64]) -> NDArray[np.float64]:
    columns = []
    for i in range(5):
        step = np.zeros(5)
        step[i] = 1e-5 * p[i]
        columns.append((differences(p + step) - differences(p - step)) / (2 * step[i]))
    return np.array(columns).T


def test_standard_errors_are_those_of_linear_least_squares_at_the_optimum() -> None:
    fit = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols)
    j = jacobian(fit.parameters)
    covariance = np.linalg.inv(j.T @ j) * fit.sse / (DAX.vols.size - 5)
    assert fit.stderr == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-5)
    in_logs = j * [*fit.parameters[:4], 1.0]
    assert fit.condition == pytest.approx(np.linalg.cond(in_logs), rel=1e-5)


def test_standard_errors_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(6)
    truth = np.array([0.04, 2.0, 0.06, 0.7, -0.6])
    expiry = np.repeat([0.1, 0.25, 0.5, 1.0, 2.0], 9)
    strike = np.exp(np.tile(np.linspace(-2, 1.5, 9), 5) * 0.2 * np.sqrt(expiry))
    prices = heston.price(strike > 1, 1.0, strike, expiry, 1.0, **model(truth))
    vols = black.implied_vol(strike > 1, prices, 1.0, strike, expiry, 1.0)
    misses = []
    for _ in range(200):
        fit = heston.calibrate(1.0, strike, expiry, vols + 0.001 * rng.standard_normal(vols.size))
        misses.append((fit.parameters - truth) / fit.stderr)
    spread = np.std(misses, axis=0)
    assert (np.abs(spread - 1.0) < 0.2).all(), spread


def test_a_parameter_at_its_bound_has_no_standard_error() -> None:
    expiry = np.repeat([0.1, 0.5, 1.5], 9)
    strike = np.exp(np.tile(np.linspace(-2.5, 1.8, 9), 3) * 0.2 * np.sqrt(expiry))
    fit = heston.calibrate(1.0, strike, expiry, np.full(strike.size, 0.2))
    names = ("v0", "kappa", "theta", "sigma", "rho")
    assert "sigma" in fit.at_bounds
    assert [name for name, e in zip(names, fit.stderr, strict=True) if np.isnan(e)] == list(fit.at_bounds)


def test_as_many_quotes_as_parameters_leave_nothing_to_judge_by() -> None:
    fit = heston.calibrate(
        1.0, [0.8, 0.9, 1.0, 1.1, 1.2], [0.1, 0.2, 0.5, 1.0, 2.0], [0.3, 0.25, 0.2, 0.19, 0.2]
    )
    assert np.isnan(fit.stderr).all()


def test_feller_enforced_gives_the_best_of_the_models_that_satisfy_it() -> None:
    free = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols)
    fit = heston.calibrate(DAX.forward, DAX.strike, DAX.expiry, DAX.vols, enforce_feller=True)
    assert free.feller < 0.5
    assert 2 * fit.kappa * fit.theta >= fit.sigma**2
    assert fit.feller == pytest.approx(1.0, abs=1e-12)
    assert fit.converged

    def shifted(x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The constraint made part of the parameters: σ² = 2κθ/(1 + slack²)."""
        v0, kappa, theta = np.exp(x[:3])
        sigma = np.sqrt(2 * kappa * theta / (1 + x[4] ** 2))
        return differences(np.array([v0, kappa, theta, sigma, np.tanh(x[3])]))

    costs = [
        2 * least_squares(shifted, [np.log(0.1), np.log(kappa), np.log(0.07), -0.6, slack]).cost
        for kappa, slack in ((2.0, 0.1), (10.0, 0.5), (30.0, 1.0))
    ]
    assert fit.sse == pytest.approx(min(costs), rel=1e-5)
    assert fit.sse <= min(costs) * (1 + 1e-9)
    assert np.isfinite(fit.stderr).all()
    assert np.isfinite(fit.condition)


def test_feller_enforced_changes_nothing_where_it_holds() -> None:
    expiry = np.repeat([0.1, 0.5, 1.5], 9)
    strike = np.exp(np.tile(np.linspace(-2.5, 1.8, 9), 3) * 0.2 * np.sqrt(expiry))
    prices = heston.price(strike > 1, 1.0, strike, expiry, 1.0, **model((0.04, 3.0, 0.06, 0.4, -0.6)))
    vols = black.implied_vol(strike > 1, prices, 1.0, strike, expiry, 1.0)
    free = heston.calibrate(1.0, strike, expiry, vols)
    fit = heston.calibrate(1.0, strike, expiry, vols, enforce_feller=True)
    assert fit.parameters.tolist() == free.parameters.tolist()
    assert fit.feller > 1.0
