"""Hagan's volatility against 80 digits: at the money, next to it, far from it, at the edges of the model."""

import exact_sabr
import numpy as np
import pytest

from skewline.cyext import sabr

MODELS = [
    (0.2, 0.5, -0.4, 0.6),
    (0.3, 1.0, -0.7, 1.5),
    (0.15, 0.0, 0.3, 0.4),
    (0.25, 0.3, 0.99, 2.0),
    (0.25, 0.7, -0.99, 2.0),
    (0.2, 0.5, 0.0, 0.6),
    (0.2, 0.5, -0.4, 1e-9),
    (0.2, 0.5, -0.4, 0.0),
]


@pytest.mark.parametrize("model", MODELS)
def test_near_the_money(model: tuple[float, float, float, float]) -> None:
    for power in range(1, 17):
        for sign in (-1.0, 1.0):
            strike = float(np.exp(sign * 10.0**-power))
            expected = exact_sabr.implied_vol(1.0, strike, 1.5, *model)
            got = float(sabr.implied_vol(1.0, strike, 1.5, *model))
            assert got == pytest.approx(expected, rel=1e-13), strike
    expected = exact_sabr.implied_vol(1.0, 1.0, 1.5, *model)
    assert float(sabr.implied_vol(1.0, 1.0, 1.5, *model)) == pytest.approx(expected, rel=1e-15)


def test_anywhere() -> None:
    rng = np.random.default_rng(31)
    for _ in range(300):
        forward = 10 ** rng.uniform(-2, 4)
        beta = rng.uniform(0, 1)
        alpha = 10 ** rng.uniform(-1.3, 0) * forward ** (1 - beta)
        expiry = 10 ** rng.uniform(-2.5, 1.3)
        nu = min(10 ** rng.uniform(-3, 0) / np.sqrt(expiry), 8.0)
        strike = forward * np.exp(rng.uniform(-4, 4) * 0.25 * np.sqrt(expiry))
        case = tuple(float(x) for x in (forward, strike, expiry, alpha, beta, rng.uniform(-0.98, 0.98), nu))
        expected = exact_sabr.implied_vol(*case)
        if expected > 0:
            assert float(sabr.implied_vol(*case)) == pytest.approx(expected, rel=3e-13), case
