"""The contracts of a chain as arrays, and which of them have a quote that can be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.servers.runtime.corporate_actions import is_adjusted_root
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.servers.runtime.settings.calibration import CalibrationSettings
from skewline.v1 import chain_pb2

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

_HOUR_NS: Final = 3_600_000_000_000

# No market has numbers beyond these; squares of what lies within still are numbers.
LOWEST: Final = 1e-9
HIGHEST: Final = 1e12


def plausible(price: Doubles) -> Flags:
    """Whether something may be the price or strike of an underlying."""
    flags: Flags = (price >= LOWEST) & (price < HIGHEST)
    return flags


@dataclass(frozen=True, slots=True)
class Contracts:
    """Parallel columns, one element a contract, by expiry, strike, call before put.

    `position` is where in the chain the contract stands. `years` has one element an expiry (ACT/365F from
    instants). `reason` names why a contract cannot be used; `usable` are those without one, whose quotes are
    two-sided and within the settings' bounds. Optional columns that the chain lacks are empty.
    """

    position: Indices
    expiry: Indices
    strike: Doubles
    is_call: Flags
    bid: Doubles
    ask: Doubles
    bid_size: Doubles
    ask_size: Doubles
    open_interest: Doubles
    years: Doubles
    reason: npt.NDArray[np.str_]
    usable: Flags
    mid: Doubles


def contracts_of(chain: chain_pb2.OptionChain, settings: CalibrationSettings) -> Contracts:
    """Read `chain` and judge its quotes: the first rule that a contract breaks is its reason."""
    expiry = np.asarray(chain.expiry_index, dtype=np.int64)
    strike = np.asarray(chain.strike, dtype=np.float64)
    is_call = np.asarray(chain.is_call, dtype=np.bool_)
    order = np.lexsort((~is_call, strike, expiry))
    expiry, strike, is_call = expiry[order], strike[order], is_call[order]
    bid, ask = (np.asarray(column, dtype=np.float64)[order] for column in (chain.bid, chain.ask))
    nanoseconds = np.array([one.expiry_ns - chain.time_ns for one in chain.expiries], dtype=np.float64)
    adjusted = np.array([is_adjusted_root(one.root, chain.underlying) for one in chain.expiries], np.bool_)
    left = nanoseconds[expiry] if expiry.size else np.empty(0)
    repeated = np.zeros(strike.size, dtype=np.bool_)
    repeated[1:] = (np.diff(expiry) == 0) & (np.diff(strike) == 0.0) & (is_call[1:] == is_call[:-1])
    with np.errstate(invalid="ignore"):
        width = (ask - bid) / (0.5 * (bid + ask))
        rules = {
            "NON_FINITE": ~(np.isfinite(strike) & np.isfinite(bid) & np.isfinite(ask)),
            "OUT_OF_RANGE": ~(plausible(strike) & (np.abs(bid) < HIGHEST) & (np.abs(ask) < HIGHEST)),
            # What they deliver (other units, cash, two shares) has another forward, and no multiplier here.
            "ADJUSTED_CONTRACT": adjusted[expiry] if expiry.size else np.zeros(0, dtype=np.bool_),
            "EXPIRED": left <= 0.0,
            "EXPIRY_TOO_NEAR": left < settings.min_expiry_hours * _HOUR_NS,
            "REPEATED": repeated,
            "NO_BID": bid <= 0.0,
            "NO_ASK": ask <= 0.0,
            "CROSSED": ask < bid,
            "TOO_WIDE": width > settings.max_relative_spread,
        }
    reason = np.select(list(rules.values()), list(rules), default="")
    return Contracts(
        position=order,
        expiry=expiry,
        strike=strike,
        is_call=is_call,
        bid=bid,
        ask=ask,
        bid_size=_optional(chain.bid_size, order),
        ask_size=_optional(chain.ask_size, order),
        open_interest=_optional(chain.open_interest, order),
        years=nanoseconds / YEAR_NS,
        reason=reason,
        usable=reason == "",
        mid=0.5 * (bid + ask),
    )


def _optional(values: Iterable[float], order: Indices) -> Doubles:
    column = np.asarray(values, dtype=np.float64)
    return column[order] if column.size == order.size else np.empty(0)
