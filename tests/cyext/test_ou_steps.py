"""Ornstein–Uhlenbeck fits to observations at unequal steps: exact, whatever the steps are."""

import exact_ou
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from skewline.cyext import ou
from skewline.cyext.status import Status

Vector = NDArray[np.float64]
NUMBERS = ("kappa", "mean", "sigma", "half_life", "bias", "log_likelihood")


def simulate(
    kappa: float, mean: float, sigma: float, steps: Vector, seed: int, paths: int = 1, start: float = 1.0
) -> Vector:
    """Paths from `start` stationary deviations off the mean; for κ of any sign."""
    rng = np.random.default_rng(seed)
    x = np.empty((paths, steps.size + 1))
    x[:, 0] = mean + start * sigma / np.sqrt(2 * abs(kappa))
    for i, step in enumerate(steps):
        noise = sigma * np.sqrt(-np.expm1(-2 * kappa * step) / (2 * kappa))
        x[:, i + 1] = mean + np.exp(-kappa * step) * (x[:, i] - mean) + noise * rng.standard_normal(paths)
    return x


def uneven(size: int, seed: int, mean: float = 0.02) -> Vector:
    return mean * np.random.default_rng(seed).exponential(size=size) + 1e-3 * mean


@pytest.mark.parametrize("kappa", [-0.4, 0.1, 3.0, 40.0])
@pytest.mark.parametrize("size", [5, 64, 301])
def test_equal_steps_agree_with_the_closed_form(kappa: float, size: int) -> None:
    x = simulate(kappa, 0.3, 0.5, np.full(size, 1 / 52), seed=4)[0]
    closed, searched = ou.fit(x, 1 / 52), ou.fit(x, np.full(size, 1 / 52))
    for name in NUMBERS:
        expected = pytest.approx(getattr(closed, name), rel=1e-10, nan_ok=closed.status is not Status.OK)
        assert getattr(searched, name) == expected, name
    for name in ("kappa", "mean", "sigma"):
        expected = pytest.approx(
            getattr(closed.stderr, name), rel=1e-10, nan_ok=closed.status is not Status.OK
        )
        assert getattr(searched.stderr, name) == expected, name
    assert (searched.status, searched.observations) == (closed.status, closed.observations)


@pytest.mark.parametrize(
    ("kappa", "mean", "sigma", "digits"),
    [
        (3.0, 0.3, 0.5, 1e-12),
        (0.1, -2.0, 0.1, 1e-10),
        (40.0, 0.0, 5.0, 1e-12),
        (5.0, 1e4, 1e-2, 1e-8),  # a mean that dwarfs the spread
        (-1.0, 0.0, 1.0, 1e-10),
    ],
)
def test_no_newton_step_leads_higher(kappa: float, mean: float, sigma: float, digits: float) -> None:
    steps = uneven(60, seed=5)
    x = simulate(kappa, mean, sigma, steps, seed=8)[0].tolist()
    fit = ou.fit(x, steps)
    step = exact_ou.newton_step(x, steps.tolist(), fit.kappa, fit.mean, fit.sigma)
    assert abs(step[0]) <= digits * abs(fit.kappa)
    assert abs(step[1]) <= digits * max(abs(fit.mean) * 1e-3, sigma / np.sqrt(2 * abs(kappa)))
    assert abs(step[2]) <= digits * fit.sigma
    with mp.workdps(40):
        exact = exact_ou.log_likelihood(
            [mp.mpf(one) for one in x],
            [mp.mpf(one) for one in steps.tolist()],
            *(mp.mpf(one) for one in (fit.kappa, fit.mean, fit.sigma)),
        )
    assert fit.log_likelihood == pytest.approx(float(exact), rel=1e-11, abs=1e-9)


def minus_profile(x: Vector, steps: Vector, kappa: Vector) -> Vector:
    """-2 ln L + constant at many κ, mean and variance profiled out; the textbook's way."""
    k = kappa[:, None]
    decay, variance = np.exp(-k * steps), -np.expm1(-2 * k * steps) / (2 * k)
    target, weight = x[1:] - decay * x[:-1], -np.expm1(-k * steps)
    mean = (target * weight / variance).sum(axis=1) / (weight**2 / variance).sum(axis=1)
    squares = ((target - weight * mean[:, None]) ** 2 / variance).sum(axis=1)
    return np.asarray(steps.size * np.log(squares / steps.size) + np.log(variance).sum(axis=1))


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_highest_of_several_maxima(seed: int) -> None:
    """Bursts of short steps between long ones, and two time scales in the data."""
    rng = np.random.default_rng(seed)
    steps = np.where(np.arange(60) % 6 == 5, 1.0, 1e-3) * rng.uniform(0.5, 1.5, 60)
    x = simulate(0.5, 0.0, 1.0, steps, seed=seed)[0] + 0.03 * rng.standard_normal(61)
    fit = ou.fit(x, steps)
    kappas = np.concatenate((-np.geomspace(1e-3, 20, 400), np.geomspace(1e-3, 3e4, 1200)))
    heights = minus_profile(x, steps, kappas)
    if fit.status is Status.OK:
        assert minus_profile(x, steps, np.array([fit.kappa]))[0] <= heights.min() + 1e-9
    else:
        assert fit.status is Status.OUT_OF_DOMAIN
        assert heights.argmin() >= kappas.size - 400  # where all but nothing is left of a deviation


