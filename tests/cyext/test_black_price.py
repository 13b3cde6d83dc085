import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewline.cyext import black


def exact(is_call: bool, forward: float, strike: float, expiry: float, discount: float, vol: float) -> float:
    with mp.workdps(40):
        f, k, d = mp.mpf(forward), mp.mpf(strike), mp.mpf(discount)
        s = mp.mpf(vol) * mp.sqrt(mp.mpf(expiry))
        d1 = mp.log(f / k) / s + s / 2
        sign = 1 if is_call else -1
        return float(sign * d * (f * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - s))))


@given(
    log_deviation=st.floats(-6, 1),
    moneyness=st.floats(-8, 8),
    is_call=st.booleans(),
    discount=st.floats(0.5, 1.1),
)
def test_price_keeps_its_digits_out_of_the_money(
    log_deviation: float, moneyness: float, is_call: bool, discount: float
) -> None:
    deviation = 10.0**log_deviation
    distance = abs(moneyness) * deviation * (1 if is_call else -1)
    strike = 100.0 * float(np.exp(np.clip(distance, -60, 60)))
    price = float(black.price(is_call, 100.0, strike, 0.25, discount, deviation / 0.5))
    assert price == pytest.approx(exact(is_call, 100.0, strike, 0.25, discount, deviation / 0.5), rel=2e-12)


@given(
    strike=st.floats(1, 1000), expiry=st.floats(0.001, 5), vol=st.floats(0.01, 3), discount=st.floats(0.5, 1)
)
def test_parity_and_bounds(strike: float, expiry: float, vol: float, discount: float) -> None:
    call, put = black.price([True, False], 100.0, strike, expiry, discount, vol)
    assert call - put == pytest.approx(discount * (100.0 - strike), abs=1e-11 * max(strike, 100))
    assert max(0.0, discount * (100.0 - strike)) <= call <= discount * 100.0
    assert max(0.0, discount * (strike - 100.0)) <= put <= discount * strike


def test_falling_and_convex_in_strike() -> None:
    calls = black.price(True, 100.0, np.linspace(20, 400, 500), 0.7, 0.95, 0.3)
    assert (np.diff(calls) < 0).all()
    assert (np.diff(calls, 2) > -1e-13).all()


def test_limits_are_the_discounted_intrinsic_value() -> None:
    assert black.price([True, False], 110.0, 100.0, 0.0, 0.9, 0.2).tolist() == pytest.approx([9.0, 0.0])
    assert black.price([True, False], 90.0, 100.0, 1.0, 0.9, 0.0).tolist() == pytest.approx([0.0, 9.0])


@pytest.mark.parametrize("column", range(5))
@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_bad_element_leaves_its_neighbours_alone(column: int, bad: float) -> None:
    inputs = [np.full(3, value) for value in (100.0, 105.0, 0.5, 0.98, 0.25)]
    good = black.price(True, *inputs)
    inputs[column][1] = bad
    prices = black.price(True, *inputs)
    assert np.isnan(prices[1])
    assert prices[[0, 2]].tolist() == good[[0, 2]].tolist()
    assert np.isnan(black.greeks(True, *inputs).delta).tolist() == [False, True, False]


def test_broadcasts_and_writes_into_out() -> None:
    out = np.empty((2, 3))
    result = black.price([[True], [False]], 100.0, [90.0, 100.0, 110.0], 1.0, 1.0, 0.2, out=out)
    assert result is out
    assert out[1, 2] == float(black.price(False, 100.0, 110.0, 1.0, 1.0, 0.2))
    empty = np.empty(0)
    assert black.price(True, 100.0, empty, 1.0, 1.0, 0.2).shape == (0,)
