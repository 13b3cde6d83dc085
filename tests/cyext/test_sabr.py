from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from skewline.cyext import sabr
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status


@given(alpha=st.floats(0.05, 1), beta=st.floats(0, 1), rho=st.floats(-0.99, 0.99), nu=st.floats(0.0, 3))
def test_smile_is_smooth_through_the_money(alpha: float, beta: float, rho: float, nu: float) -> None:
    forward = 1.0
    steps = np.array([-2e-6, -1e-6, 0.0, 1e-6, 2e-6])
    vols = sabr.implied_vol(forward, forward * np.exp(steps), 0.5, alpha, beta, rho, nu)
    assert np.diff(vols, 2) == pytest.approx(0.0, abs=1e-9)


def test_a_shift_moves_forward_and_strike() -> None:
    moved = sabr.implied_vol(-0.005, 0.002, 2.0, 0.02, 0.4, -0.2, 0.4, shift=0.03)
    assert float(moved) == float(sabr.implied_vol(-0.005 + 0.03, 0.032, 2.0, 0.02, 0.4, -0.2, 0.4))


@pytest.mark.parametrize(
    "case",
    [
        (-1.0, 1.0, 1.0, 0.2, 0.5, 0.0, 0.3),
        (1.0, 0.0, 1.0, 0.2, 0.5, 0.0, 0.3),
        (1.0, 1.0, 1.0, 0.2, 1.5, 0.0, 0.3),
        (1.0, 1.0, 1.0, 0.2, 0.5, 1.0, 0.3),
        (1.0, 1.0, 1.0, 0.2, 0.5, 0.0, np.nan),
    ],
)
def test_outside_the_model_there_is_no_vol(case: tuple[float, ...]) -> None:
    assert np.isnan(sabr.implied_vol(*case))


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("expiry", [2 / 365, 0.25, 2.0])
@pytest.mark.parametrize(("rho", "scaled_nu"), [(-0.75, 0.6), (-0.2, 0.2), (0.4, 0.5)])
def test_fit_finds_the_parameters_of_a_clean_smile(
    beta: float, expiry: float, rho: float, scaled_nu: float
) -> None:
    forward, nu = 2900.0, scaled_nu / np.sqrt(expiry)
    alpha = 0.2 * forward ** (1 - beta)
    strikes = forward * np.exp(np.linspace(-2.5, 2.0, 25) * 0.2 * np.sqrt(expiry))
    vols = sabr.implied_vol(forward, strikes, expiry, alpha, beta, rho, nu)
    fit = sabr.calibrate(forward, expiry, strikes, vols, beta=beta)
    assert fit.converged
    assert fit.rmse < 1e-7
    assert [fit.alpha, fit.rho, fit.nu] == pytest.approx([alpha, rho, nu], rel=1e-4)


def test_noisy_smiles_end_in_the_optimum_that_scipy_finds() -> None:
    rng = np.random.default_rng(17)
    for _ in range(40):
        expiry = 10 ** rng.uniform(-2, 0.3)
        deviation = 0.2 * np.sqrt(expiry)
        true = (0.2 * 10.0, rng.uniform(-0.8, 0.5), rng.uniform(0.2, 0.9) / np.sqrt(expiry))
        strikes = 100 * np.exp(rng.uniform(-3, 2, rng.integers(5, 120)) * deviation)
        clean = sabr.implied_vol(100.0, strikes, expiry, true[0], 0.5, true[1], true[2])
        vols = clean * (1 + 0.01 * rng.standard_normal(strikes.size))
        fit = sabr.calibrate(100.0, expiry, strikes, vols)

        def error(p: Doubles, k: Doubles = strikes, v: Doubles = vols, t: float = expiry) -> Doubles:
            return np.subtract(sabr.implied_vol(100.0, k, t, p[0], 0.5, p[1], p[2]), v)

        best = least_squares(
            error, true, bounds=([1e-3, -0.9999, 1e-6], [1e3, 0.9999, 50.0]), x_scale=[1, 0.3, 1]
        )
        assert fit.converged
        assert fit.rmse <= np.sqrt(np.mean(best.fun**2)) * (1 + 1e-6)