def test_standard_errors_are_those_of_the_observed_information() -> None:
    steps = uneven(80, seed=1)
    x = simulate(4.0, 0.3, 0.5, steps, seed=2)[0]
    fit = ou.fit(x, steps)
    units = np.eye(3, dtype=int).tolist()
    with mp.workdps(40):
        numbers, waits = [mp.mpf(v) for v in x.tolist()], [mp.mpf(v) for v in steps.tolist()]
        at = [mp.mpf(v) for v in (fit.kappa, fit.mean, fit.sigma)]
        information = np.array(
            [
                [
                    -float(
                        mp.diff(
                            lambda *p: exact_ou.log_likelihood(numbers, waits, *p),
                            at,
                            tuple(a + b for a, b in zip(one, other, strict=True)),
                        )
                    )
                    for other in units
                ]
                for one in units
            ]
        )
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    assert [fit.stderr.kappa, fit.stderr.mean, fit.stderr.sigma] == pytest.approx(expected, rel=1e-9)


def test_standard_errors_and_bias_are_those_of_many_samples() -> None:
    steps = uneven(600, seed=3, mean=1 / 100)
    paths = simulate(8.0, -1.0, 0.8, steps, seed=11, paths=500)
    fits = ou.fit_many(paths, steps)
    assert (fits.status == Status.OK).all()
    assert np.mean(fits.kappa) - 8.0 == pytest.approx(np.mean(fits.bias), rel=0.3)
    assert np.mean(fits.mean) == pytest.approx(-1.0, abs=0.01)
    assert np.mean(fits.sigma) == pytest.approx(0.8, rel=0.005)
    for name in ("kappa", "mean", "sigma"):
        scatter = np.std(getattr(fits, name))
        assert scatter == pytest.approx(np.median(getattr(fits, f"stderr_{name}")), rel=0.12), name


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_observation_makes_one_longer_step(value: float) -> None:
    steps = uneven(120, seed=6)
    x = simulate(3.0, 0.0, 1.0, steps, seed=7)[0]
    gone = np.array([0, 1, 40, 41, 42, 90, 120])
    holed = x.copy()
    holed[gone] = value
    left = np.setdiff1d(np.arange(121), gone)
    times = np.concatenate(([0.0], steps.cumsum()))[left]
    with_holes, without = ou.fit(holed, steps), ou.fit(x[left], np.diff(times))
    assert with_holes.observations == without.observations == left.size - 1
    for name in NUMBERS:
        assert getattr(with_holes, name) == pytest.approx(getattr(without, name), rel=1e-11), name


def test_one_step_for_all_leaves_out_what_an_array_of_it_joins() -> None:
    x = simulate(3.0, 0.0, 1.0, np.full(100, 0.1), seed=1)[0]
    x[50] = np.nan
    assert ou.fit(x, 0.1).observations == 98
    assert ou.fit(x, np.full(100, 0.1)).observations == 99


@given(
    shift=st.floats(-1e3, 1e3),
    scale=st.floats(1e-3, 1e3),
    clock=st.floats(1e-3, 1e3),
    seed=st.integers(0, 49),
)
def test_affine_maps_and_the_unit_of_time_change_the_units_only(
    shift: float, scale: float, clock: float, seed: int
) -> None:
    steps = uneven(60, seed)
    x = simulate(3.0, 0.0, 1.0, steps, seed=seed)[0]
    fit, moved = ou.fit(x, steps), ou.fit(shift + scale * x, steps * clock)
    near = 1e-8 * (1 + abs(shift) / scale)
    assert moved.status == fit.status == Status.OK
    assert abs(moved.kappa * clock - fit.kappa) <= near * fit.stderr.kappa
    assert moved.sigma * np.sqrt(clock) == pytest.approx(fit.sigma * scale, rel=near)
    assert abs((moved.mean - shift) / scale - fit.mean) <= near * fit.stderr.mean
    assert moved.stderr.kappa * clock == pytest.approx(fit.stderr.kappa, rel=near)


@pytest.mark.parametrize("clock", [1e-200, 1e-20, 1e20, 1e200])
@pytest.mark.parametrize("scale", [1e-250, 1e-20, 1e20, 1e250])
def test_units_of_any_size_do(clock: float, scale: float) -> None:
    steps = uneven(60, 1)
    x = simulate(3.0, 0.0, 1.0, steps, seed=1)[0]
    fit, moved = ou.fit(x, steps), ou.fit(scale * x, steps * clock)
    assert moved.kappa * clock == pytest.approx(fit.kappa, rel=1e-9)
    assert moved.mean / scale == pytest.approx(fit.mean, rel=1e-9)
    assert moved.stderr.mean / scale == pytest.approx(fit.stderr.mean, rel=1e-9)


