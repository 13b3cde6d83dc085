import numpy as np
import pytest
from made_chains import made_chain

from skewline.cyext import essvi
from skewline.cyext.status import Status


def test_total_variance_is_that_of_the_ssvi_formula() -> None:
    # Gatheral & Jacquier (2014), eq. (4.1) with φ = ψ/θ
    k, theta, rho, psi = np.linspace(-1, 1, 9), 0.04, -0.3, 0.2
    phi = psi / theta
    expected = theta / 2 * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))
    assert essvi.total_variance(k, theta, rho, psi) == pytest.approx(expected, rel=1e-14)
    assert essvi.total_variance(0.0, theta, rho, psi) == pytest.approx(theta)


def test_a_clean_surface_gives_its_parameters() -> None:
    chain = made_chain(seed=1)
    mids = np.concatenate(
        [
            np.sqrt(chain.variance(i, np.log(chain.strikes[a:b] / 2900.0)) / chain.expiries[i])
            for i, (a, b) in enumerate(zip(chain.offsets[:-1], chain.offsets[1:], strict=True))
        ]
    )
    fits = essvi.calibrate_many(
        chain.forwards, chain.expiries, chain.strikes, mids - 1e-3, mids + 1e-3, chain.offsets
    )
    theta = 0.18**2 * chain.expiries
    assert np.all(fits.status == Status.OK)
    assert fits.theta == pytest.approx(theta, rel=1e-3)
    assert fits.rho == pytest.approx(-0.6, abs=5e-3)
    assert fits.psi == pytest.approx(0.9 * np.sqrt(theta) / (1 + theta), rel=5e-3)
    assert fits.rmse.max() < 1e-4


def test_slices_are_free_of_arbitrage_whatever_the_quotes() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        expiries = np.sort(rng.uniform(0.01, 2, 6))
        strikes = np.tile(100 * np.exp(np.linspace(-0.4, 0.3, 15)), 6)
        vols = rng.uniform(0.05, 0.8) * np.exp(0.3 * rng.standard_normal(strikes.size))
        fits = essvi.calibrate_many(
            np.full(6, 100.0), expiries, strikes, 0.98 * vols, 1.02 * vols, np.arange(0, 91, 15)
        )
        theta, rho, psi = fits.theta, fits.rho, fits.psi
        assert np.all(fits.status == Status.OK)
        assert np.all(psi * (1 + np.abs(rho)) < 4.0)
        assert np.all(psi**2 * (1 + np.abs(rho)) <= 4.0 * theta * (1 + 1e-9))
        k = np.linspace(-5, 5, 2001)
        w = np.stack([essvi.total_variance(k, *p) for p in zip(theta, rho, psi, strict=True)])
        assert np.all(np.diff(w, axis=0) >= -1e-12)
