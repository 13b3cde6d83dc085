"""American options: with a continuous yield by L. Andersen, M. Lake & D. Offengenden (2016).

The exercise boundary is a fixed point at Chebyshev nodes; calls follow from C(S, K, r, q) = P(K, S, q, r).
Sixteen options go through the vector code together (cyext/src/american_*.h), each as if it were alone.
Options that see a cash dividend (`dividends=`), and those to which negative rates give two boundaries (a put
with q < r <= 0, a call with r < q <= 0), are priced on the grid of `american_dividends`. Conventions and
units: `skewline.cyext`; rates may have any sign; `carry_yield` is the dividend yield, borrow cost or foreign
rate.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skewline.cyext import _american, american_dividends, black
from skewline.cyext._american_scheme import Scheme
from skewline.cyext.american_dividends import Dividends
from skewline.cyext.american_rules import scheme
from skewline.cyext.arguments import Broadcast, Codes, Doubles, Flags, doubles, flags, thread_count
from skewline.cyext.black import ImpliedVols
from skewline.cyext.greeks import Greeks, spot_greeks

__all__ = [
    "Accuracy",
    "Dividends",
    "Greeks",
    "ImpliedVols",
    "greeks",
    "implied_vol",
    "implied_vol_status",
    "implied_vol_with_status",
    "price",
]

Accuracy: TypeAlias = Literal["fast", "precise"]


_LAST = scheme([(14, 14, 20), (24, 48, 30)], 48, 1e-6)
# A boundary that starts from the strike, one that starts below it as the yield is above the rate (the strike
# makes itself felt after a while only, and that takes more points to follow), a hard one, and one on which
# its scheme did not settle.
_SCHEMES: dict[str, tuple[Scheme, ...]] = {
    "fast": (
        scheme([(7, 5, 3), (7, 7, 1)], 16, 1e-2),
        scheme([(7, 5, 3), (7, 7, 1)], 16, 1e-2),
        scheme([(14, 14, 8), (20, 24, 4)], 48, 1e-3),
        _LAST,
    ),
    "precise": (
        scheme([(14, 8, 5), (14, 18, 2)], 48, 1e-3),
        scheme([(22, 10, 5), (22, 22, 2)], 48, 1e-3),
        scheme([(14, 14, 12), (24, 48, 12)], 48, 1e-3),
        _LAST,
    ),
}


def _schemes(accuracy: str) -> tuple[Scheme, ...]:
    if accuracy not in _SCHEMES:
        raise ValueError(f"accuracy must be one of {', '.join(_SCHEMES)}, not {accuracy!r}")
    return _SCHEMES[accuracy]


_Columns: TypeAlias = tuple[Flags, Doubles, Doubles, Doubles, Doubles, Doubles, Doubles]


class _Options:
    """A call's columns at one length, and what is left of each: at first, those that see a dividend."""

    def __init__(self, dividends: Dividends | None, is_call: ArrayLike, **columns: ArrayLike) -> None:
        arrays: dict[str, NDArray[Any]] = {"is_call": flags("is_call", is_call)}
        arrays |= {name: doubles(name, column) for name, column in columns.items()}
        self.broadcast = Broadcast(**arrays)
        self.columns = {name: self.broadcast.flat(array) for name, array in arrays.items()}
        self.left: Flags = np.zeros(self.broadcast.size, dtype=np.uint8)
        times, _ = american_dividends.checked(dividends).ahead()
        if times.size > 1:
            self.left[self.columns["expiry"] >= times[0]] = _american.on_grid

    def in_order(self) -> _Columns:
        is_call, spot, strike, expiry, rate, carry, last = self.columns.values()
        return is_call, spot, strike, expiry, rate, carry, last

    def on_grid(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.left == _american.on_grid)

    def take(self, which: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
        return {name: column[which] for name, column in self.columns.items()}


def _european_greeks(o: dict[str, NDArray[Any]], threads: int) -> Greeks:
    with np.errstate(all="ignore"):
        forward = o["spot"] * np.exp((o["rate"] - o["carry_yield"]) * o["expiry"])
        discount = np.exp(-o["rate"] * o["expiry"])
    greeks = black.greeks(
        *(o["is_call"], forward, o["strike"], o["expiry"], discount, o["vol"]), threads=threads
    )
    return spot_greeks(greeks, o["spot"], forward, o["expiry"])


def price(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    vol: ArrayLike,
    *,
    dividends: Dividends | None = None,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> Doubles:
    """Price, to 1e-6 of the strike ("fast") or 2e-9 ("precise") in 99 of 100 cases; never below intrinsic.

    Measured for vols of 5–100 %, a day to three years, rates and yields up to 10 %; the worst are 2e-6 and
    3e-9. Above σ√T = 12.5 it is the perpetual option, to 4e-9.

    NaN where an input is not finite, spot or strike is not positive, or vol or expiry is negative.
    ValueError for an unknown accuracy or shapes that do not broadcast.
    """
    schemes, threads = _schemes(accuracy), thread_count(threads)
    o = _Options(
        dividends,
        is_call,
        spot=spot,
        strike=strike,
        expiry=expiry,
        rate=rate,
        carry_yield=carry_yield,
        vol=vol,
    )
    out = np.empty(o.broadcast.size)
    _american.price(*o.in_order(), schemes, o.left, out, threads)
    if (grid := o.on_grid()).size:
        out[grid] = american_dividends.price(
            **o.take(grid), dividends=dividends, accuracy=accuracy, threads=threads
        )
    return out.reshape(o.broadcast.shape)


def greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    vol: ArrayLike,
    *,
    dividends: Dividends | None = None,
    accuracy: Accuracy = "precise",
    threads: int = 1,
) -> Greeks:
    """Price and eight Greeks with respect to the spot; `rho` holds the carry yield.

    Where immediate exercise is optimal the option is the intrinsic value: delta ±1, the others zero.
    """
    schemes, threads = _schemes(accuracy), thread_count(threads)
    o = _Options(
        dividends,
        is_call,
        spot=spot,
        strike=strike,
        expiry=expiry,
        rate=rate,
        carry_yield=carry_yield,
        vol=vol,
    )
    rows = np.empty((9, o.broadcast.size))
    _american.greeks(*o.in_order(), schemes, o.left, rows, threads)
    if (grid := o.on_grid()).size:
        rows[:, grid] = american_dividends.greeks(
            **o.take(grid), dividends=dividends, accuracy=accuracy, threads=threads
        ).rows()
    if (waiting := np.flatnonzero(o.left == _american.waiting)).size:
        rows[:, waiting] = _european_greeks(o.take(waiting), threads).rows()
    return Greeks.of_rows(rows.reshape(9, *o.broadcast.shape))


def implied_vol_with_status(
    is_call: ArrayLike,
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    *,
    dividends: Dividends | None = None,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> ImpliedVols:
    """Volatility at which the American price is `price`, with a `Status` per option.

    BELOW_INTRINSIC also where the price is no more than exercise (now or later) is worth without any
    volatility.
    """
    schemes, threads = _schemes(accuracy), thread_count(threads)
    o = _Options(
        dividends,
        is_call,
        spot=spot,
        strike=strike,
        expiry=expiry,
        rate=rate,
        carry_yield=carry_yield,
        price=price,
    )
    vol, status = np.empty(o.broadcast.size), np.empty(o.broadcast.size, dtype=np.int32)
    _american.implied_vol(*o.in_order(), schemes, o.left, vol, status, threads)
    if (grid := o.on_grid()).size:
        found = american_dividends.implied_vol_with_status(
            **o.take(grid), dividends=dividends, accuracy=accuracy, threads=threads
        )
        vol[grid], status[grid] = found.vol, found.status
    return ImpliedVols(vol.reshape(o.broadcast.shape), status.reshape(o.broadcast.shape))


def implied_vol(
    is_call: ArrayLike,
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    *,
    dividends: Dividends | None = None,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> Doubles:
    """Implied volatility, NaN where none exists; `implied_vol_status` says why."""
    return implied_vol_with_status(
        *(is_call, price, spot, strike, expiry, rate, carry_yield),
        dividends=dividends,
        accuracy=accuracy,
        threads=threads,
    ).vol


def implied_vol_status(
    is_call: ArrayLike,
    price: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    expiry: ArrayLike,
    rate: ArrayLike,
    carry_yield: ArrayLike,
    *,
    dividends: Dividends | None = None,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> Codes:
    """The `Status` code (int32) of each implied volatility; both at once: `implied_vol_with_status`."""
    return implied_vol_with_status(
        *(is_call, price, spot, strike, expiry, rate, carry_yield),
        dividends=dividends,
        accuracy=accuracy,
        threads=threads,
    ).status
