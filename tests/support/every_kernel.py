"""Every kernel that takes `threads`, with arguments of a size to choose, for what must hold of all."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass

import numpy as np

from skewline.cyext import american, american_dividends, black, heston, ou, portfolio, sabr

#: Does the work with so many threads and gives the answer's numbers.
Call = Callable[[int], list[np.ndarray]]


def numbers(answer: object) -> list[np.ndarray]:
    """All numbers in a kernel's answer, whether an array or an object with fields."""
    if is_dataclass(answer):
        return [array for field in fields(answer) for array in numbers(getattr(answer, field.name))]
    array = np.asarray(answer)
    return [array] if array.dtype.kind in "biuf" else []


def options(size: int) -> dict[str, np.ndarray]:
    """Out-of-the-money options on 100 with a flat rate of 2 % and no dividends; some have no meaning."""
    rng = np.random.default_rng(size)
    strike = 100 * np.exp(rng.uniform(-0.3, 0.3, size))
    expiry = rng.choice(np.array([7, 30, 91, 182, 365]), size) / 365
    vol = rng.uniform(0.1, 0.6, size)
    strike[5::97], vol[7::97], expiry[11::97] = -1.0, np.nan, 0.0
    return {"is_call": strike > 100, "strike": strike, "expiry": expiry, "vol": vol}


def black_price(size: int, reuse: bool = False) -> Call:
    o = options(size)
    out = np.empty(size) if reuse else None
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.99, o["vol"])
    return lambda threads: numbers(black.price(*a, out=out, threads=threads))


def black_greeks(size: int, reuse: bool = False) -> Call:
    o = options(size)
    out = np.empty((9, size)) if reuse else None
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.99, o["vol"])
    return lambda threads: numbers(black.greeks(*a, out=out, threads=threads))


def black_implied_vol(size: int, reuse: bool = False) -> Call:
    o = options(size)
    out = np.empty(size) if reuse else None
    price = black.price(o["is_call"], 100.0, o["strike"], o["expiry"], 0.99, o["vol"])
    a = (o["is_call"], price, 100.0, o["strike"], o["expiry"], 0.99)
    return lambda threads: numbers(black.implied_vol_with_status(*a, out=out, threads=threads))


def portfolio_revalue(size: int) -> Call:
    """`size` positions in a hundred scenarios."""
    o = options(size)
    moves = np.exp(0.05 * np.random.default_rng(size).standard_normal(100))
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.99, o["vol"], 1.0)
    return lambda threads: numbers(
        portfolio.revalue(*a, spot_factor=moves, vol_shock=-np.log(moves), time_passed=0.004, threads=threads)
    )


def portfolio_matrix(size: int) -> Call:
    """`size` options in 20 scenarios."""
    o, rng = options(size), np.random.default_rng(size)
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.99, o["vol"])
    spot, vol = rng.uniform(0.8, 1.2, 20), rng.uniform(-0.3, 0.3, 20)
    return lambda threads: numbers(portfolio.matrix(*a, spot_factor=spot, vol_shock=vol, threads=threads))


def sabr_implied_vol(size: int, reuse: bool = False) -> Call:
    o = options(size)
    out = np.empty(size) if reuse else None
    a = (100.0, o["strike"], o["expiry"], o["vol"] * 10, 0.5, -0.3, 0.8)
    return lambda threads: numbers(sabr.implied_vol(*a, out=out, threads=threads))


def sabr_calibrate_many(size: int) -> Call:
    rng = np.random.default_rng(size)
    strikes = np.tile(100 * np.exp(np.linspace(-0.3, 0.25, 13)), size)
    vols = sabr.implied_vol(100.0, strikes, 0.5, 2.0, 0.5, -0.5, 0.9)
    vols = vols * (1 + 0.01 * rng.standard_normal(strikes.size))
    vols[5::97] = np.nan
    a = (np.full(size, 100.0), np.full(size, 0.5), strikes, vols, np.arange(0, 13 * size + 1, 13))
    return lambda threads: numbers(sabr.calibrate_many(*a, threads=threads))


