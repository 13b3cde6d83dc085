"""Rules that set single contracts aside; the rest of the snapshot goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.servers.marketdata.chain_columns import Doubles
from skewline.servers.marketdata.validation.arbitrage_bounds import outside_arbitrage_bounds
from skewline.servers.marketdata.validation.contracts import Contracts, Mask
from skewline.servers.marketdata.validation.outlier import outlying

# Only what no quote in order can be: half or one and a half times the bound.
_GROSSLY_ABOVE: Final = 1.5
_GROSSLY_BELOW: Final = 0.5
_DEEP: Final = 0.1
# Far above any price, strike or size there is, far below what exact decimals hold.
_MOST: Final = 1e12


@dataclass(frozen=True, slots=True)
class ContractRule:
    """Sets aside, under a stable reason, the contracts for which `broken` is true."""

    reason: str
    meaning: str
    broken: Callable[[Contracts], Mask]


@dataclass(frozen=True, slots=True)
class SetAside:
    """Contracts that go for one reason: their places among the contracts judged."""

    reason: str
    places: npt.NDArray[np.intp]


def set_aside(contracts: Contracts) -> tuple[Mask, list[SetAside]]:
    """Which contracts stay, and which go, each under the first reason that applies to it."""
    keep = np.ones(contracts.columns.strike.size, dtype=np.bool_)
    gone = []
    for rule in CONTRACT_RULES:
        with np.errstate(invalid="ignore", over="ignore"):
            broken = rule.broken(contracts) & keep
        if broken.any():
            gone.append(SetAside(rule.reason, np.flatnonzero(broken)))
            keep &= ~broken
    return keep, gone


def _non_finite(c: Contracts) -> Mask:
    columns = c.columns
    finite = np.isfinite(columns.strike) & np.isfinite(columns.bid) & np.isfinite(columns.ask)
    for size in _sizes(c):
        finite &= np.isfinite(size)
    return ~finite


def _negative_price(c: Contracts) -> Mask:
    return (c.columns.bid < 0) | (c.columns.ask < 0)


def _negative_size(c: Contracts) -> Mask:
    broken = np.zeros(c.columns.strike.size, dtype=np.bool_)
    for size in _sizes(c):
        broken |= size < 0
    return broken


def _sizes(c: Contracts) -> list[Doubles]:
    return [c.columns.more[name] for name in ("bid_size", "ask_size") if name in c.columns.more]


def _too_large(c: Contracts) -> Mask:
    columns = c.columns
    broken = np.zeros(columns.strike.size, dtype=np.bool_)
    for values in (columns.strike, columns.bid, columns.ask, *_sizes(c)):
        broken |= values > _MOST
    return broken


def _bad_strike(c: Contracts) -> Mask:
    return ~(c.columns.strike > 0)


def _expired(c: Contracts) -> Mask:
    return c.expiry_ns <= c.time_ns


def _duplicate(c: Contracts) -> Mask:
    columns = c.columns
    index, strike, call = columns.expiry_index, columns.strike, columns.is_call
    repeats = np.zeros(strike.size, dtype=np.bool_)
    repeats[1:] = (index[1:] == index[:-1]) & (strike[1:] == strike[:-1]) & (call[1:] == call[:-1])
    return repeats


def _no_quote(c: Contracts) -> Mask:
    broken: Mask = (c.columns.bid == 0) & (c.columns.ask == 0)
    return broken


def _crossed(c: Contracts) -> Mask:
    broken: Mask = (c.columns.ask > 0) & (c.columns.bid > c.columns.ask)
    return broken


def _outside_bounds(c: Contracts) -> Mask:
    columns = c.columns
    most = np.where(columns.is_call, c.spot, columns.strike) * _GROSSLY_ABOVE
    broken = columns.bid > most
    if c.american:
        # A European one may well be worth less than it would pay now.
        gain = np.where(columns.is_call, c.spot - columns.strike, columns.strike - c.spot)
        offered = columns.ask > 0
        broken |= offered & (gain > _DEEP * c.spot) & (columns.ask < _GROSSLY_BELOW * gain)
    return broken


def _stale_expiry(c: Contracts) -> Mask:
    broken: Mask = c.standstill.still[c.columns.expiry_index]
    return broken


CONTRACT_RULES: Final = (
    ContractRule("NON_FINITE", "strike, bid, ask or a size is NaN or infinite", _non_finite),
    ContractRule("NEGATIVE_PRICE", "bid or ask is below zero", _negative_price),
    ContractRule("NEGATIVE_SIZE", "a size is below zero", _negative_size),
    ContractRule("TOO_LARGE", "strike, bid, ask or a size is above 1e12", _too_large),
    ContractRule("BAD_STRIKE", "the strike is not above zero", _bad_strike),
    ContractRule("EXPIRED", "the expiry instant is not after the snapshot", _expired),
    ContractRule(
        "DUPLICATE_CONTRACT", "expiry, strike and right occurred before in the snapshot", _duplicate
    ),
    ContractRule("NO_QUOTE", "neither bid nor ask", _no_quote),
    ContractRule("CROSSED", "the bid is above the ask", _crossed),
    ContractRule("OUTSIDE_BOUNDS", "the price is grossly outside what arbitrage allows", _outside_bounds),
    ContractRule(
        "ARBITRAGE_BOUNDS",
        "bid above, or ask below, the discounted bounds for any plausible rate and dividend",
        outside_arbitrage_bounds,
    ),
    ContractRule(
        "STALE_EXPIRY",
        "the spot moved further than the expiry's quotes are wide, and near the money none of them changed",
        _stale_expiry,
    ),
    ContractRule(
        "OUTLIER",
        "the quotes of the contract are far from its last ones, those of its neighbours are not",
        outlying,
    ),
)
"""Every rule, in the order in which they are applied."""
