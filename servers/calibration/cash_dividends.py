"""Cash dividends that an underlying will pay, and European prices where it does.

The spot falls by the amount on the ex-date: the model of `skewline.cyext.american_dividends`. European prices
in it are M. Bos & S. Vandermark's, Finessing fixed dividends (Risk, September 2002): each dividend is taken
partly off the spot, partly added to the strike, by how near it is. Put-call parity holds to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from skewline.cyext import american_dividends, black
from skewline.servers.calibration.contracts import Doubles, Flags
from skewline.servers.runtime.corporate_actions import CASH_DIVIDEND
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.v1 import chain_pb2, surface_pb2

_STEPS: Final = 20
# A part of the price that a dividend may not exceed: beyond, what is stated is no dividend of this spot.
_MOST_OF_SPOT: Final = 0.5


@dataclass(frozen=True, slots=True)
class CashDividends:
    """Amounts per unit of underlying and when they go ex, in years from the chain; times ascend."""

    times: Doubles
    amounts: Doubles

    @classmethod
    def of(cls, stated: chain_pb2.OptionChain | surface_pb2.VolSurface, last_ns: int) -> CashDividends:
        """Those until `last_ns` that a chain or its surface states in its own currency.

        None where they make no sense together, or the spot that pays them is unknown.
        """
        ahead = sorted(
            (action.effective_ns, action.amount.units + 1e-9 * action.amount.nanos)
            for action in stated.corporate_actions
            if action.kind == CASH_DIVIDEND
            and stated.time_ns < action.effective_ns < last_ns
            and action.currency == stated.currency
        )
        times = np.array([(at - stated.time_ns) / YEAR_NS for at, _ in ahead])
        amounts = np.array([amount for _, amount in ahead])
        sound = bool((amounts > 0.0).all()) and amounts.sum() < _MOST_OF_SPOT * stated.spot
        sound = sound and times.size <= american_dividends.MOST_DIVIDENDS
        return cls(times, amounts) if sound else NO_DIVIDENDS

    def until(self, years: float) -> float:
        """What is paid before an expiry, undiscounted."""
        return float(self.amounts[self.times < years].sum())

    def growth(self, spot: float, forward: float, years: float) -> float:
        """The rate b at which the spot grows between dividends, F = S exp(bT) - Σ D exp(b(T - t)); NaN: none.

        Newton's method from the rate without dividends; what is paid is far less than the spot.
        """
        left = years - self.times[self.times < years]
        paid = self.amounts[: left.size]
        b: float = math.log(forward / spot) / years
        for _ in range(_STEPS):
            grown, lost = spot * math.exp(b * years), paid * np.exp(b * left)
            step = (grown - float(lost.sum()) - forward) / (grown * years - float((lost * left).sum()))
            b -= step
            if abs(step) < 1e-13:
                return b
        return math.nan

    def european_terms(
        self, spot: float, strike: Doubles, years: float, growth: float
    ) -> tuple[float, Doubles]:
        """Forward and strikes at which Black's formula has the dividends in it, at the spot's own vol."""
        times = self.times[self.times < years]
        value = self.amounts[: times.size] * np.exp(-growth * times)
        grown, far = math.exp(growth * years), times / years
        return (spot - float((value * (1.0 - far)).sum())) * grown, strike + float(
            (value * far).sum()
        ) * grown

    def own_vols(self, vol: Doubles, spot: float, strike: Doubles, years: float, forward: float) -> Doubles:
        """The spot's own vols at which European prices are those of Black `vol` on `forward`; one expiry."""
        growth = self.growth(spot, forward, years)
        price = black.price(True, forward, strike, years, 1.0, vol)
        own_forward, own_strike = self.european_terms(spot, strike, years, growth)
        return black.implied_vol(True, price, own_forward, own_strike, years, 1.0)

    def european_vols(
        self,
        is_call: Flags,
        price: Doubles,
        spot: float,
        strike: Doubles,
        years: float,
        forward: float,
        discount: float,
        *,
        threads: int = 1,
    ) -> Doubles:
        """Black vols on `forward` of what American `price` would be without early exercise; one expiry.

        NaN where the price has none.
        """
        rate = -math.log(discount) / years
        growth = self.growth(spot, forward, years)
        vols = american_dividends.implied_vol_with_status(
            *(is_call, price, spot, strike, years, rate, rate - growth),
            dividends=american_dividends.Dividends(self.times, self.amounts),
            threads=threads,
        ).vol
        own_forward, own_strike = self.european_terms(spot, strike, years, growth)
        european = black.price(is_call, own_forward, own_strike, years, discount, vols)
        return black.implied_vol(is_call, european, forward, strike, years, discount)


NO_DIVIDENDS: Final = CashDividends(np.empty(0), np.empty(0))