def heston_price(size: int) -> Call:
    o = options(size)
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.99)
    return lambda threads: numbers(
        heston.price(*a, v0=0.04, kappa=2.0, theta=0.05, sigma=0.7, rho=-0.6, threads=threads)
    )


def heston_calibrate(size: int) -> Call:
    """`size` strikes on each of thirty expiries, from a week to two years."""
    expiry = np.repeat(np.geomspace(7, 730, 30) / 365, size)
    strike = 100 * np.exp(np.tile(np.linspace(-0.25, 0.2, size), 30) * np.sqrt(expiry))
    price = heston.price(
        *(strike > 100, 100.0, strike, expiry, 1.0), v0=0.04, kappa=2.0, theta=0.05, sigma=0.7, rho=-0.6
    )
    vols = black.implied_vol(strike > 100, price, 100.0, strike, expiry, 1.0)
    vols = vols * (1 + 0.01 * np.random.default_rng(size).standard_normal(vols.size))
    return lambda threads: numbers(heston.calibrate(100.0, strike, expiry, vols, threads=threads))


def american_price(size: int) -> Call:
    o = options(size)
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.03, 0.02, o["vol"])
    return lambda threads: numbers(american.price(*a, threads=threads))


def american_greeks(size: int) -> Call:
    o = options(size)
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.03, 0.02, o["vol"])
    return lambda threads: numbers(american.greeks(*a, accuracy="fast", threads=threads))


def american_implied_vol(size: int) -> Call:
    o = options(size)
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.03, 0.02)
    price = american.price(*a, o["vol"])
    b = (o["is_call"], price, 100.0, o["strike"], o["expiry"], 0.03, 0.02)
    return lambda threads: numbers(american.implied_vol_with_status(*b, threads=threads))


def dividends_price(size: int) -> Call:
    o = options(size)
    a = (o["is_call"], 100.0, o["strike"], o["expiry"], 0.03, 0.0, o["vol"])
    paid = american_dividends.Dividends([0.1, 0.4], [1.0, 1.0])
    return lambda threads: numbers(american_dividends.price(*a, dividends=paid, threads=threads))


def ou_fit_many(size: int) -> Call:
    """`size` series of 500 observations."""
    rng = np.random.default_rng(size)
    x = rng.standard_normal((size, 500)) * 0.1
    for i in range(1, 500):
        x[:, i] += 0.95 * x[:, i - 1]
    x[::7, 20] = np.nan
    return lambda threads: numbers(ou.fit_many(x, 1 / 252, threads=threads))


#: Name, how it is made, and a size that one thread does in some milliseconds.
KERNELS: dict[str, tuple[Callable[..., Call], int]] = {
    "black.price": (black_price, 300_000),
    "black.greeks": (black_greeks, 200_000),
    "black.implied_vol": (black_implied_vol, 100_000),
    "portfolio.revalue": (portfolio_revalue, 3_000),
    "portfolio.matrix": (portfolio_matrix, 10_000),
    "sabr.implied_vol": (sabr_implied_vol, 200_000),
    "sabr.calibrate_many": (sabr_calibrate_many, 3_000),
    "heston.price": (heston_price, 14_000),
    "heston.calibrate": (heston_calibrate, 100),
    "american.price": (american_price, 3_000),
    "american.greeks": (american_greeks, 300),
    "american.implied_vol": (american_implied_vol, 1_000),
    "american_dividends.price": (dividends_price, 60),
    "ou.fit_many": (ou_fit_many, 5_000),
}

#: Those that take `out`.
REUSING = frozenset({"black.price", "black.greeks", "black.implied_vol", "sabr.implied_vol"})


def kernel(name: str, share: float = 1.0, *, reuse: bool = False) -> Call:
    """The call of that name at `share` of its usual size.

    With `reuse` it writes into the same `out` each time, where there is one: for one caller at a time.
    """
    make, usual = KERNELS[name]
    size = max(1, int(usual * share))
    return make(size, reuse=True) if reuse and name in REUSING else make(size)
