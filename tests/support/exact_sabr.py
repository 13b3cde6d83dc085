"""Hagan's lognormal volatility by mpmath: the printed formula at 80 digits, where z/x(z) needs no series."""

import mpmath as mp


def implied_vol(
    forward: float, strike: float, expiry: float, alpha: float, beta: float, rho: float, nu: float
) -> float:
    """Hagan et al. (2002), eq. (2.17a), rounded once; with its limits at the money and nu = 0."""
    with mp.workdps(80):
        f, k, t, a, b, r, n = (mp.mpf(x) for x in (forward, strike, expiry, alpha, beta, rho, nu))
        x, mean = mp.log(f / k), (f * k) ** ((1 - b) / 2)
        y = (1 - b) ** 2 * x**2
        z = n / a * mp.log(f / k) * mean
        if z == 0:
            ratio = mp.mpf(1)
        else:
            ratio = z / mp.log((mp.sqrt(1 - 2 * r * z + z * z) + z - r) / (1 - r))
        spread = 1 + y / 24 + y * y / 1920
        drift = (1 - b) ** 2 * a**2 / (24 * mean**2) + r * b * n * a / (4 * mean)
        drift += (2 - 3 * r**2) * n**2 / 24
        return float(a / (mean * spread) * ratio * (1 + drift * t))
