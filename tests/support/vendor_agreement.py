"""How near forwards and vols of a fit are to what is quoted, and to what the quotes' vendor says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from skewline.servers.calibration.contracts import Contracts
from skewline.servers.calibration.forwards import Forward
from skewline.v1 import chain_pb2, surface_pb2

_NEAR = 0.01  # Of the forward: pairs at the money.


def forwards_within(contracts: Contracts, forwards: Sequence[Forward]) -> tuple[int, int]:
    """Pairs at the money whose own forward is as near as half of their spreads, and all such pairs."""
    row = np.flatnonzero(contracts.usable)
    calls, puts = row[:-1], row[1:]
    paired = contracts.is_call[calls] & ~contracts.is_call[puts]
    paired &= contracts.strike[calls] == contracts.strike[puts]
    paired &= contracts.expiry[calls] == contracts.expiry[puts]
    calls, puts = calls[paired], puts[paired]
    level = np.array([each.forward for each in forwards])[contracts.expiry[calls]]
    discount = np.array([each.discount for each in forwards])[contracts.expiry[calls]]
    near = (level > 0.0) & (np.abs(contracts.strike[calls] / level - 1.0) < _NEAR)
    calls, puts, level, discount = calls[near], puts[near], level[near], discount[near]
    own = contracts.mid[calls] - contracts.mid[puts] - discount * (level - contracts.strike[calls])
    spread = contracts.ask - contracts.bid
    return int(np.count_nonzero(np.abs(own) <= 0.5 * (spread[calls] + spread[puts]))), calls.size


@dataclass(frozen=True, slots=True)
class VendorVols:
    """Medians, vol fractions.

    `off` is the distance of our mid vols from the vendor's. `apart` is that of his own call's and put's vols
    of a strike, which are one where his forward is the quotes'; `free_of_forward` is our distance from both
    together, each by the other's delta, in which a forward that is off cancels to first order.
    """

    off: float
    apart: float
    free_of_forward: float


def vendor_vols(chain: chain_pb2.OptionChain, surface: surface_pb2.VolSurface) -> VendorVols:
    """Over all quotes in the columns of `surface` for which the vendor of `chain` says a vol."""
    vendor = {
        (chain.expiries[index].expiry_ns, strike, is_call): vol
        for index, strike, is_call, vol in zip(
            chain.expiry_index, chain.strike, chain.is_call, chain.vendor_iv, strict=True
        )
        if vol > 0.0
    }
    rows = np.array(
        [
            (
                *(vol, vendor[place, strike, is_call], vendor.get((place, strike, not is_call), np.nan)),
                *(is_call, each.forward / strike, each.years),
            )
            for each in surface.slices
            for place in (each.expiry_ns,)
            for strike, is_call, vol in zip(each.strike, each.is_call, each.mid_iv, strict=True)
            if (place, strike, is_call) in vendor
        ]
    )
    vol, own, other, is_call, ratio, years = rows.T
    deviation = vol * np.sqrt(years)
    delta = ndtr(np.log(ratio) / deviation + 0.5 * deviation)
    call, put = np.where(is_call > 0.0, own, other), np.where(is_call > 0.0, other, own)
    free = np.abs(vol - (1.0 - delta) * call - delta * put)
    return VendorVols(
        float(np.median(np.abs(vol - own))),
        float(np.nanmedian(np.abs(call - put))),
        float(np.nanmedian(free)),
    )