def test_weights_decide_what_counts() -> None:
    strikes = np.array([80.0, 90, 95, 100, 105, 110, 120, 130])
    vols = sabr.implied_vol(100.0, strikes, 0.5, 2.0, 0.5, -0.5, 0.8)
    spoiled = vols.copy()
    spoiled[1] += 0.2
    weights = np.ones(8)
    weights[1] = 0.0
    fit = sabr.calibrate(100.0, 0.5, strikes, spoiled, weights=weights)
    assert [fit.alpha, fit.rho, fit.nu] == pytest.approx([2.0, -0.5, 0.8], rel=1e-5)
    spoiled[1] = np.nan
    assert sabr.calibrate(100.0, 0.5, strikes, spoiled).nu == pytest.approx(0.8, rel=1e-5)


@pytest.mark.parametrize(
    ("forward", "expiry", "strikes", "vols", "status", "finite"),
    [
        (100.0, 0.5, [100.0], [0.2], Status.TOO_FEW, True),
        (100.0, 0.5, [90.0, 100.0], [0.22, 0.2], Status.TOO_FEW, True),
        (100.0, 0.5, [100.0, 100.0, 100.0], [0.2, 0.2, 0.21], Status.TOO_FEW, True),
        (100.0, 0.5, [np.nan, -5.0], [0.2, 0.2], Status.TOO_FEW, False),
        (100.0, 0.5, [], [], Status.TOO_FEW, False),
        (100.0, 0.0, [90.0, 100.0, 110.0], [0.2, 0.2, 0.2], Status.EXPIRED, False),
        (-1.0, 0.5, [90.0, 100.0, 110.0], [0.2, 0.2, 0.2], Status.OUT_OF_DOMAIN, False),
        (np.nan, 0.5, [90.0, 100.0, 110.0], [0.2, 0.2, 0.2], Status.NON_FINITE, False),
    ],
)
def test_a_degenerate_smile_is_answered_with_its_status(
    forward: float, expiry: float, strikes: list[float], vols: list[float], status: Status, finite: bool
) -> None:
    fit = sabr.calibrate(forward, expiry, np.array(strikes), np.array(vols))
    assert fit.status is status
    assert not fit.converged
    assert bool(np.isfinite([fit.alpha, fit.rho, fit.nu, fit.rmse]).all()) is finite


def test_flat_and_rough_smiles_stay_finite() -> None:
    flat = sabr.calibrate(100.0, 1.0, [80.0, 90, 100, 110], [0.2] * 4)
    assert flat.rmse < 1e-4
    rough = sabr.calibrate(100.0, 0.01, [80.0, 90, 100, 110], [3.0, 0.5, 0.2, 0.1])
    assert np.isfinite([rough.alpha, rough.rho, rough.nu, rough.rmse]).all()


def test_many_ragged_smiles_are_fitted_as_if_alone_on_any_number_of_threads() -> None:
    rng = np.random.default_rng(2)
    sizes = rng.integers(0, 300, 39)
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    expiries = np.linspace(0.01, 2.5, 39)
    forwards = np.full(39, 2900.0)
    strikes = 2900 * np.exp(rng.uniform(-2, 1.5, offsets[-1]) * 0.15)
    vols = np.concatenate(
        [
            sabr.implied_vol(2900.0, strikes[a:b], t, 10.0, 0.5, -0.6, 0.6 / np.sqrt(t))
            for a, b, t in zip(offsets[:-1], offsets[1:], expiries, strict=True)
        ]
    )
    one = sabr.calibrate_many(forwards, expiries, strikes, vols, offsets, beta=0.5)
    two = sabr.calibrate_many(forwards, expiries, strikes, vols, offsets, beta=0.5, threads=2)
    for name in ("alpha", "rho", "nu", "rmse", "iterations", "status"):
        assert np.array_equal(getattr(one, name), getattr(two, name), equal_nan=True)
    alone = sabr.calibrate(
        2900.0, expiries[5], strikes[offsets[5] : offsets[6]], vols[offsets[5] : offsets[6]]
    )
    assert (alone.alpha, alone.nu) == (one.alpha[5], one.nu[5])


def test_misuse_names_the_argument() -> None:
    smile = ([100.0], [1.0], [90.0, 100.0, 110.0], [0.2, 0.2, 0.2])
    with pytest.raises(ValueError, match="offsets"):
        sabr.calibrate_many(*smile, [0, 2])
    with pytest.raises(ValueError, match="offsets"):
        sabr.calibrate_many(*smile, [0])
    with pytest.raises(TypeError, match="offsets"):
        sabr.calibrate_many(*smile, [0.0, 3.0])
    with pytest.raises(ValueError, match="beta"):
        sabr.calibrate_many(*smile, [0, 3], beta=2.0)
    with pytest.raises(ValueError, match="vols"):
        sabr.calibrate(100.0, 1.0, [90.0, 100.0], [0.2])
    with pytest.raises(ValueError, match="weights"):
        sabr.calibrate(100.0, 1.0, [90.0, 100.0], [0.2, 0.2], weights=[1.0])


