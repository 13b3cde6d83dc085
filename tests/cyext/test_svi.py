"""Raw SVI: its own parameters come back, no better ones are found elsewhere, butterflies are seen."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.optimize import least_squares

from skewline.cyext import svi
from skewline.cyext.arguments import Doubles
from skewline.cyext.status import Status

TRUTH = {"a": 0.01, "b": 0.08, "rho": -0.5, "m": 0.02, "sigma": 0.15}
#: A. Vogt's, in J. Gatheral & A. Jacquier, Arbitrage-free SVI volatility surfaces (2014), example 3.1.
VOGT = {"a": -0.041, "b": 0.1331, "rho": 0.306, "m": 0.3586, "sigma": 0.4153}
K = np.linspace(-0.8, 0.4, 31)


def vols_of(parameters: dict[str, float], k: Doubles = K, expiry: float = 0.5) -> Doubles:
    return svi.implied_vol(100.0, 100.0 * np.exp(k), expiry, **parameters)


def fitted(vols: Doubles, k: Doubles = K, weights: Doubles | None = None) -> svi.SviFit:
    return svi.calibrate_many([100.0], [0.5], 100.0 * np.exp(k), vols, [0, k.size], weights=weights)


def test_total_variance_is_the_formula() -> None:
    x = K - TRUTH["m"]
    expected = TRUTH["a"] + TRUTH["b"] * (TRUTH["rho"] * x + np.sqrt(x**2 + TRUTH["sigma"] ** 2))
    assert svi.total_variance(K, **TRUTH) == pytest.approx(expected, rel=1e-15)
    assert vols_of(TRUTH) == pytest.approx(np.sqrt(expected / 0.5), rel=1e-14)


def test_clean_vols_give_their_own_parameters() -> None:
    fit = fitted(vols_of(TRUTH))
    assert fit.status.tolist() == [Status.OK]
    assert fit.rmse[0] < 1e-12
    for name, value in TRUTH.items():
        assert getattr(fit, name)[0] == pytest.approx(value, abs=1e-8)


def test_the_published_slice_with_a_butterfly_is_flagged() -> None:
    k = np.linspace(-1.5, 1.5, 30_001)
    g = svi.butterfly(k, **VOGT)
    assert 0.7 < k[g.argmin()] < 1.0
    assert svi.min_butterfly(**VOGT) == pytest.approx(g.min(), abs=1e-8)
    assert g.min() < 0.0
    fit = svi.calibrate_many(
        [1.0], [1.0], np.exp(k[::500]), svi.implied_vol(1.0, np.exp(k[::500]), 1.0, **VOGT), [0, 61]
    )
    assert fit.status.tolist() == [Status.ARBITRAGE]
    assert fit.min_g[0] == pytest.approx(g.min(), abs=1e-8)
    assert fit.rmse[0] < 1e-12


def test_g_is_that_of_the_derivatives() -> None:
    step = 1e-4
    w = svi.total_variance(np.stack([K - step, K, K + step]), **TRUTH)
    slope, bend = (w[2] - w[0]) / (2 * step), (w[2] - 2 * w[1] + w[0]) / step**2
    one = 1.0 - 0.5 * K * slope / w[1]
    expected = one**2 - 0.25 * slope**2 * (1.0 / w[1] + 0.25) + 0.5 * bend
    assert svi.butterfly(K, **TRUTH) == pytest.approx(expected, abs=1e-5)


def test_the_least_g_is_that_of_a_fine_grid_and_of_the_wings() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        p = {
            "a": rng.uniform(0.001, 0.05), "b": rng.uniform(0.01, 0.9), "rho": rng.uniform(-0.95, 0.95),
            "m": rng.normal(0, 0.3), "sigma": 10 ** rng.uniform(-1.5, 0),
        }  # fmt: skip
        least = float(svi.min_butterfly(**p))
        g = svi.butterfly(np.sinh(np.linspace(-6, 6, 100_001)), **p)
        wings = 0.25 - (p["b"] * (1 + abs(p["rho"]))) ** 2 / 16
        assert least <= min(g.min(), wings) + 1e-12
        assert least >= min(g.min(), wings) - 1e-6


@pytest.mark.parametrize("weighted", [False, True])
def test_no_optimum_of_scipy_is_better(weighted: bool) -> None:
    rng = np.random.default_rng(6)
    for _ in range(12):
        vols = vols_of(TRUTH) * (1 + 0.01 * rng.standard_normal(K.size))
        weights = 10 ** rng.uniform(-1, 1, K.size) if weighted else np.ones(K.size)
        fit = fitted(vols, weights=weights)

        def errors(p: Doubles, vols: Doubles = vols, weights: Doubles = weights) -> Doubles:
            w = p[0] + p[1] * (p[2] * (K - p[3]) + np.hypot(K - p[3], p[4]))
            return np.asarray(np.sqrt(weights) * (np.sqrt(np.maximum(w, 1e-12) / 0.5) - vols))

        best = least_squares(
            errors,
            list(TRUTH.values()),
            bounds=([-1, 0, -1, -2, 1e-3], [1, 1, 1, 2, 5]),
            xtol=1e-12,
            ftol=1e-14,
        )
        assert fit.status[0] in (Status.OK, Status.ARBITRAGE)
        assert fit.rmse[0] <= np.sqrt(2 * best.cost / weights.sum()) * (1 + 1e-6)


def test_wings_stay_within_lees_bound() -> None:
    k = np.linspace(-0.5, 0.5, 21)
    fit = fitted(np.sqrt((0.01 + 3.0 * np.abs(k)) / 0.5), k=k)
    assert np.isfinite(fit.rmse[0])
    assert fit.b[0] * (1 + abs(fit.rho[0])) <= 2.0 * (1 + 1e-12)


def test_a_flat_smile_is_itself() -> None:
    fit = fitted(np.full(K.size, 0.2))
    assert fit.rmse[0] < 1e-9
    assert svi.implied_vol(100.0, 100.0, 0.5, fit.a, fit.b, fit.rho, fit.m, fit.sigma) == pytest.approx(0.2)


def test_a_slice_in_a_batch_is_the_slice_alone_on_any_number_of_threads() -> None:
    rng = np.random.default_rng(7)
    counts = rng.integers(4, 40, 30)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    k = rng.uniform(-0.6, 0.4, offsets[-1])
    vols = vols_of(TRUTH, k) * (1 + 0.02 * rng.standard_normal(k.size))
    vols[3] = np.nan
    columns = (np.full(30, 100.0), np.full(30, 0.5), 100.0 * np.exp(k), vols, offsets)
    batch, threaded = svi.calibrate_many(*columns), svi.calibrate_many(*columns, threads=2)
    for field in fields(batch):
        assert np.array_equal(getattr(batch, field.name), getattr(threaded, field.name), equal_nan=True)
    for i in range(30):
        rows = slice(offsets[i], offsets[i + 1])
        alone = fitted(vols[rows], k=k[rows])
        assert alone.status[0] == batch.status[i]
        assert np.array_equal(alone.sigma, batch.sigma[i : i + 1], equal_nan=True)


@pytest.mark.parametrize(
    ("forward", "expiry", "strikes", "vols", "status"),
    [
        (100.0, 0.5, [90.0, 95.0, 100.0, 105.0], [0.2] * 4, Status.TOO_FEW),
        (100.0, 0.5, [100.0] * 9, [0.2] * 9, Status.TOO_FEW),
        (100.0, 0.5, [], [], Status.TOO_FEW),
        (100.0, 0.5, [90.0, -1.0, np.nan, np.inf, 100.0, 110.0], [0.2] * 6, Status.TOO_FEW),
        (100.0, 0.0, [80.0, 90.0, 100.0, 110.0, 120.0], [0.2] * 5, Status.EXPIRED),
        (-1.0, 0.5, [80.0, 90.0, 100.0, 110.0, 120.0], [0.2] * 5, Status.OUT_OF_DOMAIN),
        (np.inf, 0.5, [80.0, 90.0, 100.0, 110.0, 120.0], [0.2] * 5, Status.NON_FINITE),
    ],
)
def test_what_cannot_be_fitted_says_why(
    forward: float, expiry: float, strikes: list[float], vols: list[float], status: Status
) -> None:
    fit = svi.calibrate_many([forward], [expiry], strikes, vols, [0, len(strikes)])
    assert fit.status.tolist() == [status]
    assert np.isnan([fit.a[0], fit.b[0], fit.rho[0], fit.m[0], fit.sigma[0], fit.rmse[0], fit.min_g[0]]).all()


def test_rubbish_ends_in_a_status() -> None:
    rng = np.random.default_rng(8)
    for _ in range(200):
        count = int(rng.integers(5, 30))
        strikes = 100 * np.exp(rng.normal(0, 10 ** rng.uniform(-4, 0.7), count))
        vols = 10 ** rng.uniform(-4, 1.5, count)
        fit = svi.calibrate_many([100.0], [10 ** rng.uniform(-5, 1.5)], strikes, vols, [0, count])
        assert fit.status[0] in (Status.OK, Status.ARBITRAGE, Status.NOT_CONVERGED)
        if fit.status[0] == Status.OK:
            assert fit.min_g[0] >= 0.0


def test_what_is_no_slice_has_no_values() -> None:
    for change in ({"b": -0.1}, {"rho": 1.1}, {"sigma": 0.0}, {"a": -1.0}):
        assert np.isnan(svi.total_variance(0.0, **{**TRUTH, **change}))
        assert np.isnan(svi.min_butterfly(**{**TRUTH, **change}))
    assert np.isnan(svi.implied_vol([-1.0, 100.0, 100.0], [1.0, -1.0, 1.0], [1.0, 1.0, 0.0], **TRUTH)).all()


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match=r"offsets must have 2 elements \(one more than forward\), not 1"):
        svi.calibrate_many([100.0], [0.5], [1.0], [0.2], [0])
    with pytest.raises(ValueError, match="vols must have 2 elements, not 1"):
        svi.calibrate_many([100.0], [0.5], [1.0, 2.0], [0.2], [0, 2])
    with pytest.raises(ValueError, match="weights must have 1 elements, not 2"):
        svi.calibrate_many([100.0], [0.5], [1.0], [0.2], [0, 1], weights=[1.0, 1.0])
    with pytest.raises(TypeError, match="vols must hold real numbers"):
        svi.calibrate_many([100.0], [0.5], [1.0], ["x"], [0, 1])
