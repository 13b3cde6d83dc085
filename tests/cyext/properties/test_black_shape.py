"""What holds of Black's prices and Greeks whatever the numbers: parity, scale, shape, signs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewline.cyext import black

strikes_apart = st.floats(0.2, 5.0)
expiries = st.floats(1 / 365, 5)
vols = st.floats(0.03, 2.0)
discounts = st.floats(0.6, 1.05)


@given(moneyness=strikes_apart, expiry=expiries, vol=vols, discount=discounts)
def test_greeks_of_call_and_put_differ_as_their_prices_do(
    moneyness: float, expiry: float, vol: float, discount: float
) -> None:
    """C - P = D (F - K): every Greek of it is known."""
    f, k = 100.0, 100.0 * moneyness
    g = black.greeks([True, False], f, k, expiry, discount, vol)
    rate = -np.log(discount) / expiry
    parity = {"delta": discount, "gamma": 0.0, "vega": 0.0, "vanna": 0.0, "volga": 0.0}
    parity |= {"theta": rate * discount * (f - k) / 365, "rho": -expiry * discount * (f - k)}
    parity |= {"charm": rate * discount / 365}
    for name, expected in parity.items():
        call, put = getattr(g, name).tolist()
        assert call - put == pytest.approx(expected, rel=1e-11, abs=1e-12 * (abs(call) + abs(put))), name


@given(moneyness=strikes_apart, expiry=expiries, vol=vols, discount=discounts, unit=st.floats(1e-6, 1e6))
def test_homogeneous_in_forward_and_strike(
    moneyness: float, expiry: float, vol: float, discount: float, unit: float
) -> None:
    here = black.greeks(True, 100.0, 100.0 * moneyness, expiry, discount, vol)
    there = black.greeks(True, 100.0 * unit, 100.0 * moneyness * unit, expiry, discount, vol)
    assert float(there.price) == pytest.approx(float(here.price) * unit, rel=1e-11)
    assert float(there.delta) == pytest.approx(float(here.delta), rel=1e-11)
    assert float(there.gamma) == pytest.approx(float(here.gamma) / unit, rel=1e-11)


@given(moneyness=strikes_apart, expiry=expiries, vol=vols)
def test_a_call_is_a_put_seen_from_the_other_currency(moneyness: float, expiry: float, vol: float) -> None:
    call = float(black.price(True, 100.0, 100.0 * moneyness, expiry, 1.0, vol))
    put = float(black.price(False, 100.0 * moneyness, 100.0, expiry, 1.0, vol))
    assert call == pytest.approx(put, rel=1e-13)


@given(expiry=expiries, vol=vols, is_call=st.booleans())
def test_falls_or_rises_with_strike_and_is_convex(expiry: float, vol: float, is_call: bool) -> None:
    strike = 100.0 * np.exp(np.linspace(-3, 3, 121) * vol * np.sqrt(expiry))
    price = black.price(is_call, 100.0, strike, expiry, 1.0, vol)
    slope = np.diff(price) / np.diff(strike)
    assert (slope <= 1e-12).all() if is_call else (slope >= -1e-12).all()
    assert (np.abs(slope) <= 1 + 1e-12).all()
    blur = 1e-13 * 100 / np.diff(strike)
    assert (np.diff(slope) >= -blur[:-1] - blur[1:]).all()


@given(moneyness=strikes_apart, vol=vols, is_call=st.booleans())
def test_rises_with_expiry_and_vol(moneyness: float, vol: float, is_call: bool) -> None:
    expiry = np.geomspace(1e-4, 20, 80)
    price = black.price(is_call, 100.0, 100.0 * moneyness, expiry, 1.0, vol)
    assert (np.diff(price) >= -1e-13 * 100).all()
    price = black.price(is_call, 100.0, 100.0 * moneyness, 1.0, 1.0, np.geomspace(1e-3, 20, 80))
    assert (np.diff(price) >= -1e-13 * 100).all()


@given(moneyness=strikes_apart, expiry=expiries, vol=vols, discount=discounts, is_call=st.booleans())
def test_greeks_have_their_signs_and_bounds(
    moneyness: float, expiry: float, vol: float, discount: float, is_call: bool
) -> None:
    g = black.greeks(is_call, 100.0, 100.0 * moneyness, expiry, discount, vol)
    sign = 1 if is_call else -1
    assert 0 <= sign * float(g.delta) <= discount * (1 + 1e-15)
    assert float(g.gamma) >= 0
    assert float(g.vega) >= 0
    # the Black–Scholes equation on a forward: Θ + ½σ²F²Γ = rV
    rate = -np.log(discount) / expiry
    drift = 0.5 * vol**2 * 100.0**2 * float(g.gamma)
    left, right = 365 * float(g.theta) + drift, rate * float(g.price)
    assert left == pytest.approx(right, abs=1e-11 * (drift + abs(right)) + 1e-300)


@given(
    log_deviation=st.floats(-6, 1),
    moneyness=st.floats(-8, 8),
    is_call=st.booleans(),
    discount=discounts,
    expiry=expiries,
)
def test_price_to_vol_to_price(
    log_deviation: float, moneyness: float, is_call: bool, discount: float, expiry: float
) -> None:
    """In or out of the money: the vol found prices back to the rounding of the price that was given."""
    deviation = 10.0**log_deviation
    strike = 100.0 * float(np.exp(np.clip(moneyness * deviation, -60, 60)))
    vol = deviation / np.sqrt(expiry)
    price = float(black.price(is_call, 100.0, strike, expiry, discount, vol))
    found = black.implied_vol_with_status(is_call, price, 100.0, strike, expiry, discount)
    if not np.isnan(found.vol):
        again = float(black.price(is_call, 100.0, strike, expiry, discount, found.vol))
        assert again == pytest.approx(price, rel=2e-13, abs=0)
    else:
        # nothing but rounding is left of the time value
        intrinsic = discount * max((100.0 - strike) * (1 if is_call else -1), 0.0)
        bound = discount * (100.0 if is_call else strike)
        assert min(abs(price - intrinsic), abs(bound - price)) <= 4e-15 * max(price, intrinsic)
