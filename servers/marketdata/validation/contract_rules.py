"""Rules that set single contracts aside; the rest of the snapshot goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.servers.marketdata.chain_columns import Columns, Doubles
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

Mask = npt.NDArray[np.bool_]

# Only what no quote in order can be: half or one and a half times the bound.
_GROSSLY_ABOVE: Final = 1.5
_GROSSLY_BELOW: Final = 0.5
_DEEP: Final = 0.1
# Far above any price, strike or size there is, far below what exact decimals hold.
_MOST: Final = 1e12


@dataclass(frozen=True, slots=True)
class Contracts:
    """A snapshot's contracts as the rules see them; `spot` is NaN if unknown."""

    columns: Columns
    expiry_ns: npt.NDArray[np.int64]
    time_ns: int
    spot: float
    american: bool


@dataclass(frozen=True, slots=True)
class ContractRule:
    """Sets aside, under a stable reason, the contracts for which `broken` is true."""

    reason: str
    meaning: str
    broken: Callable[[Contracts], Mask]


def contracts_of(chain: chain_pb2.OptionChain, columns: Columns) -> Contracts:
    """`chain` for the rules; its expiry_index must be in range."""
    instants = np.array([expiry.expiry_ns for expiry in chain.expiries], dtype=np.int64)
    return Contracts(
        columns=columns,
        expiry_ns=instants[columns.expiry_index],
        time_ns=chain.time_ns,
        spot=chain.spot,
        american=chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN,
    )


def set_aside(contracts: Contracts) -> tuple[Mask, list[common_pb2.ReasonCount]]:
    """Which contracts stay, and how many go, each under the first reason that applies to it."""
    keep = np.ones(contracts.columns.strike.size, dtype=np.bool_)
    counts = []
    for rule in CONTRACT_RULES:
        with np.errstate(invalid="ignore"):
            broken = rule.broken(contracts) & keep
        if number := int(np.count_nonzero(broken)):
            counts.append(common_pb2.ReasonCount(reason=rule.reason, count=number))
            keep &= ~broken
    return keep, counts


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
    order = np.lexsort((~columns.is_call, columns.strike, columns.expiry_index))
    index, strike, call = columns.expiry_index[order], columns.strike[order], columns.is_call[order]
    repeats = np.zeros(order.size, dtype=np.bool_)
    repeats[1:] = (index[1:] == index[:-1]) & (strike[1:] == strike[:-1]) & (call[1:] == call[:-1])
    broken = np.empty_like(repeats)
    broken[order] = repeats
    return broken


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
)
"""Every rule, in the order in which they are applied."""
