"""Black-76 by mpmath: the formula as it is printed, at as many digits as one asks for."""

import mpmath as mp

#: Orders of differentiation in (forward, expiry, rate, vol), and the factor to the stated unit.
GREEKS = {
    "delta": ((1, 0, 0, 0), 1),
    "gamma": ((2, 0, 0, 0), 1),
    "vega": ((0, 0, 0, 1), 1),
    "theta": ((0, 1, 0, 0), mp.mpf(-1) / 365),
    "rho": ((0, 0, 1, 0), 1),
    "vanna": ((1, 0, 0, 1), 1),
    "volga": ((0, 0, 0, 2), 1),
    "charm": ((1, 1, 0, 0), mp.mpf(-1) / 365),
}


def value(is_call: bool, f: mp.mpf, k: mp.mpf, t: mp.mpf, rate: mp.mpf, vol: mp.mpf) -> mp.mpf:
    """The discounted price at the working precision."""
    s = vol * mp.sqrt(t)
    d1 = mp.log(f / k) / s + s / 2
    sign = 1 if is_call else -1
    return sign * mp.exp(-rate * t) * (f * mp.ncdf(sign * d1) - k * mp.ncdf(sign * (d1 - s)))


def price(is_call: bool, forward: float, strike: float, expiry: float, discount: float, vol: float) -> float:
    """The price of these doubles, rounded once."""
    with mp.workdps(60):
        undiscounted = value(is_call, mp.mpf(forward), mp.mpf(strike), mp.mpf(expiry), mp.mpf(0), mp.mpf(vol))
        return float(mp.mpf(discount) * undiscounted)


def greeks(
    is_call: bool, forward: float, strike: float, expiry: float, discount: float, vol: float
) -> dict[str, float]:
    """All eight Greeks by numerical differentiation at 60 digits, each in its unit, rounded once."""
    with mp.workdps(60):
        rate = -mp.log(mp.mpf(discount)) / mp.mpf(expiry)
        at = (mp.mpf(forward), mp.mpf(expiry), rate, mp.mpf(vol))

        def of(f: mp.mpf, t: mp.mpf, r: mp.mpf, v: mp.mpf) -> mp.mpf:
            return value(is_call, f, mp.mpf(strike), t, r, v)

        return {name: float(unit * mp.diff(of, at, orders)) for name, (orders, unit) in GREEKS.items()}
