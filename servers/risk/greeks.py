"""Values and Greeks of options on a surface, and of positions in currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.cyext import black, sabr
from skewline.servers.risk.option import Option
from skewline.servers.risk.surface_view import SurfaceView, Terms
from skewline.v1 import risk_pb2

Doubles = npt.NDArray[np.float64]

NAMES: Final = ("delta", "gamma", "vega", "theta", "rho", "vanna", "volga", "charm", "market_value")
"""Rows of a Greeks array, in the order of the fields of `v1.Greeks`."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Parallel arrays over options that the model can price."""

    is_call: npt.NDArray[np.bool_]
    forward: Doubles
    strike: Doubles
    years: Doubles
    discount: Doubles
    vol: Doubles

    @classmethod
    def of(cls, terms: Sequence[Terms]) -> Columns:
        """From what the surface says of each option; the vol is SABR's at the option's strike."""
        forward = np.array([t.forward for t in terms])
        strike = np.array([t.option.strike for t in terms])
        years = np.array([t.years for t in terms])
        fits = np.array([(t.sabr.alpha, t.sabr.beta, t.sabr.rho, t.sabr.nu) for t in terms]).reshape(-1, 4)
        return cls(
            is_call=np.array([t.option.is_call for t in terms], dtype=np.bool_),
            forward=forward,
            strike=strike,
            years=years,
            discount=np.array([t.discount for t in terms]),
            vol=sabr.implied_vol(forward, strike, years, *fits.T),
        )


@dataclass(frozen=True, slots=True)
class Valuation:
    """Values of some options of one underlying.

    `rows` is (9, n): the Greeks per unit of underlying of each option, as `NAMES`, NaN where it has no price;
    expired options are worth their intrinsic value and have no Greeks. `columns` and `live` are the options
    (by index) that a scenario revalues.
    """

    rows: Doubles
    columns: Columns
    live: npt.NDArray[np.intp]

    @property
    def priced(self) -> npt.NDArray[np.bool_]:
        """Which options have a value."""
        priced: npt.NDArray[np.bool_] = np.isfinite(self.rows[-1])
        return priced


def value(view: SurfaceView | None, options: Sequence[Option | None]) -> Valuation:
    """Value options of the view's underlying, one vectorised pass; NaN for None, all NaN without a view."""
    rows = np.full((len(NAMES), len(options)), np.nan)
    terms: list[Terms] = []
    live: list[int] = []
    for index, option in enumerate(options):
        if option is None or view is None:
            continue
        if view.expiry_ns(option) <= view.time_ns:
            rows[:, index] = _expired(option, view.spot)
            continue
        found = view.terms(option)
        if found is not None:
            terms.append(found)
            live.append(index)
    columns = Columns.of(terms)
    where = np.array(live, dtype=np.intp)
    if view is not None and terms:
        rows[:, where] = _greeks(columns, view.spot)
    good = np.isfinite(rows[-1, where])
    return Valuation(rows, _take(columns, good), where[good])


def in_currency(valuation: Valuation, weights: Doubles) -> Doubles:
    """The nine Greeks of a set of positions, currency units; `weights` is quantity times multiplier.

    What has no price is left out: count it with `Valuation.priced`.
    """
    priced = valuation.priced
    total: Doubles = (valuation.rows[:, priced] * weights[priced]).sum(axis=1)
    return total


def message(rows: Doubles) -> risk_pb2.Greeks:
    """A Greeks array of nine as the contract's message."""
    return risk_pb2.Greeks(**dict(zip(NAMES, rows.tolist(), strict=True)))


def _greeks(columns: Columns, spot: float) -> Doubles:
    c = columns
    g = black.greeks(c.is_call, c.forward, c.strike, c.years, c.discount, c.vol)
    s = black.spot_greeks(g, spot, c.forward, c.years)
    return np.array([s.delta, s.gamma, s.vega, s.theta, s.rho, s.vanna, s.volga, s.charm, s.price])


def _expired(option: Option, spot: float) -> Doubles:
    row = np.zeros(len(NAMES))
    row[-1] = option.intrinsic(spot)
    return row


def _take(c: Columns, good: npt.NDArray[np.bool_]) -> Columns:
    if good.all():
        return c
    return Columns(
        c.is_call[good], c.forward[good], c.strike[good], c.years[good], c.discount[good], c.vol[good]
    )
