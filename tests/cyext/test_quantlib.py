"""The kernels against QuantLib: an independent library, other methods, other authors."""

import numpy as np
import pytest
from heston_parameters import model

from skewline.cyext import american, black, heston, sabr

pytest.importorskip("QuantLib", reason="QuantLib is not installed: the extra `test` brings it")

import quantlib_prices


def test_black_prices() -> None:
    rng = np.random.default_rng(41)
    for _ in range(200):
        option = (
            *(bool(rng.random() < 0.5), 100.0, float(rng.uniform(50, 200)), float(rng.uniform(0.01, 5))),
            *(float(rng.uniform(0.8, 1.02)), float(rng.uniform(0.05, 1.5))),
        )
        expected = quantlib_prices.black_price(*option)
        assert float(black.price(*option)) == pytest.approx(expected, rel=1e-11, abs=1e-13), option


def test_sabr_vols() -> None:
    rng = np.random.default_rng(42)
    for _ in range(200):
        forward, beta = float(10 ** rng.uniform(-2, 3)), float(rng.uniform(0, 1))
        case = (
            *(forward, float(forward * np.exp(rng.uniform(-1, 1))), float(rng.uniform(0.02, 5))),
            *(float(rng.uniform(0.05, 0.6) * forward ** (1 - beta)), beta),
            *(float(rng.uniform(-0.95, 0.95)), float(rng.uniform(0.05, 1.5))),
        )
        expected = quantlib_prices.sabr_vol(*case)
        assert float(sabr.implied_vol(*case)) == pytest.approx(expected, rel=1e-10), case


def test_heston_prices() -> None:
    rng = np.random.default_rng(43)
    for _ in range(60):
        p = (
            *(10 ** rng.uniform(-2.5, -0.5), 10 ** rng.uniform(-0.5, 1), 10 ** rng.uniform(-2.5, -0.5)),
            *(10 ** rng.uniform(-1, 0.3), rng.uniform(-0.9, 0.5)),
        )
        days = int(rng.integers(10, 1500))
        strike = float(np.exp(rng.uniform(-2, 2) * np.sqrt(max(p[0], p[2]) * days / 365)))
        expected = quantlib_prices.heston_call(strike, days, *(float(one) for one in p))
        got = float(heston.price(True, 1.0, strike, days / 365, 1.0, **model(p)))
        assert got == pytest.approx(expected, rel=0, abs=2e-11), (strike, days, p)


def test_american_prices() -> None:
    rng = np.random.default_rng(44)
    for _ in range(60):
        option = (
            *(bool(rng.random() < 0.5), 100.0, float(rng.uniform(70, 140)), int(rng.integers(10, 1000))),
            *(float(rng.uniform(0.005, 0.1)), float(rng.uniform(0.005, 0.08)), float(rng.uniform(0.1, 0.8))),
        )
        expected = quantlib_prices.american_price(*option)
        contract = (*option[:3], option[3] / 365, *option[4:])
        precise = float(american.price(*contract, accuracy="precise"))
        assert precise == pytest.approx(expected, rel=0, abs=3e-7), option
        assert float(american.price(*contract)) == pytest.approx(expected, rel=0, abs=1e-4), option
