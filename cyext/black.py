"""Black-76: European options on a forward (F. Black, 1976; normalised as by P. Jäckel, 2015).

Conventions and units: `skewline.cyext`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext import _black
from skewline.cyext.arguments import Broadcast, Codes, Doubles, doubles, flags, thread_count
from skewline.cyext.greeks import Greeks, spot_greeks
from skewline.cyext.status import Status

__all__ = [
    "Greeks",
    "ImpliedVols",
    "Status",
    "greeks",
    "implied_vol",
    "implied_vol_status",
    "implied_vol_with_status",
    "price",
    "spot_greeks",
]


@dataclass(frozen=True, slots=True)
class ImpliedVols:
    """Implied volatilities and, for each, the `Status` code (int32) that says why it is NaN."""

    vol: Doubles
    status: Codes


def price(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    vol: ArrayLike,
    *,
    out: Doubles | None = None,
    threads: int = 1,
) -> Doubles:
    """Discounted price of a European call or put; out-of-the-money prices are accurate to 1e-13 relative.

    At zero expiry or volatility it is the discounted intrinsic value. NaN where an input is not finite, a
    forward, strike or discount is not positive, or an expiry or volatility is negative.
    """
    call = flags("is_call", is_call)
    f, k, t = doubles("forward", forward), doubles("strike", strike), doubles("expiry", expiry)
    d, v = doubles("discount", discount), doubles("vol", vol)
    b = Broadcast(is_call=call, forward=f, strike=k, expiry=t, discount=d, vol=v)
    result = b.result(out)
    call, f, k, t, d, v = (b.flat(array) for array in (call, f, k, t, d, v))
    _black.price(call, f, k, t, d, v, result.reshape(-1), thread_count(threads))
    return result


def greeks(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    vol: ArrayLike,
    *,
    out: Doubles | None = None,
    threads: int = 1,
) -> Greeks:
    """Price and eight Greeks with respect to the forward; `spot_greeks` turns them into those of the spot.

    The rate is -ln(discount)/expiry; `theta` and `charm` hold the forward, `rho` holds it too (-expiry ×
    price). At zero expiry or volatility the Greeks are those of the intrinsic value (delta one half at the
    money). `out`, a C-contiguous float64 array (9, *shape), is written into; its rows are the fields of the
    result. Each sum of terms is accurate to 1e-13 of its largest term.
    """
    call = flags("is_call", is_call)
    f, k, t = doubles("forward", forward), doubles("strike", strike), doubles("expiry", expiry)
    d, v = doubles("discount", discount), doubles("vol", vol)
    b = Broadcast(is_call=call, forward=f, strike=k, expiry=t, discount=d, vol=v)
    rows = b.result(out, (9,))
    call, f, k, t, d, v = (b.flat(array) for array in (call, f, k, t, d, v))
    _black.greeks(call, f, k, t, d, v, rows.reshape(9, b.size), thread_count(threads))
    return Greeks.of_rows(rows)


def implied_vol_with_status(
    is_call: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    *,
    out: Doubles | None = None,
    threads: int = 1,
) -> ImpliedVols:
    """Implied volatility and a `Status` code per option; to 1e-14 relative where the price determines it.

    A price at the intrinsic value carries no volatility: NaN with BELOW_INTRINSIC. A price at the forward's
    (call) or the strike's (put) present value, or above: NaN with ABOVE_BOUND.
    """
    call = flags("is_call", is_call)
    p, f, k = doubles("price", price), doubles("forward", forward), doubles("strike", strike)
    t, d = doubles("expiry", expiry), doubles("discount", discount)
    b = Broadcast(is_call=call, price=p, forward=f, strike=k, expiry=t, discount=d)
    vol = b.result(out)
    status = np.empty(b.shape, dtype=np.int32)
    call, p, f, k, t, d = (b.flat(array) for array in (call, p, f, k, t, d))
    _black.implied_vol(call, p, f, k, t, d, vol.reshape(-1), status.reshape(-1), thread_count(threads))
    return ImpliedVols(vol, status)


def implied_vol(
    is_call: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    *,
    out: Doubles | None = None,
    threads: int = 1,
) -> Doubles:
    """Implied volatility, NaN where none exists; `implied_vol_status` says why."""
    return implied_vol_with_status(
        is_call, price, forward, strike, expiry, discount, out=out, threads=threads
    ).vol


def implied_vol_status(
    is_call: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    discount: ArrayLike,
    *,
    threads: int = 1,
) -> Codes:
    """The `Status` code (int32) of each implied volatility; both at once: `implied_vol_with_status`."""
    return implied_vol_with_status(is_call, price, forward, strike, expiry, discount, threads=threads).status
