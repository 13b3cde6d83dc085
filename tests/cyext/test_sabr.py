import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

from skewline.cyext import sabr
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status


def test_published_vols() -> None:
    # Antonov & Spector (2012), column "IV Hagan"; more digits from QuantLib's sabrVolatility
    vols = sabr.implied_vol(1.0, [0.1, 1.0, 1.3], 10.0, 0.25, 0.3, -0.8, 0.3)
    expected = [0.7176365819566402, 0.24269010416666667, 0.19160142984775705]
    assert vols == pytest.approx(expected, rel=1e-13)


@given(alpha=st.floats(0.05, 1), beta=st.floats(0, 1), rho=st.floats(-0.99, 0.99), nu=st.floats(0.0, 3))
def test_smile_is_smooth_through_the_money(alpha: float, beta: float, rho: float, nu: float) -> None:
    forward = 1.0
    steps = np.array([-2e-6, -1e-6, 0.0, 1e-6, 2e-6])
    vols = sabr.implied_vol(forward, forward * np.exp(steps), 0.5, alpha, beta, rho, nu)
    assert np.diff(vols, 2) == pytest.approx(0.0, abs=1e-9)


def test_a_shift_moves_forward_and_strike() -> None:
    moved = sabr.implied_vol(-0.005, 0.002, 2.0, 0.02, 0.4, -0.2, 0.4, shift=0.03)
    assert float(moved) == float(sabr.implied_vol(0.025, 0.032, 2.0, 0.02, 0.4, -0.2, 0.4))


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
