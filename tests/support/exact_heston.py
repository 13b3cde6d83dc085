"""Heston's price by mpmath: Gatheral's form of the characteristic function, two plain integrals.

J. Gatheral, The Volatility Surface (2006), eq. (2.13):
C = F P₁ - K P₀, Pⱼ = ½ + 1/π ∫ Re(e^{Cθ+Dv₀+iux}/iu) du.
Nothing is shared with the kernel: no control variate, no bent contour, no double precision.
"""

import mpmath as mp

_DIGITS = 30


def call(
    log_moneyness: float, expiry: float, v0: float, kappa: float, theta: float, sigma: float, rho: float
) -> float:
    """Undiscounted call on forward 1 with strike exp(-log_moneyness); rounded once."""
    with mp.workdps(_DIGITS):
        x, t = mp.mpf(log_moneyness), mp.mpf(expiry)
        model = tuple(mp.mpf(one) for one in (v0, kappa, theta, sigma, rho))
        return float(_probability(1, x, t, model) - mp.exp(-x) * _probability(0, x, t, model))


def _exponent(j: int, u: mp.mpf, t: mp.mpf, model: tuple[mp.mpf, ...]) -> mp.mpc:
    v0, kappa, theta, sigma, rho = model
    alpha = -u * u / 2 - mp.j * u / 2 + j * mp.j * u
    beta = kappa - rho * sigma * j - rho * sigma * mp.j * u
    gamma = sigma * sigma / 2
    d = mp.sqrt(beta * beta - 4 * alpha * gamma)
    minus, plus = (beta - d) / (2 * gamma), (beta + d) / (2 * gamma)
    g = minus / plus
    decay = mp.exp(-d * t)
    of_variance = minus * (1 - decay) / (1 - g * decay)
    of_mean = kappa * (minus * t - mp.log((1 - g * decay) / (1 - g)) / gamma)
    return of_mean * theta + of_variance * v0


def _probability(j: int, x: mp.mpf, t: mp.mpf, model: tuple[mp.mpf, ...]) -> mp.mpf:
    """Panel by panel until three in a row add nothing."""

    def integrand(u: mp.mpf) -> mp.mpf:
        return (mp.exp(_exponent(j, u, t, model) + mp.j * u * x) / (mp.j * u)).real

    v0, kappa, theta, _, _ = model
    deviation = mp.sqrt(theta * t + (v0 - theta) * (1 - mp.exp(-kappa * t)) / kappa)
    width = min(1 / deviation, 4 / (abs(x) + mp.mpf("1e-9")))
    total, left, quiet = mp.mpf(0), mp.mpf(0), 0
    while quiet < 3:
        panel = mp.quad(integrand, [left, left + width])
        total += panel
        left += width
        quiet = quiet + 1 if abs(panel) < mp.mpf(10) ** (4 - _DIGITS) else 0
        if left > 50 * width:
            width *= mp.mpf("1.1")
    return mp.mpf(1) / 2 + total / mp.pi
