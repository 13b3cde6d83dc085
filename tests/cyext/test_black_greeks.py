from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest

from skewline.cyext import black
from skewline.cyext.greeks import spot_greeks

CASES = [
    (True, 100.0, 110.0, 0.5, 0.97, 0.3),
    (False, 100.0, 110.0, 0.5, 0.97, 0.3),
    (True, 50.0, 45.0, 2.0, 1.02, 0.6),
    (False, 4000.0, 3000.0, 7 / 365, 0.999, 0.45),
    (True, 1.0, 1.0, 1.0, 0.9, 0.1),
]


def value(is_call: bool, f: mp.mpf, k: float, t: mp.mpf, rate: mp.mpf, vol: mp.mpf) -> mp.mpf:
    s = vol * mp.sqrt(t)
    d1 = mp.log(f / k) / s + s / 2
    sign = 1 if is_call else -1
    return sign * mp.exp(-rate * t) * (f * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - s)))


def slope(of: Callable[..., mp.mpf], at: tuple[float, ...], orders: tuple[int, ...]) -> float:
    with mp.workdps(50):
        return float(mp.diff(of, tuple(mp.mpf(x) for x in at), orders))


@pytest.mark.parametrize("case", CASES)
def test_forward_greeks_are_the_derivatives_in_the_stated_units(
    case: tuple[bool, float, float, float, float, float],
) -> None:
    is_call, f, k, t, discount, vol = case
    rate = -np.log(discount) / t
    greeks = black.greeks(*case)

    def v(*x: mp.mpf) -> mp.mpf:
        return value(is_call, x[0], k, x[1], x[2], x[3])

    at = (f, t, rate, vol)
    expected = {
        "delta": slope(v, at, (1, 0, 0, 0)),
        "gamma": slope(v, at, (2, 0, 0, 0)),
        "theta": -slope(v, at, (0, 1, 0, 0)) / 365,
        "rho": slope(v, at, (0, 0, 1, 0)),
        "vega": slope(v, at, (0, 0, 0, 1)),
        "vanna": slope(v, at, (1, 0, 0, 1)),
        "volga": slope(v, at, (0, 0, 0, 2)),
        "charm": -slope(v, at, (1, 1, 0, 0)) / 365,
    }
    for name, number in expected.items():
        assert float(getattr(greeks, name)) == pytest.approx(number, rel=1e-9, abs=1e-14), name


@pytest.mark.parametrize("is_call", [True, False])
def test_spot_greeks_move_the_forward_with_spot_rate_and_time(is_call: bool) -> None:
    spot, strike, t, rate, q, vol = 100.0, 105.0, 0.75, 0.04, 0.015, 0.25
    forward = spot * np.exp((rate - q) * t)
    at_forward = black.greeks(is_call, forward, strike, t, np.exp(-rate * t), vol)
    greeks = spot_greeks(at_forward, spot, forward, t)

    def v(*x: mp.mpf) -> mp.mpf:
        s, time, r, sigma = x
        return value(is_call, s * mp.exp((r - q) * time), strike, time, r, sigma)

    at = (spot, t, rate, vol)
    expected = {
        "delta": slope(v, at, (1, 0, 0, 0)),
        "gamma": slope(v, at, (2, 0, 0, 0)),
        "theta": -slope(v, at, (0, 1, 0, 0)) / 365,
        "rho": slope(v, at, (0, 0, 1, 0)),
        "vega": slope(v, at, (0, 0, 0, 1)),
        "vanna": slope(v, at, (1, 0, 0, 1)),
        "volga": slope(v, at, (0, 0, 0, 2)),
        "charm": -slope(v, at, (1, 1, 0, 0)) / 365,
    }
    for name, number in expected.items():
        assert float(getattr(greeks, name)) == pytest.approx(number, rel=1e-9), name


def test_without_volatility_only_the_intrinsic_value_is_left() -> None:
    greeks = black.greeks([True, False, True], [110.0, 90.0, 90.0], 100.0, 1.0, 0.9, 0.0)
    assert greeks.delta.tolist() == pytest.approx([0.9, -0.9, 0.0])
    assert greeks.gamma.tolist() == greeks.vega.tolist() == [0.0, 0.0, 0.0]
