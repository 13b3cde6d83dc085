"""Heston's price against mpmath at 30 digits, where the model is hard.

One day, deep wings, ρ at ±0.99, κ near 0, Feller violated many times over, σ near 0, ten years.
"""

import exact_heston
import numpy as np
import pytest
from heston_parameters import HestonParameters, model

from skewline.cyext import heston

# (ln F/K, expiry, (v0, κ, θ, σ, ρ), call on forward 1): from `exact_heston.call`, 1 to 10 s each
CASES = [
    (-0.6, 1.0, (0.04, 2.0, 0.06, 0.7, -0.7), 1.3340371699622408e-05),
    (0.9, 1.0, (0.04, 2.0, 0.06, 0.7, -0.7), 0.5942606788724561),
    (0.0, 1 / 365, (0.04, 2.0, 0.06, 0.7, -0.7), 0.004173344873205843),
    (-0.05, 1 / 365, (0.04, 2.0, 0.06, 0.7, -0.7), 1.5336686795743324e-11),
    (0.08, 2 / 365, (0.09, 5.0, 0.04, 2.0, -0.9), 0.07690722780433128),
    (-0.02, 7 / 365, (0.01, 1.0, 0.01, 0.3, 0.5), 0.000617636531050285),
    (0.1, 0.5, (0.04, 1.0, 0.04, 0.5, 0.99), 0.0977974003100745),
    (-0.1, 0.5, (0.04, 1.0, 0.04, 0.5, -0.99), 0.0018515803775187257),
    (0.2, 2.0, (0.09, 0.0001, 0.09, 0.5, -0.6), 0.24977740071065252),
    (0.3, 0.25, (0.25, 15.0, 0.07, 3.3, -0.5), 0.2665409441700776),
    (-0.4, 5.0, (0.02, 0.3, 0.05, 1.0, -0.8), 0.0015278811713525552),
    (1.5, 10.0, (0.04, 0.5, 0.04, 1.0, -0.9), 0.7848920669806009),
    (0.0, 0.1, (0.0001, 3.0, 0.09, 0.8, -0.4), 0.012865439653254216),
    (0.1, 1.0, (0.04, 1.5, 0.05, 0.02, -0.3), 0.13673316194244642),
    (0.25, 30 / 365, (0.5, 2.0, 0.6, 1.0, 0.2), 0.2301792435590775),
    (-0.15, 0.02, (0.3, 20.0, 0.1, 5.0, -0.3), 0.0005366921238942863),
]


def price(is_call: bool, log_moneyness: float, expiry: float, parameters: HestonParameters) -> float:
    return float(heston.price(is_call, 1.0, np.exp(-log_moneyness), expiry, 1.0, **parameters))


@pytest.mark.parametrize(("log_moneyness", "expiry", "parameters", "call"), CASES)
def test_call_and_put(
    log_moneyness: float, expiry: float, parameters: tuple[float, ...], call: float
) -> None:
    p = model(parameters)
    assert price(True, log_moneyness, expiry, p) == pytest.approx(call, rel=0, abs=1e-12)
    put = call - 1.0 + np.exp(-log_moneyness)
    assert price(False, log_moneyness, expiry, p) == pytest.approx(put, rel=0, abs=1e-12)


@pytest.mark.parametrize("case", [CASES[2], CASES[13]])
def test_the_oracle_still_says_so(case: tuple[float, float, tuple[float, ...], float]) -> None:
    log_moneyness, expiry, parameters, call = case
    assert exact_heston.call(log_moneyness, expiry, *parameters) == pytest.approx(call, rel=1e-15)
