import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from skewline.cyext import ou
from skewline.cyext.status import Status

# M. A. van den Berg, Calibrating the Ornstein–Uhlenbeck model (sitmo.com)
SITMO = [
    *(3.0, 1.76, 1.2693, 1.196, 0.9468, 0.9532, 0.6252, 0.8604, 1.0984, 1.431, 1.3019),
    *(1.4005, 1.2686, 0.7147, 0.9237, 0.7297, 0.7105, 0.8683, 0.7406, 0.7314, 0.6232),
]


def simulate(
    kappa: float, mean: float, sigma: float, dt: float, paths: int, steps: int, seed: int
) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    decay = np.exp(-kappa * dt)
    noise = sigma * np.sqrt((1 - decay**2) / (2 * kappa))
    x = np.empty((paths, steps))
    x[:, 0] = mean + sigma / np.sqrt(2 * kappa) * rng.standard_normal(paths)
    for i in range(1, steps):
        x[:, i] = mean + decay * (x[:, i - 1] - mean) + noise * rng.standard_normal(paths)
    return x


def test_published_example() -> None:
    fit = ou.fit(SITMO, 0.25)
    assert fit.kappa == pytest.approx(3.12873217812386, rel=1e-12)
    assert fit.mean == pytest.approx(0.90748788828331, rel=1e-12)
    assert fit.sigma == pytest.approx(0.55315453345189, rel=1e-12)
    assert fit.half_life == pytest.approx(np.log(2) / fit.kappa)
    assert fit.mean_reverting
    assert fit.observations == 20


def test_is_the_maximum_of_the_exact_likelihood() -> None:
    x = simulate(2.0, 0.3, 0.5, 1 / 52, 1, 400, seed=3)[0]

    def minus_log_likelihood(p: NDArray[np.float64]) -> float:
        kappa, mean, sigma = np.exp(p[0]), p[1], np.exp(p[2])
        decay = np.exp(-kappa / 52)
        variance = sigma**2 * (1 - decay**2) / (2 * kappa)
        errors = x[1:] - mean - decay * (x[:-1] - mean)
        return float(0.5 * np.sum(np.log(2 * np.pi * variance) + errors**2 / variance))

    best = minimize(
        minus_log_likelihood,
        [0.5, 0.2, -0.5],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 5000},
    )
    fit = ou.fit(x, 1 / 52)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-7)
    assert [fit.kappa, fit.mean, fit.sigma] == pytest.approx(
        [np.exp(best.x[0]), best.x[1], np.exp(best.x[2])], rel=1e-4
    )


def test_bias_and_standard_errors_are_those_of_many_samples() -> None:
    fits = ou.fit_many(simulate(5.0, -1.0, 0.8, 1 / 252, 4000, 756, seed=11), 1 / 252)
    assert (fits.status == Status.OK).all()
    # three years of data: the bias is a quarter of κ, as Tang & Chen say
    assert np.mean(fits.kappa) - 5.0 == pytest.approx(np.mean(fits.bias), rel=0.15)
    assert np.mean(fits.mean) == pytest.approx(-1.0, abs=0.01)
    assert np.mean(fits.sigma) == pytest.approx(0.8, rel=0.005)
    assert np.std(fits.sigma) == pytest.approx(np.median(fits.stderr_sigma), rel=0.1)
    assert np.std(fits.mean) == pytest.approx(np.median(fits.stderr_mean), rel=0.25)
    assert np.std(fits.kappa) == pytest.approx(np.median(fits.stderr_kappa), rel=0.25)


def test_a_trend_is_not_called_mean_reversion() -> None:
    fit = ou.fit(1.05 ** np.arange(60) + 0.01 * np.sin(np.arange(60.0)), 1.0)
    assert fit.kappa < 0
    assert not fit.mean_reverting
    assert fit.half_life == np.inf
    assert fit.status is Status.OK


@pytest.mark.parametrize(
    ("series", "status"),
    [
        ([], Status.TOO_FEW),
        ([1.0, 2.0], Status.TOO_FEW),
        ([1.0] * 20, Status.OUT_OF_DOMAIN),
        ([1.0, -1.0] * 20, Status.OUT_OF_DOMAIN),
        ([np.nan] * 20, Status.NON_FINITE),
    ],
)
def test_what_cannot_be_fitted_is_said(series: list[float], status: Status) -> None:
    fit = ou.fit(np.array(series, dtype=float), 1.0)
    assert fit.status is status
    assert np.isnan(fit.kappa)


def test_a_missing_observation_costs_the_two_steps_at_it() -> None:
    x = simulate(3.0, 0.0, 1.0, 0.1, 1, 300, seed=1)[0]
    holed = x.copy()
    holed[150] = np.nan
    fit = ou.fit(holed, 0.1)
    assert fit.observations == 297
    assert fit.kappa == pytest.approx(ou.fit(x, 0.1).kappa, rel=0.1)


def test_rows_are_independent_of_each_other_and_of_threads() -> None:
    x = simulate(3.0, 0.0, 1.0, 0.1, 50, 100, seed=2)
    x[7] = np.nan
    one, two = ou.fit_many(x, 0.1), ou.fit_many(x, 0.1, threads=2)
    assert np.array_equal(one.kappa, two.kappa, equal_nan=True)
    assert one.kappa[8] == ou.fit(x[8], 0.1).kappa


@pytest.mark.parametrize("dt", [0.0, -1.0, float("nan")])
def test_a_step_that_is_none_is_refused(dt: float) -> None:
    with pytest.raises(ValueError, match="dt"):
        ou.fit(SITMO, dt)
    with pytest.raises(ValueError, match="matrix"):
        ou.fit_many(SITMO, 1.0)


@pytest.mark.parametrize("size", [4, 9, 33, 64, 65, 130])
def test_digits_survive_a_mean_that_dwarfs_the_spread(size: int) -> None:
    # whole multiples of a power of two, so that adding the mean rounds nothing
    x = np.round(simulate(0.5, 0.0, 1.0, 0.1, 1, size, seed=size)[0] * 2**20) / 2**20
    near, far = ou.fit(x, 0.1), ou.fit(x + 2.0**30, 0.1)
    assert [far.kappa, far.sigma, far.stderr.kappa] == pytest.approx(
        [near.kappa, near.sigma, near.stderr.kappa], rel=1e-12
    )


@given(
    shift=st.floats(-1e3, 1e3), scale=st.floats(1e-3, 1e3), step=st.floats(1e-3, 1e3), seed=st.integers(0, 99)
)
def test_affine_maps_and_the_unit_of_time_change_the_units_only(
    shift: float, scale: float, step: float, seed: int
) -> None:
    x = simulate(3.0, 0.0, 1.0, 0.1, 1, 60, seed=seed)[0]
    fit, moved = ou.fit(x, 0.1), ou.fit(shift + scale * x, 0.1 * step)
    tolerance = 1e-9 * (1 + abs(shift) / scale)
    assert moved.kappa * step == pytest.approx(fit.kappa, rel=tolerance)
    assert moved.sigma * np.sqrt(step) == pytest.approx(fit.sigma * scale, rel=tolerance)
    assert (moved.mean - shift) / scale == pytest.approx(fit.mean, rel=tolerance, abs=tolerance)
    assert moved.stderr.kappa * step == pytest.approx(fit.stderr.kappa, rel=tolerance)
