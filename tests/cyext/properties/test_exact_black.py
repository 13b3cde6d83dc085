"""Black's price, Greeks and implied vol against mpmath over the whole range that a book may hold."""

import exact_black
import numpy as np
import pytest

from skewline.cyext import black
from skewline.cyext.status import Status


def random_options(
    size: int, seed: int, reach: float
) -> list[tuple[bool, float, float, float, float, float]]:
    """Out of the money up to `reach` standard deviations, σ√T from 1e-6 to 10."""
    rng = np.random.default_rng(seed)
    options = []
    for _ in range(size):
        deviation = 10 ** rng.uniform(-6, 1)
        expiry = 10 ** rng.uniform(-3, 1.3)
        forward = 10 ** rng.uniform(-2, 4)
        is_call = bool(rng.random() < 0.5)
        distance = min(rng.uniform(0, reach) * deviation, 40.0)
        strike = forward * np.exp(distance if is_call else -distance)
        discount = np.exp(-rng.uniform(-0.02, 0.1) * expiry)
        options.append(
            (is_call, forward, float(strike), expiry, float(discount), deviation / float(np.sqrt(expiry)))
        )
    return options


def columns(options: list[tuple[bool, float, float, float, float, float]]) -> list[np.ndarray]:
    return [np.array(column) for column in zip(*options, strict=True)]


def test_prices_of_out_of_the_money_options() -> None:
    options = random_options(400, seed=101, reach=8.0)
    got = black.price(*columns(options))
    for option, price in zip(options, got.tolist(), strict=True):
        assert price == pytest.approx(exact_black.price(*option), rel=2e-12, abs=0), option


def test_greeks() -> None:
    options = random_options(30, seed=102, reach=6.0)
    got = black.greeks(*columns(options))
    for i, option in enumerate(options):
        is_call, f, k, t, _, vol = option
        s = vol * np.sqrt(t)
        wide = 1.0 + abs(np.log(f / k)) / s + s
        exact = exact_black.greeks(*option)
        # a sum of terms that cancel is as exact as its largest term
        density, rate = exact["vega"] / (f * np.sqrt(t)), abs(np.log(option[4])) / t
        price = exact_black.price(*option)
        scale = {
            "theta": (rate * price + f * density * vol / np.sqrt(t)) / 365,
            "vanna": density * wide / vol,
            "volga": exact["vega"] * wide**2 / vol,
            "charm": (rate * abs(exact["delta"]) + density * wide / t) / 365,
        }
        for name, expected in exact.items():
            error = abs(float(getattr(got, name)[i]) - expected)
            assert error <= 1e-11 * max(abs(expected), scale.get(name, 0.0)), (name, option, is_call)


def test_an_exact_price_gives_back_its_vol() -> None:
    options = random_options(300, seed=103, reach=8.0)
    is_call, f, k, t, d, vol = columns(options)
    price = np.array([exact_black.price(*option) for option in options])
    found = black.implied_vol_with_status(is_call, price, f, k, t, d)
    bound = d * np.where(is_call, f, k)
    vega = black.greeks(is_call, f, k, t, d, vol).vega
    # what a rounding of the price, or of its distance from the bound, means for the vol
    blur = 2.3e-16 * np.where(price > 0.3 * bound, bound, price) / (vega * vol)
    told = blur < 1e-3
    assert told.mean() > 0.9
    assert (found.status[told] == Status.OK).all()
    assert (np.abs(found.vol / vol - 1)[told] <= 1e-12 + 8 * blur[told]).all()
