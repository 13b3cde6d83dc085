"""The fit is the maximum of the exact likelihood, to the digits that the data has."""

import exact_ou
import mpmath as mp
import numpy as np
import pytest

from skewline.cyext import ou


def path(kappa: float, mean: float, sigma: float, dt: float, size: int, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    decay = np.exp(-kappa * dt)
    noise = sigma * np.sqrt((1 - decay**2) / (2 * kappa)) * rng.standard_normal(size)
    x = [mean + noise[0]]
    for shock in noise[1:]:
        x.append(mean + decay * (x[-1] - mean) + shock)
    return [float(one) for one in x]


@pytest.mark.parametrize(
    ("kappa", "mean", "sigma", "dt", "digits"),
    [
        (3.0, 0.3, 0.5, 1 / 12, 1e-12),
        (0.1, -2.0, 0.1, 1 / 252, 1e-10),
        (40.0, 0.0, 5.0, 1 / 52, 1e-12),
        (5.0, 1e4, 1e-2, 1 / 52, 1e-8),  # a mean that dwarfs the spread
        (5.0, 1e-9, 1e-10, 1 / 52, 1e-12),
    ],
)
def test_no_newton_step_leads_higher(
    kappa: float, mean: float, sigma: float, dt: float, digits: float
) -> None:
    x = path(kappa, mean, sigma, dt, 60, seed=8)
    fit = ou.fit(x, dt)
    assert fit.mean_reverting
    step = exact_ou.newton_step(x, [dt] * 59, fit.kappa, fit.mean, fit.sigma)
    spread = sigma / np.sqrt(2 * kappa)
    assert abs(step[0]) <= digits * fit.kappa
    assert abs(step[1]) <= digits * max(abs(fit.mean) * 1e-3, spread)
    assert abs(step[2]) <= digits * fit.sigma
    with mp.workdps(40):
        exact = exact_ou.log_likelihood(
            [mp.mpf(one) for one in x],
            [mp.mpf(dt)] * 59,
            *(mp.mpf(one) for one in (fit.kappa, fit.mean, fit.sigma)),
        )
    assert fit.log_likelihood == pytest.approx(float(exact), rel=1e-11, abs=1e-9)