def smile(beta: float = 0.5, noise: float = 0.01, seed: int = 3) -> tuple[Doubles, Doubles]:
    """(strikes, vols) of 25 options on 100, half a year away."""
    strikes = 100 * np.exp(np.linspace(-0.5, 0.35, 25))
    vols = sabr.implied_vol(100.0, strikes, 0.5, 0.2 * 100 ** (1 - beta), beta, -0.4, 0.9)
    return strikes, vols * (1 + noise * np.random.default_rng(seed).standard_normal(25))


@pytest.mark.parametrize("formula", ["hagan", "obloj"])
def test_free_beta_is_no_worse_than_any_fixed_one(formula: sabr.Formula) -> None:
    for seed, true in enumerate((0.0, 0.3, 0.6, 1.0)):
        strikes, vols = smile(true, seed=seed)
        free = sabr.calibrate(100.0, 0.5, strikes, vols, beta=None, formula=formula)
        assert free.converged
        assert 0.0 <= free.beta <= 1.0
        for beta in np.linspace(0, 1, 11):
            fixed = sabr.calibrate(100.0, 0.5, strikes, vols, beta=float(beta), formula=formula)
            assert free.rmse <= fixed.rmse * (1 + 1e-9)


def test_free_beta_is_found_where_there_is_no_noise_and_said_to_be_uncertain_where_there_is() -> None:
    clean = sabr.calibrate(100.0, 0.5, *smile(0.6, noise=0.0), beta=None)
    assert clean.beta == pytest.approx(0.6, abs=1e-3)
    noisy = sabr.calibrate(100.0, 0.5, *smile(0.6), beta=None)
    fixed = sabr.calibrate(100.0, 0.5, *smile(0.6), beta=0.6)
    assert noisy.condition > 5 * fixed.condition
    assert fixed.stderr.beta == 0.0
    assert np.isnan(noisy.stderr.beta) or noisy.stderr.beta > 0.1


@pytest.mark.parametrize("beta", [0.5, None])
@pytest.mark.parametrize("formula", ["hagan", "obloj"])
def test_standard_errors_and_condition_are_those_of_the_jacobian(
    beta: float | None, formula: sabr.Formula
) -> None:
    strikes, vols = smile(0.5)
    weights = np.linspace(0.5, 2.0, 25)
    fit = sabr.calibrate(100.0, 0.5, strikes, vols, beta=beta, weights=weights, formula=formula)
    assert 0.0 < fit.beta < 1.0
    x = np.array([fit.alpha, fit.rho, fit.nu, fit.beta])
    free = 3 if beta is not None else 4

    def model(p: Doubles) -> Doubles:
        return sabr.implied_vol(100.0, strikes, 0.5, p[0], p[3], p[1], p[2], formula=formula)

    jacobian = np.empty((25, free))
    for i in range(free):
        step = np.zeros(4)
        step[i] = 1e-5 * abs(x[i])
        jacobian[:, i] = (model(x + step) - model(x - step)) / (2 * step[i])
    normal = jacobian.T @ (weights[:, None] * jacobian)
    variance = np.sum(weights * (model(x) - vols) ** 2) / (25 - free)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(normal)))
    got = [fit.stderr.alpha, fit.stderr.rho, fit.stderr.nu, fit.stderr.beta]
    assert got[:free] == pytest.approx(errors, rel=1e-5)
    # in (ln A, ρ, ln ν, β), A = α F^(β-1): a step in β at a fixed A moves α
    scaled = jacobian * [fit.alpha, 1.0, fit.nu, 1.0][:free]
    if free == 4:
        scaled[:, 3] -= np.log(100.0) * scaled[:, 0]
    singular = np.linalg.svd(np.sqrt(weights)[:, None] * scaled, compute_uv=False)
    assert fit.condition == pytest.approx(np.sqrt(np.sum(singular**2) * np.sum(singular**-2.0)), rel=1e-4)


