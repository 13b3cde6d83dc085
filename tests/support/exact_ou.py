"""The Ornstein–Uhlenbeck likelihood by mpmath, from the transition density as it is printed."""

from collections.abc import Sequence

import mpmath as mp


def log_likelihood(
    x: Sequence[float], steps: Sequence[float], kappa: mp.mpf, mean: mp.mpf, sigma: mp.mpf
) -> mp.mpf:
    """Of observations `x`, conditional on the first, `steps` apart; at the working precision.

    x' given x is normal about m + e^{-κΔ}(x - m) with variance σ²(1 - e^{-2κΔ})/2κ.
    """
    total = mp.mpf(0)
    for before, after, step in zip(x[:-1], x[1:], steps, strict=True):
        decay = mp.exp(-kappa * step)
        variance = sigma**2 * (1 - decay**2) / (2 * kappa)
        error = after - mean - decay * (before - mean)
        total -= (mp.log(2 * mp.pi * variance) + error**2 / variance) / 2
    return total


def newton_step(
    x: Sequence[float], steps: Sequence[float], kappa: float, mean: float, sigma: float
) -> tuple[float, float, float]:
    """How far (κ, m, σ) is from the maximum: one Newton step, from differences at 50 digits."""
    with mp.workdps(50):
        numbers, waits = [mp.mpf(float(v)) for v in x], [mp.mpf(float(v)) for v in steps]
        at = [mp.mpf(kappa), mp.mpf(mean), mp.mpf(sigma)]

        def of(*p: mp.mpf) -> mp.mpf:
            return log_likelihood(numbers, waits, *p)

        units = [[1 if i == j else 0 for j in range(3)] for i in range(3)]
        slope = mp.matrix([mp.diff(of, at, tuple(e)) for e in units])
        curvature = mp.matrix(3, 3)
        for i in range(3):
            for j in range(i + 1):
                orders = tuple(a + b for a, b in zip(units[i], units[j], strict=True))
                curvature[i, j] = curvature[j, i] = mp.diff(of, at, orders)
        step = mp.lu_solve(curvature, -slope)
        return float(step[0]), float(step[1]), float(step[2])
