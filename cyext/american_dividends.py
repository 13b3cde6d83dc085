"""American options on an asset that pays cash dividends, on a finite-difference grid.

The spot model: the price follows geometric Brownian motion with one volatility and falls by the cash amount
when a dividend is paid, V(S, t-) = max(V(S - D, t+), exercise); see E. Haug, J. Haug & A. Lewis (2003),
"Back to basics", Wilmott, and M. Vellekoop & J. Nieuwenhuis (2006), Applied Mathematical Finance 13, 265.
Models in which the price less its dividends' present value moves have other volatilities.

Method: logarithm of the price without its drift, Crandall's compact scheme of fourth order in space, TR-BDF2
in time, the complementarity problem of each step solved exactly (Brennan & Schwartz; policy iteration where
exercise may be optimal between two boundaries). Conventions and units: `skewline.cyext`; rates may have any
sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skewline.cyext import _american_grid
from skewline.cyext.arguments import Broadcast, Doubles, doubles, flags, thread_count, vector
from skewline.cyext.black import ImpliedVols
from skewline.cyext.greeks import Greeks

__all__ = [
    "Accuracy",
    "Dividends",
    "Greeks",
    "ImpliedVols",
    "greeks",
    "implied_vol_with_status",
    "price",
]

Accuracy: TypeAlias = Literal["fast", "precise"]

#: Nodes, time steps without dividends, half-width of the grid in deviations; the most vol √expiry for errors
#: below 1e-4: of calls over dividends, and of all else but two exercise boundaries without dividends.
_SCHEMES: dict[str, tuple[int, int, float, float, float]] = {
    "fast": (448, 96, 5.5, 2.0, 5.0),
    "precise": (1024, 256, 6.0, 2.5, 10.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Dividends:
    """Cash per share, `amounts`, in the currency of the spot, paid (ex) at `times` in years from now.

    Times ascend and may repeat. One at 0 has gone from the spot already; one at expiry is paid before the
    payoff (and exercise comes before it); one after expiry is ignored. Where the price is below the amount
    the dividend is the whole price, which stays zero. ValueError for what is not finite, negative or out of
    order.
    """

    times: ArrayLike
    amounts: ArrayLike

    def __post_init__(self) -> None:
        times, amounts = vector("dividends.times", self.times), vector("dividends.amounts", self.amounts)
        if times.size != amounts.size:
            raise ValueError(f"dividends.amounts must have {times.size} elements, not {amounts.size}")
        for name, values in (("times", times), ("amounts", amounts)):
            bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
            if bad.size:
                first = int(bad[0])
                raise ValueError(f"dividends.{name}[{first}] must be finite and >= 0, not {values[first]}")
        if (np.diff(times) < 0.0).any():
            raise ValueError("dividends.times must ascend")
        if times.size > _american_grid.most_dividends:
            raise ValueError(f"dividends.times must have at most {_american_grid.most_dividends} elements")

    def ahead(self) -> tuple[Doubles, Doubles]:
        """Times and amounts of those that are still to be paid, each followed by a zero."""
        times, amounts = vector("times", self.times), vector("amounts", self.amounts)
        kept = (times > 0.0) & (amounts > 0.0)
        return np.append(times[kept], 0.0), np.append(amounts[kept], 0.0)


#: That one call may have.
MOST_DIVIDENDS: int = _american_grid.most_dividends

_NONE = Dividends((), ())


def checked(dividends: Dividends | None) -> Dividends:
    """None is no dividends; TypeError for anything else that is not `Dividends`."""
    if dividends is not None and not isinstance(dividends, Dividends):
        raise TypeError(f"dividends must be Dividends, not {type(dividends).__name__}")
    return dividends or _NONE


def _chain(
    accuracy: str,
    dividends: Dividends | None,
    is_call: ArrayLike,
    fifth: str,
    **columns: ArrayLike,
) -> tuple[_american_grid.Chain, Broadcast]:
    if accuracy not in _SCHEMES:
        raise ValueError(f"accuracy must be one of {', '.join(_SCHEMES)}, not {accuracy!r}")
    times, amounts = checked(dividends).ahead()
    arrays: dict[str, NDArray[Any]] = {"is_call": flags("is_call", is_call)}
    arrays |= {name: doubles(name, column) for name, column in columns.items()}
    b = Broadcast(**arrays)
    flat = {name: np.ascontiguousarray(b.flat(array)) for name, array in arrays.items()}
    columns_in_order = (flat[name] for name in ("spot", "strike", "expiry", "rate", "carry_yield", fifth))
    spot, strike, expiry, rate, carry, last = columns_in_order
    chain = _american_grid.Chain(
        *(flat["is_call"], spot, strike, expiry, rate, carry, last), times, amounts, *_SCHEMES[accuracy]
    )
    return chain, b


def _groups(kinds: NDArray[np.uint64], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Options of a kind together in groups of at most `size`: their indices and where groups start and end.

    Kind 0 is left out.
    """
    order = np.argsort(kinds, kind="stable")
    order = order[np.searchsorted(kinds[order], 1) :]
    ordered = kinds[order]
    places = np.arange(order.size)
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if order.size else places
    within = places - np.repeat(first, np.diff(np.append(first, order.size)))
    starts = np.append(places[within % size == 0], order.size)
    return order.astype(np.intp), starts.astype(np.intp)


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
    """Price, to about 1e-6 of the spot ("fast") or 2e-7 ("precise"); never below intrinsic.

    That is for dividends of up to half the spot and vol √expiry up to 1; beyond, the error grows. NaN where
    it may exceed 1e-4 of the larger of spot and strike: for calls over dividends above σ√T = 2 ("fast") or
    2.5 ("precise"), with two exercise boundaries and no dividends above 12, for all others above 5 or 10.
    Without dividends never below the European price.

    `carry_yield` is a continuous yield (or borrow cost) on top of the cash dividends, which are the same for
    all elements. NaN where an input is not finite, spot or strike is not positive, or vol or expiry is
    negative.
    """
    chain, b = _chain(
        *(accuracy, dividends, is_call, "vol"),
        spot=spot,
        strike=strike,
        expiry=expiry,
        rate=rate,
        carry_yield=carry_yield,
        vol=vol,
    )
    out, kinds = np.empty((1, b.size)), np.empty(b.size, dtype=np.uint64)
    _american_grid.kinds(chain, out, kinds)
    _american_grid.price(chain, *_groups(kinds, _american_grid.group), out, thread_count(threads))
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
    dividends: Dividends | None = None,
    accuracy: Accuracy = "fast",
    threads: int = 1,
) -> Greeks:
    """Price and eight Greeks with respect to the spot; `rho` holds the carry yield and the cash amounts.

    `theta` and `charm` are of the calendar, which brings the dividends nearer, too. Where immediate exercise
    is optimal the option is the intrinsic value: delta ±1, the others zero.
    """
    chain, b = _chain(
        *(accuracy, dividends, is_call, "vol"),
        spot=spot,
        strike=strike,
        expiry=expiry,
        rate=rate,
        carry_yield=carry_yield,
        vol=vol,
    )
    rows, kinds = np.empty((9, b.size)), np.empty(b.size, dtype=np.uint64)
    _american_grid.kinds(chain, rows, kinds)
    groups = _groups(kinds, _american_grid.greeks_group)
    _american_grid.greeks(chain, *groups, rows, thread_count(threads))
    return Greeks.of_rows(rows.reshape(9, *b.shape))


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

    BELOW_INTRINSIC also where the price is no more than exercise (now or later) is worth without volatility.
    OUT_OF_DOMAIN where it takes a volatility at which `price` is NaN.
    A dividend that may take the whole price makes a put's value fall with volatility: then it need not be the
    only one.
    """
    chain, b = _chain(
        *(accuracy, dividends, is_call, "price"),
        spot=spot,
        strike=strike,
        expiry=expiry,
        rate=rate,
        carry_yield=carry_yield,
        price=price,
    )
    vol, status = np.empty(b.size), np.empty(b.size, dtype=np.int32)
    kinds = np.empty(b.size, dtype=np.uint64)
    _american_grid.vol_kinds(chain, vol, status, kinds)
    groups = _groups(kinds, _american_grid.vol_group_size)
    _american_grid.implied_vol(chain, *groups, vol, status, thread_count(threads))
    return ImpliedVols(vol.reshape(b.shape), status.reshape(b.shape))
