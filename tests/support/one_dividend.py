"""Options on an asset that pays one cash dividend, by quadrature over its price at that time."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from skewline.cyext import black

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(60)


def _integral(of: Callable[[np.ndarray], np.ndarray], edges: list[float]) -> float:
    """∫ of(z) φ(z) dz over the pieces between `edges`, each in ten parts."""
    total = 0.0
    for low, high in pairwise(edges):
        parts = np.linspace(low, high, 11)
        for a, b in pairwise(parts):
            z = 0.5 * (a + b) + 0.5 * (b - a) * _NODES
            total += 0.5 * (b - a) * float(np.sum(_WEIGHTS * of(z) * np.exp(-0.5 * z * z)))
    return float(total / np.sqrt(2 * np.pi))


def option(
    is_call: bool,
    strike: float,
    expiry: float,
    rate: float,
    vol: float,
    time: float,
    amount: float,
    *,
    exercise: bool,
) -> float:
    """On 100 without a continuous yield. `exercise`: also just before the dividend is paid.

    For a call at a rate >= 0 that is the American option, for no other time pays (Roll, Geske & Whaley; here
    in the spot model).
    """
    root = vol * np.sqrt(time)

    def asset(z: np.ndarray) -> np.ndarray:
        return np.asarray(100.0 * np.exp((rate - 0.5 * vol * vol) * time + root * z))

    def held(z: np.ndarray) -> np.ndarray:
        left, after = asset(z) - amount, expiry - time
        forward = np.where(left > 0.0, left, 1.0) * np.exp(rate * after)
        discount = np.exp(-rate * after)
        worthless = 0.0 if is_call else strike * discount
        return np.where(left > 0.0, black.price(is_call, forward, strike, after, discount, vol), worthless)

    def gain(z: np.ndarray) -> np.ndarray:
        return asset(z) - strike if is_call else strike - asset(z)

    edges = [-9.0, 9.0]
    broke = (np.log(amount / 100.0) - (rate - 0.5 * vol * vol) * time) / root
    if -9.0 < broke < 9.0:
        edges.insert(1, float(broke))
    if exercise:
        low, high = -9.0, 9.0
        for _ in range(80):
            middle = np.array(0.5 * (low + high))
            if gain(middle) > held(middle):
                high = float(middle)
            else:
                low = float(middle)
        if -9.0 < low < 8.99:
            edges = sorted([*edges, low])

    def worth(z: np.ndarray) -> np.ndarray:
        return np.maximum(held(z), gain(z)) if exercise else held(z)

    return float(np.exp(-rate * time)) * _integral(worth, edges)
