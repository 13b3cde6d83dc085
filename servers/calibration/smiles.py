"""The implied vols of a chain: one smile an expiry, of its out-of-the-money quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from skewline.cyext import black
from skewline.servers.calibration.american_style import european_prices
from skewline.servers.calibration.cash_dividends import NO_DIVIDENDS, CashDividends
from skewline.servers.calibration.contracts import Contracts, Doubles, Flags, Indices
from skewline.servers.calibration.forwards import Forward
from skewline.servers.runtime.settings.calibration import CalibrationSettings

_WIDEST_VOL: Final = 5.0


@dataclass(frozen=True, slots=True)
class Smiles:
    """Parallel columns, one element a quote, by expiry and strike; smile i is [offsets[i], offsets[i + 1]).

    `row` points into the contracts. Vols are those of bid, ask and mid, annualised fractions; the bid's is
    NaN where its price is below the intrinsic value.
    """

    offsets: Indices
    row: Indices
    expiry: Indices
    strike: Doubles
    forward: Doubles
    discount: Doubles
    years: Doubles
    is_call: Flags
    bid_iv: Doubles
    ask_iv: Doubles
    mid_iv: Doubles

    def kept(self, flags: Flags) -> Smiles:
        """The quotes that are flagged, in the same expiries."""
        columns = {
            name: getattr(self, name)[flags]
            for name in ("row", "expiry", "strike", "forward", "discount", "years", "is_call")
        }
        vols = {name: getattr(self, name)[flags] for name in ("bid_iv", "ask_iv", "mid_iv")}
        offsets = np.concatenate(([0], np.cumsum(flags)))[self.offsets]
        return replace(self, offsets=offsets, **columns, **vols)

    @property
    def vol_spread(self) -> Doubles:
        """Vol of the ask less vol of the bid; where the bid has none, the mid's vol stands for it."""
        return np.where(np.isfinite(self.bid_iv), self.ask_iv - self.bid_iv, self.mid_iv)


def smiles_of(
    contracts: Contracts,
    forwards: Sequence[Forward],
    settings: CalibrationSettings,
    american_spot: Doubles | None = None,
    dividends: CashDividends = NO_DIVIDENDS,
) -> tuple[Smiles, dict[str, int]]:
    """Usable quotes out of the money that have a vol, and the number of usable contracts without, by reason.

    With `american_spot`, one an expiry, the vols are those of American options on it, which pays `dividends`
    in cash; else of European ones.
    """
    forward = np.array([each.forward for each in forwards])
    discount = np.array([each.discount for each in forwards])
    known = forward > 0.0
    usable = contracts.usable
    has_forward = known[contracts.expiry] if contracts.expiry.size else usable
    level = forward[contracts.expiry] if contracts.expiry.size else np.empty(0)
    out_of_money = contracts.is_call == (contracts.strike >= level)
    chosen = usable & has_forward & out_of_money
    row = np.flatnonzero(chosen)
    expiry = contracts.expiry[row]
    priced = Smiles(
        offsets=np.searchsorted(expiry, np.arange(forward.size + 1)),
        row=row,
        expiry=expiry,
        strike=contracts.strike[row],
        forward=forward[expiry],
        discount=discount[expiry],
        years=contracts.years[expiry],
        is_call=contracts.is_call[row],
        **_vols(
            *(contracts, row, forward[expiry], discount[expiry]),
            american_spot[expiry] if american_spot is not None else None,
            dividends,
            settings.threads,
        ),
    )
    vols_exist = _vols_exist(priced)
    left_out = {
        "NO_FORWARD": int(np.count_nonzero(usable & ~has_forward)),
        "IN_THE_MONEY": int(np.count_nonzero(usable & has_forward & ~out_of_money)),
        "NO_IMPLIED_VOL": int(np.count_nonzero(~vols_exist)),
    }
    return priced.kept(vols_exist), left_out


def _vols(
    contracts: Contracts,
    row: Indices,
    forward: Doubles,
    discount: Doubles,
    american_spot: Doubles | None,
    dividends: CashDividends,
    threads: int,
) -> dict[str, Doubles]:
    prices = np.stack((contracts.bid[row], contracts.ask[row], contracts.mid[row]))
    is_call, strike = contracts.is_call[row], contracts.strike[row]
    years = contracts.years[contracts.expiry[row]]
    if american_spot is not None:
        # One early-exercise premium for all three: it changes little from bid to ask, and costs the time.
        european = european_prices(
            *(is_call, prices[2], american_spot, strike, years, forward, discount),
            dividends=dividends,
            threads=threads,
        )
        prices = prices + (european - prices[2])
    vols = black.implied_vol(is_call, prices, forward, strike, years, discount, threads=threads)
    bid, ask, mid = vols
    return {"bid_iv": bid, "ask_iv": ask, "mid_iv": mid}


def _vols_exist(smiles: Smiles) -> Flags:
    with np.errstate(invalid="ignore"):
        exists: Flags = np.isfinite(smiles.ask_iv) & (smiles.mid_iv > 0.0) & (smiles.ask_iv < _WIDEST_VOL)
    return exists


def near_the_money(smiles: Smiles, settings: CalibrationSettings) -> Smiles:
    """Those within the settings' standard deviations at the money: beyond, three parameters cannot follow."""
    log_moneyness = np.log(smiles.strike / smiles.forward)
    at_the_money = np.ones(smiles.strike.size)
    for start, stop in zip(smiles.offsets[:-1], smiles.offsets[1:], strict=True):
        if stop > start:
            nearest = start + np.argmin(np.abs(log_moneyness[start:stop]))
            at_the_money[start:stop] = smiles.mid_iv[nearest]
    deviations = log_moneyness / (at_the_money * np.sqrt(smiles.years))
    near: Flags = (deviations >= -settings.max_deviations_below) & (
        deviations <= settings.max_deviations_above
    )
    return smiles.kept(near)
