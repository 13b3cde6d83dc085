"""Whether American puts and calls of a strike say the same vol once early exercise is accounted for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skewline.servers.calibration.american_style import american_vols
from skewline.servers.calibration.contracts import contracts_of
from skewline.servers.calibration.forwards import forwards_of
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2


@dataclass(frozen=True, slots=True)
class Agreement:
    """One element a pair: whether the vol bands of bid and ask meet, and |call's mid vol - put's|."""

    meets: NDArray[np.bool_]
    difference: NDArray[np.float64]


def put_call_agreement(chain: chain_pb2.OptionChain, log_moneyness: float = 0.2) -> Agreement:
    """Of all pairs within |ln(K / F)| whose mids, bids and asks have a vol, with the fit's own forwards.

    A bid below the intrinsic value has none, and is met by any vol below the ask's.
    """
    settings = CalibrationSettings()
    contracts = contracts_of(chain, settings)
    forwards = forwards_of(contracts, chain.spot, True, settings)
    forward = np.array([each.forward for each in forwards])[contracts.expiry]
    discount = np.array([each.discount for each in forwards])[contracts.expiry]
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.abs(np.log(contracts.strike / forward)) <= log_moneyness
    at = contracts.usable & near & (forward > 0.0)
    calls = np.flatnonzero(at[:-1] & at[1:] & contracts.is_call[:-1] & ~contracts.is_call[1:])
    calls = calls[
        (contracts.strike[calls] == contracts.strike[calls + 1])
        & (contracts.expiry[calls] == contracts.expiry[calls + 1])
    ]
    row = np.stack((calls, calls + 1))

    def vols(price: NDArray[np.float64]) -> NDArray[np.float64]:
        return american_vols(
            contracts.is_call[row],
            price[row],
            chain.spot,
            contracts.strike[row],
            contracts.years[contracts.expiry[row]],
            forward[row],
            discount[row],
        )

    bid, mid, ask = vols(contracts.bid), vols(contracts.mid), vols(contracts.ask)
    told = np.isfinite(mid).all(axis=0) & np.isfinite(ask).all(axis=0)
    bid = np.where(np.isfinite(bid), bid, 0.0)[:, told]
    return Agreement(
        meets=bid.max(axis=0) <= ask[:, told].min(axis=0),
        difference=np.abs(mid[0, told] - mid[1, told]),
    )
