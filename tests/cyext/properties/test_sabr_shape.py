"""Limits and symmetries of Hagan's formula, and of a fit to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewline.cyext import sabr

STRIKES = np.exp(np.linspace(-1.0, 1.0, 21))

alphas = st.floats(0.05, 0.8)
betas = st.floats(0.0, 1.0)
rhos = st.floats(-0.95, 0.95)
nus = st.floats(0.0, 1.5)
expiries = st.floats(0.01, 3.0)


@given(alpha=alphas, expiry=expiries)
def test_flat_where_nothing_bends_it(alpha: float, expiry: float) -> None:
    vols = sabr.implied_vol(1.0, STRIKES, expiry, alpha, 1.0, 0.0, 0.0)
    assert vols == pytest.approx(alpha, rel=1e-15)


@given(alpha=alphas, nu=nus, expiry=expiries)
def test_symmetric_in_log_strike_without_skew(alpha: float, nu: float, expiry: float) -> None:
    vols = sabr.implied_vol(1.0, STRIKES, expiry, alpha, 1.0, 0.0, nu)
    assert vols == pytest.approx(vols[::-1], rel=1e-13)


@given(alpha=alphas, rho=rhos, nu=nus, expiry=expiries)
def test_mirrored_by_the_sign_of_rho(alpha: float, rho: float, nu: float, expiry: float) -> None:
    """β = 1: z/x(z) is unchanged when ρ and z change their signs together; only ¼ρνα is odd."""
    ours = sabr.implied_vol(1.0, STRIKES, expiry, alpha, 1.0, rho, nu)
    theirs = sabr.implied_vol(1.0, STRIKES[::-1], expiry, alpha, 1.0, -rho, nu)
    even = 1 + (2 - 3 * rho**2) / 24 * nu**2 * expiry
    odd = rho * nu * alpha / 4 * expiry
    assert ours * (even - odd) == pytest.approx(theirs * (even + odd), rel=1e-12, abs=1e-14)


@given(alpha=alphas, beta=betas, rho=rhos, nu=nus, expiry=expiries, unit=st.floats(1e-3, 1e4))
def test_homogeneous(alpha: float, beta: float, rho: float, nu: float, expiry: float, unit: float) -> None:
    """Forward and strikes times c, α times c^(1-β): the same vols."""
    here = sabr.implied_vol(1.0, STRIKES, expiry, alpha, beta, rho, nu)
    there = sabr.implied_vol(unit, STRIKES * unit, expiry, alpha * unit ** (1 - beta), beta, rho, nu)
    assert there == pytest.approx(here, rel=1e-11, abs=1e-13)


@given(alpha=alphas, beta=betas, rho=rhos, nu=nus, expiry=expiries, clock=st.floats(0.1, 10))
def test_time_may_run_on_another_clock(
    alpha: float, beta: float, rho: float, nu: float, expiry: float, clock: float
) -> None:
    """T times c, α and ν by √c less: vols by √c less."""
    here = sabr.implied_vol(1.0, STRIKES, expiry, alpha, beta, rho, nu)
    slower = np.sqrt(clock)
    there = sabr.implied_vol(1.0, STRIKES, expiry * clock, alpha / slower, beta, rho, nu / slower)
    assert there * slower == pytest.approx(here, rel=1e-12, abs=1e-14)


def test_a_fit_scales_with_money_and_does_not_see_the_order_of_strikes() -> None:
    rng = np.random.default_rng(61)
    for _ in range(20):
        forward, expiry = 100.0, float(rng.choice([0.02, 0.25, 2.0]))
        strikes = forward * np.exp(rng.uniform(-2.5, 2, 15) * 0.2 * np.sqrt(expiry))
        nu, rho = rng.uniform(0.3, 0.8) / np.sqrt(expiry), rng.uniform(-0.7, 0.3)
        vols = sabr.implied_vol(forward, strikes, expiry, 2.0, 0.5, rho, nu)
        vols = vols * (1 + 0.01 * rng.standard_normal(15))
        fit = sabr.calibrate(forward, expiry, strikes, vols)
        order = rng.permutation(15)
        shuffled = sabr.calibrate(forward, expiry, strikes[order], vols[order])
        scaled = sabr.calibrate(forward * 7.0, expiry, strikes * 7.0, vols)
        for other, factor in ((shuffled, 1.0), (scaled, np.sqrt(7.0))):
            assert other.rmse == pytest.approx(fit.rmse, rel=1e-9)
            assert [other.alpha / factor, other.rho, other.nu] == pytest.approx(
                [fit.alpha, fit.rho, fit.nu], rel=1e-5
            )