def test_standard_errors_are_those_of_many_samples() -> None:
    strikes, clean = smile(0.5, noise=0.0)
    rng = np.random.default_rng(12)
    vols = clean + 0.002 * rng.standard_normal((2000, 25))
    fits = sabr.calibrate_many(
        *(np.full(2000, 100.0), np.full(2000, 0.5), np.tile(strikes, 2000), vols.ravel()),
        np.arange(0, 50_001, 25),
    )
    for name in ("alpha", "rho", "nu"):
        assert np.std(getattr(fits, name)) == pytest.approx(
            np.median(getattr(fits, f"stderr_{name}")), rel=0.1
        )


def test_obloj_is_hagan_at_the_money_and_for_beta_one_and_has_the_exact_limit_of_short_expiry() -> None:
    strikes = np.array([20.0, 60.0, 99.0, 100.0, 101.0, 160.0])
    for beta, rows in ((0.4, slice(3, 4)), (1.0, slice(None))):
        both = [
            sabr.implied_vol(100.0, strikes, 0.5, 0.2, beta, -0.3, 0.7, formula=formula)[rows]
            for formula in ("hagan", "obloj")
        ]
        assert both[0] == pytest.approx(both[1], rel=1e-14)
    alpha, beta, rho, nu = 2.0, 0.4, -0.3, 0.7
    z = nu / alpha * (100 ** (1 - beta) - strikes ** (1 - beta)) / (1 - beta)
    x = np.log((np.sqrt(1 - 2 * rho * z + z * z) + z - rho) / (1 - rho))
    x[3] = np.nan
    limit = np.where(strikes == 100.0, alpha * 100 ** (beta - 1), nu * np.log(100.0 / strikes) / x)
    vols = sabr.implied_vol(100.0, strikes, 0.0, alpha, beta, rho, nu, formula="obloj")
    assert vols == pytest.approx(limit, rel=1e-11)


def test_negative_rates_are_fitted_under_a_shift_of_each_smile_s_own() -> None:
    strikes = np.tile(np.linspace(-0.02, 0.03, 11), 2)
    shifts = [0.03, 0.05]
    vols = np.concatenate(
        [sabr.implied_vol(-0.002, strikes[:11], 2.0, 0.03, 0.4, -0.2, 0.4, shift=shift) for shift in shifts]
    )
    fits = sabr.calibrate_many(
        [-0.002] * 2, [2.0] * 2, strikes, vols, [0, 11, 22], beta=[0.4, 0.4], shift=shifts
    )
    assert fits.alpha == pytest.approx(0.03, rel=1e-6)
    assert fits.nu == pytest.approx(0.4, rel=1e-5)


def test_what_is_not_determined_has_no_standard_error() -> None:
    strikes, vols = smile()
    exact = sabr.calibrate(100.0, 0.5, strikes[:3], vols[:3])
    assert np.isnan(exact.stderr.alpha)
    flat = sabr.calibrate(100.0, 0.5, strikes, np.full(25, 0.2), beta=1.0)
    assert flat.nu == pytest.approx(1e-6, abs=1e-2)
    three = sabr.calibrate(100.0, 0.5, strikes[:3], vols[:3], beta=None)
    assert three.status is Status.TOO_FEW


@pytest.mark.parametrize("bad", [{"beta": [0.5, 0.5]}, {"shift": [0.0, 0.0]}, {"formula": "hull"}])
def test_an_option_that_does_not_fit_is_named(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        sabr.calibrate_many([100.0], [1.0], [90.0, 100.0], [0.2, 0.2], [0, 2], **bad)  # type: ignore[arg-type]


def test_one_smile_names_the_argument_that_is_no_number() -> None:
    words: Any = "100"
    with pytest.raises(TypeError, match="forward must hold real numbers"):
        sabr.calibrate(words, 1.0, [90.0, 100.0, 110.0], [0.2, 0.2, 0.2])
    several: Any = [1.0, 2.0]
    with pytest.raises(ValueError, match=r"expiry must be one number, not of shape \(2,\)"):
        sabr.calibrate(100.0, several, [90.0, 100.0, 110.0], [0.2, 0.2, 0.2])
    with pytest.raises(ValueError, match=r"beta must be within \[0, 1\], not 2"):
        sabr.calibrate(100.0, 1.0, [90.0, 100.0, 110.0], [0.2, 0.2, 0.2], beta=2)
