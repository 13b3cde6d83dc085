"""What holds of Heston's prices whatever the model: scale, limits, shape in strike, vol and time."""

import numpy as np
import pytest
from heston_parameters import HestonParameters, model
from hypothesis import given, settings
from hypothesis import strategies as st

from skewline.cyext import black, heston

models = st.builds(
    lambda v0, kappa, theta, sigma, rho: model((v0, kappa, theta, sigma, rho)),
    st.floats(1e-3, 0.5),
    st.floats(0.05, 15),
    st.floats(1e-3, 0.5),
    st.floats(0.05, 3),
    st.floats(-0.98, 0.98),
)
expiries = st.floats(1 / 365, 10)


def deviation(p: HestonParameters, expiry: float) -> float:
    """Of the logarithm of the price, without vol of vol."""
    wait = (1 - np.exp(-p["kappa"] * expiry)) / p["kappa"]
    return float(np.sqrt(p["theta"] * expiry + (p["v0"] - p["theta"]) * wait))


@settings(max_examples=60)
@given(p=models, expiry=expiries, unit=st.floats(1e-6, 1e6), discount=st.floats(0.5, 1.1))
def test_homogeneous_in_money_and_proportional_to_the_discount(
    p: HestonParameters, expiry: float, unit: float, discount: float
) -> None:
    strike = np.exp(np.linspace(-2, 2, 9) * deviation(p, expiry))
    here = heston.price(strike > 1, 1.0, strike, expiry, 1.0, **p)
    there = heston.price(strike > 1, unit, unit * strike, expiry, discount, **p)
    assert there / (unit * discount) == pytest.approx(here, rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(p=models, expiry=expiries)
def test_parity_bounds_slope_and_convexity(p: HestonParameters, expiry: float) -> None:
    strike = np.exp(np.linspace(-5, 5, 81) * deviation(p, expiry))
    call, put = heston.price(np.array([[True], [False]]), 1.0, strike, expiry, 1.0, **p)
    assert call - put == pytest.approx(1.0 - strike, rel=1e-12, abs=1e-12)
    assert (call >= np.maximum(1.0 - strike, 0.0) - 1e-12).all()
    assert (call <= 1.0 + 1e-12).all()
    slope = np.diff(call) / np.diff(strike)
    blur = 2e-12 * np.maximum(1.0, np.sqrt(strike[1:])) / np.diff(strike)
    assert (slope <= blur).all()
    assert (slope >= -1.0 - blur).all()
    assert (np.diff(slope) >= -blur[:-1] - blur[1:]).all()


@settings(max_examples=60)
@given(p=models, log_moneyness=st.floats(-0.5, 0.5))
def test_an_option_gains_with_time(p: HestonParameters, log_moneyness: float) -> None:
    """The forward is a martingale: undiscounted, a longer option is worth no less."""
    expiry = np.geomspace(1 / 365, 10, 40)
    price = heston.price(True, 1.0, np.exp(log_moneyness), expiry, 1.0, **p)
    assert (np.diff(price) >= -1e-12).all()


@settings(max_examples=60)
@given(p=models, expiry=expiries)
def test_seen_in_the_other_currency_it_is_heston_again(p: HestonParameters, expiry: float) -> None:
    """Under the forward's own measure κ becomes κ - ρσ, ρ turns its sign, κθ stays: C(F, K) = P(K, F)."""
    kappa = p["kappa"] - p["rho"] * p["sigma"]
    if kappa < 0.02:
        return
    other = model((p["v0"], kappa, p["kappa"] * p["theta"] / kappa, p["sigma"], -p["rho"]))
    strike = np.exp(np.linspace(-2, 2, 9) * deviation(p, expiry))
    call = heston.price(True, 1.0, strike, expiry, 1.0, **p)
    put = heston.price(False, strike, 1.0, expiry, 1.0, **other)
    assert call == pytest.approx(put, rel=0, abs=3e-12 * max(1.0, float(strike[-1])))


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.9])
@pytest.mark.parametrize(("v0", "theta"), [(0.04, 0.04), (0.09, 0.02)])
def test_black_as_vol_of_vol_fades(rho: float, v0: float, theta: float) -> None:
    """With error of the order of σ, then of rounding."""
    strike, expiry = np.linspace(0.6, 1.6, 21), 0.7
    total = theta * expiry + (v0 - theta) * (1 - np.exp(-1.5 * expiry)) / 1.5
    expected = black.price(True, 1.0, strike, expiry, 1.0, np.sqrt(total / expiry))
    for sigma in (1e-2, 1e-3, 1e-5, 1e-8, 1e-12):
        price = heston.price(True, 1.0, strike, expiry, 1.0, **model((v0, 1.5, theta, sigma, rho)))
        assert price == pytest.approx(expected, rel=0, abs=0.1 * sigma + 1e-12), sigma


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.9])
def test_continuous_where_kappa_vanishes(rho: float) -> None:
    strike = np.linspace(0.6, 1.6, 21)
    zero = heston.price(True, 1.0, strike, 0.7, 1.0, **model((0.04, 0.0, 0.06, 0.5, rho)))
    for kappa in (1e-4, 1e-8, 1e-12, 1e-300):
        near = heston.price(True, 1.0, strike, 0.7, 1.0, **model((0.04, kappa, 0.06, 0.5, rho)))
        assert near == pytest.approx(zero, rel=0, abs=0.05 * kappa + 1e-12), kappa