def test_a_trend_is_not_called_mean_reversion() -> None:
    steps = uneven(80, 2, mean=1.0)
    times = np.concatenate(([0.0], steps.cumsum()))
    fit = ou.fit(1.05**times + 0.01 * np.sin(times), steps)
    assert fit.status is Status.OK
    assert fit.kappa == pytest.approx(-np.log(1.05), rel=0.02)
    assert fit.half_life == np.inf
    assert not fit.mean_reverting


def test_a_random_walk_with_a_drift_is_fitted_about_zero() -> None:
    """κ within its error of zero, where every closed form divides by it."""
    steps = uneven(400, 8)
    shocks = np.random.default_rng(9).standard_normal(400)
    fit = ou.fit(np.concatenate(([0.0], (steps + np.sqrt(steps) * shocks).cumsum())), steps)
    assert fit.status is Status.OK
    assert abs(fit.kappa) < 5 * fit.stderr.kappa
    assert fit.sigma == pytest.approx(1.0, rel=0.1)


def test_a_straight_line_drifts_and_has_no_noise() -> None:
    fit = ou.fit(np.arange(20.0), np.ones(19))
    assert (fit.kappa, fit.sigma, fit.half_life) == (0.0, 0.0, np.inf)
    assert np.isnan(fit.mean)


def test_digits_survive_a_series_that_is_nearly_constant() -> None:
    steps = uneven(60, 3)
    # whole multiples of a power of two, so that adding the mean rounds nothing
    x = np.round(simulate(3.0, 0.0, 1.0, steps, seed=3)[0] * 2**20) / 2**20
    near, far = ou.fit(x, steps), ou.fit(x + 2.0**30, steps)
    assert [far.kappa, far.sigma, far.stderr.kappa] == pytest.approx(
        [near.kappa, near.sigma, near.stderr.kappa], rel=1e-11
    )


@pytest.mark.parametrize(
    ("series", "status"),
    [
        ([], Status.TOO_FEW),
        ([1.0], Status.TOO_FEW),
        ([1.0, 2.0, 1.5], Status.TOO_FEW),
        ([1.0] * 20, Status.OUT_OF_DOMAIN),
        ([1.0] * 19 + [2.0], Status.OUT_OF_DOMAIN),
        ([1.0, -1.0] * 20, Status.OUT_OF_DOMAIN),
        ([1e308, -1e308] * 20, Status.OUT_OF_DOMAIN),
        ([np.nan] * 20, Status.NON_FINITE),
        ([np.nan, 1.0, 2.0, 1.0, np.nan], Status.NON_FINITE),
    ],
)
def test_what_cannot_be_fitted_is_said(series: list[float], status: Status) -> None:
    fit = ou.fit(np.array(series, dtype=float), np.linspace(1.0, 2.0, max(len(series) - 1, 0)))
    assert fit.status is status
    assert np.isnan([fit.kappa, fit.sigma, fit.stderr.kappa, fit.log_likelihood]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_a_step_that_is_none_is_refused(bad: float) -> None:
    steps = np.ones(9)
    steps[4] = bad
    with pytest.raises(ValueError, match="dt must be positive and finite"):
        ou.fit(np.arange(10.0), steps)


@pytest.mark.parametrize("shape", [(8,), (10,), (0,), (1, 8), (2, 9), (1, 1, 9)])
def test_steps_of_another_number_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="dt must be a number or of shape"):
        ou.fit(np.arange(10.0), np.ones(shape))
    with pytest.raises(TypeError, match="dt must hold real numbers"):
        ou.fit(np.arange(10.0), ["1"] * 9)


@pytest.mark.parametrize("number", [1, 1.0, np.float32(1.0), np.array(1.0)])
def test_one_step_may_be_any_number(number: float) -> None:
    x = simulate(1.0, 0.0, 1.0, np.ones(50), seed=1)[0]
    assert ou.fit(x, number) == ou.fit(x, 1.0)


def test_rows_are_independent_of_each_other_and_of_threads() -> None:
    steps = np.stack([uneven(100, seed) for seed in range(50)])
    x = np.concatenate([simulate(3.0, 0.0, 1.0, row, seed=2) for row in steps])
    x[7], x[8, 3:6] = np.nan, np.nan
    one, two = ou.fit_many(x, steps), ou.fit_many(x, steps, threads=2)
    shared = ou.fit_many(x, steps[8])
    for name in (*NUMBERS, "stderr_kappa", "stderr_mean", "stderr_sigma", "status", "observations"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)
    alone = ou.fit(x[8], steps[8])
    assert one.kappa[8] == shared.kappa[8] == alone.kappa
    assert one.stderr_mean[8] == shared.stderr_mean[8] == alone.stderr.mean
    assert one.status[7] == Status.NON_FINITE


def test_without_series_or_observations_nothing_is_fitted() -> None:
    assert ou.fit_many(np.empty((0, 5)), np.ones(4)).kappa.shape == (0,)
    assert ou.fit_many(np.empty((0, 5)), np.empty((0, 4))).kappa.shape == (0,)
    assert ou.fit_many(np.empty((2, 0)), np.empty(0)).status.tolist() == [Status.TOO_FEW] * 2
