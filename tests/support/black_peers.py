"""Black-76 as a user of NumPy and SciPy, or of numba, writes it: price and five Greeks."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from stopwatch import Call

from skewline.cyext.arguments import Doubles

NUMBA_INSTALLED = importlib.util.find_spec("numba") is not None


@dataclass(frozen=True, slots=True)
class Options:
    """Columns of one length; the forward is one for all."""

    is_call: np.ndarray[tuple[int], np.dtype[np.bool_]]
    forward: float
    strike: Doubles
    expiry: Doubles
    discount: Doubles
    vol: Doubles


def scipy_greeks(o: Options) -> Doubles:
    """Price, delta, gamma, vega, theta (a year), rho: whole columns at a time."""
    s = o.vol * np.sqrt(o.expiry)
    d1 = np.log(o.forward / o.strike) / s + s / 2
    density = o.discount * np.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    sign = np.where(o.is_call, 1.0, -1.0)
    delta = o.discount * sign * ndtr(sign * d1)
    price = o.forward * delta - o.strike * o.discount * sign * ndtr(sign * (d1 - s))
    rate = -np.log(o.discount) / o.expiry
    gamma, vega = density / (o.forward * s), o.forward * density * np.sqrt(o.expiry)
    theta = rate * price - o.forward * density * o.vol / (2 * np.sqrt(o.expiry))
    return np.array((price, delta, gamma, vega, theta, -o.expiry * price))


def numba_greeks(o: Options) -> Call:
    """The same, one option at a time, compiled; the result's memory is used again and again."""
    from numba import njit

    @njit
    def greeks(is_call, forward, strike, expiry, discount, vol, out):  # type: ignore[no-untyped-def]
        for i in range(strike.size):
            root = math.sqrt(expiry[i])
            s = vol[i] * root
            d1 = math.log(forward / strike[i]) / s + s / 2
            density = discount[i] * math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
            sign = 1.0 if is_call[i] else -1.0
            delta = discount[i] * sign * math.erfc(-sign * d1 / math.sqrt(2)) / 2
            other = discount[i] * sign * math.erfc(-sign * (d1 - s) / math.sqrt(2)) / 2
            price = forward * delta - strike[i] * other
            rate = -math.log(discount[i]) / expiry[i]
            out[0, i], out[1, i] = price, delta
            out[2, i], out[3, i] = density / (forward * s), forward * density * root
            out[4, i] = rate * price - forward * density * vol[i] / (2 * root)
            out[5, i] = -expiry[i] * price

    out = np.empty((6, o.strike.size))
    return lambda: greeks(o.is_call, o.forward, o.strike, o.expiry, o.discount, o.vol, out)
