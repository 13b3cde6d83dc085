"""American options on an asset with a continuous yield: L. Andersen, M. Lake & D. Offengenden (2016).

The exercise boundary is a fixed point at Chebyshev nodes; calls follow from C(S, K, r, q) = P(K, S, q, r). Where negative
rates give two boundaries (a put with q < r <= 0, a call with r < q <= 0) a binomial tree prices to about 1e-5 of the strike.
Conventions and units: `skewline.cyext`; rates may have any sign; `carry_yield` is the dividend yield, borrow cost or
foreign rate.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skewline.cyext import _american
from skewline.cyext.arguments import Broadcast, Doubles, doubles, flags, thread_count
from skewline.cyext.black import ImpliedVols
from skewline.cyext.greeks import Greeks

__all__ = ["Accuracy", "Greeks", "ImpliedVols", "greeks", "implied_vol", "implied_vol_status", "price"]

Accuracy: TypeAlias = Literal["fast", "precise"]


def _quarter_turn(size: int) -> tuple[Doubles, Doubles]:
    """Gauss–Legendre angles and weights on (0, π/2)."""
    nodes, weights = np.polynomial.legendre.leggauss(size)
    return 0.25 * np.pi * (nodes + 1.0), 0.25 * np.pi * weights


_RULES = {
    "fast": _american.Rule(8, 40, 1e-6, *_quarter_turn(10), *_quarter_turn(20)),
    "precise": _american.Rule(20, 100, 1e-11, *_quarter_turn(40), *_quarter_turn(80)),
}


def _rule(accuracy: str) -> _american.Rule:
    if accuracy not in _RULES:
        raise ValueError(f"accuracy must be one of {', '.join(_RULES)}, not {accuracy!r}")
    return _RULES[accuracy]


def _flattened(
    is_call: ArrayLike, **numbers: ArrayLike
) -> tuple[Broadcast, list[NDArray[np.uint8] | NDArray[np.float64]]]:
    call = flags("is_call", is_call)
    arrays = {name: doubles(name, value) for name, value in numbers.items()}
    b = Broadcast(is_call=call, **arrays)
    return b, [b.flat(array) for array in (call, *arrays.values())]


def price(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    vol: ArrayLike,
    *,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> Doubles:
    """Price, to about 1e-6 of the strike ("fast") or 1e-9 ("precise"); never below intrinsic.

    NaN where an input is not finite, spot or strike is not positive, or vol or expiry is negative. ValueError for an
    unknown accuracy or shapes that do not broadcast.
    """
    b, flat = _flattened(
        is_call, spot=spot, strike=strike, expiry=expiry, rate=rate, carry_yield=carry_yield, vol=vol
    )
    out = np.empty(b.size)
    _american.price(*flat, rule=_rule(accuracy), out=out, threads=thread_count(threads))
    return out.reshape(b.shape)


def greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    vol: ArrayLike,
    *,
    accuracy: Accuracy = "precise",
    threads: int = 1,
) -> Greeks:
    """Price and eight Greeks with respect to the spot; `rho` holds the carry yield.

    Where immediate exercise is optimal the option is the intrinsic value: delta ±1, the others zero.
    """
    b, flat = _flattened(
        is_call, spot=spot, strike=strike, expiry=expiry, rate=rate, carry_yield=carry_yield, vol=vol
    )
    rows = np.empty((9, b.size))
    _american.greeks(*flat, rule=_rule(accuracy), out=rows, threads=thread_count(threads))
    return Greeks.of_rows(rows.reshape(9, *b.shape))


def implied_vol_status(
    is_call: ArrayLike,
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    *,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> ImpliedVols:
    """Volatility at which the American price is `price`, with a `Status` per option.

    BELOW_INTRINSIC also where the price is no more than exercise (now or later) is worth without any volatility.
    """
    b, flat = _flattened(
        is_call, price=price, spot=spot, strike=strike, expiry=expiry, rate=rate, carry_yield=carry_yield
    )
    vol = np.empty(b.size)
    status = np.empty(b.size, dtype=np.int32)
    _american.implied_vol(*flat, rule=_rule(accuracy), out=vol, status=status, threads=thread_count(threads))
    return ImpliedVols(vol.reshape(b.shape), status.reshape(b.shape))


def implied_vol(
    is_call: ArrayLike,
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    *,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> Doubles:
    """Implied volatility, NaN where none exists; `implied_vol_status` says why."""
    return implied_vol_status(
        is_call, price, spot, strike, expiry, rate, carry_yield, accuracy=accuracy, threads=threads
    ).vol
