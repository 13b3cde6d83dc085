"""The Greeks of a batch of options, and the one place where forward Greeks become spot Greeks."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from skewline.cyext.arguments import Doubles, doubles

_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Greeks:
    """Price and eight sensitivities, arrays of one shape.

    `delta` per 1 of underlying, `gamma` per 1², `vega` per 1.00 of vol, `theta` per calendar day, `rho` per
    1.00 of rate, `vanna` ∂²V/∂S∂σ, `volga` ∂²V/∂σ², `charm` ∂delta/∂t per calendar day.
    """

    price: Doubles
    delta: Doubles
    gamma: Doubles
    vega: Doubles
    theta: Doubles
    rho: Doubles
    vanna: Doubles
    volga: Doubles
    charm: Doubles

    @classmethod
    def of_rows(cls, rows: Doubles) -> Greeks:
        """From an array whose nine leading rows are in the order of the fields."""
        return cls(*rows)

    def rows(self) -> Doubles:
        """The array of `of_rows`."""
        return np.stack([getattr(self, field.name) for field in fields(self)])


def spot_greeks(greeks: Greeks, spot: ArrayLike, forward: ArrayLike, expiry: ArrayLike) -> Greeks:
    """Greeks per unit of `spot` from Greeks per unit of `forward`.

    The carry b = ln(F/S)/T is held constant as time passes; a change of the rate moves the forward (F = S
    e^{(r-q)T}), so `rho` is the total sensitivity at a constant dividend yield.
    """
    s, f, t = doubles("spot", spot), doubles("forward", forward), doubles("expiry", expiry)
    with np.errstate(all="ignore"):  # rubbish overflows; that is no news to whoever asks
        growth = f / s
        carry = np.where(t > 0.0, np.log(growth) / np.where(t > 0.0, t, 1.0), 0.0)
        return Greeks(
            price=greeks.price,
            delta=greeks.delta * growth,
            gamma=greeks.gamma * growth**2,
            vega=greeks.vega,
            theta=greeks.theta - carry * f * greeks.delta / _DAYS,
            rho=greeks.rho + t * f * greeks.delta,
            vanna=greeks.vanna * growth,
            volga=greeks.volga,
            charm=growth * (greeks.charm - carry * (greeks.delta + f * greeks.gamma) / _DAYS),
        )
