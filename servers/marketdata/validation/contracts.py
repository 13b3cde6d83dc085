"""A snapshot's contracts as the rules see them, beside those of the last accepted snapshot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from skewline.servers.marketdata import contract_terms
from skewline.servers.marketdata.chain_columns import Columns, Doubles
from skewline.v1 import chain_pb2, instrument_pb2

Mask = npt.NDArray[np.bool_]

_MOST_MILLS: Final = 2**40
_NANOS_A_YEAR: Final = 365.25 * 86_400e9


@dataclass(frozen=True, slots=True)
class Accepted:
    """The last accepted snapshot of an underlying: the clean chain, and its columns as arrays."""

    chain: chain_pb2.OptionChain
    columns: Columns


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the last accepted snapshot said of the same contracts; NaN where it did not have one."""

    spot: float
    bid: Doubles
    ask: Doubles


@dataclass(frozen=True, slots=True)
class Standstill:
    """By expiry: whether its quotes can be held against the spot's move, and whether they stood still."""

    judged: Mask
    still: Mask


@dataclass(frozen=True, slots=True)
class Contracts:
    """Contracts in the contract's order; `spot` is NaN if unknown, `forward` and `discount` 0 if not stated.

    `years` until expiry, `forward` and `discount` are by expiry.
    """

    columns: Columns
    expiry_ns: npt.NDArray[np.int64]
    time_ns: int
    spot: float
    american: bool
    spot_carried: bool
    """Whether forwards are the spot and its carry, as they are not for VIX."""
    years: Doubles
    forward: Doubles
    discount: Doubles
    earlier: Earlier | None
    standstill: Standstill

    @property
    def both_sided(self) -> Mask:
        """Where there is a bid and an ask above it, or the same."""
        return both_sided(self.columns.bid, self.columns.ask)


def both_sided(bid: Doubles, ask: Doubles) -> Mask:
    """Where there is a bid and an ask above it, or the same; false at NaN."""
    sound: Mask = (bid > 0) & (ask >= bid) & np.isfinite(ask)
    return sound


def contracts_of(
    chain: chain_pb2.OptionChain,
    expiries: Sequence[chain_pb2.ChainExpiry],
    columns: Columns,
    last: Accepted | None,
) -> Contracts:
    """The contracts of `chain`: its `columns` in the contract's order, which point into `expiries`."""
    instants = np.array([expiry.expiry_ns for expiry in expiries], dtype=np.int64)
    spot = chain.spot if math.isfinite(chain.spot) else math.nan
    earlier = None if last is None else _earlier(expiries, columns, last)
    with np.errstate(invalid="ignore", over="ignore"):
        standstill = _standstill(columns, spot, earlier, len(expiries))
    return Contracts(
        columns=columns,
        expiry_ns=instants[columns.expiry_index],
        time_ns=chain.time_ns,
        spot=spot,
        american=chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN,
        spot_carried=contract_terms.spot_is_carried(chain.underlying),
        years=np.maximum(instants - chain.time_ns, 0) / _NANOS_A_YEAR,
        forward=np.array([expiry.forward for expiry in expiries]),
        discount=np.array([expiry.discount for expiry in expiries]),
        earlier=earlier,
        standstill=standstill,
    )


def _earlier(expiries: Sequence[chain_pb2.ChainExpiry], columns: Columns, last: Accepted) -> Earlier:
    before = last.columns
    if not before.strike.size:
        unknown = np.full(columns.strike.size, np.nan)
        return Earlier(last.chain.spot, unknown, unknown)
    known = {(expiry.root, expiry.expiry_date): place for place, expiry in enumerate(last.chain.expiries)}
    moved = np.array([known.get((each.root, each.expiry_date), -1) for each in expiries], dtype=np.int64)
    index = moved[columns.expiry_index]
    if (
        np.array_equal(index, before.expiry_index)
        and np.array_equal(columns.strike, before.strike)
        and np.array_equal(columns.is_call, before.is_call)
    ):
        return Earlier(last.chain.spot, before.bid, before.ask)
    keys = _keys(before.expiry_index, before.strike, before.is_call)
    place = np.minimum(np.searchsorted(keys, _keys(index, columns.strike, columns.is_call)), keys.size - 1)
    same = (
        (before.strike[place] == columns.strike)
        & (before.is_call[place] == columns.is_call)
        & (before.expiry_index[place] == index)
    )
    return Earlier(
        last.chain.spot,
        np.where(same, before.bid[place], np.nan),
        np.where(same, before.ask[place], np.nan),
    )


def _keys(index: npt.NDArray[np.int64], strike: Doubles, is_call: Mask) -> npt.NDArray[np.int64]:
    """Ascending where the contracts are in order, by strikes in thousandths; not all of them differ."""
    mills = np.clip(np.nan_to_num(strike) * 1000.0, 0.0, _MOST_MILLS).astype(np.int64)
    return (index * (_MOST_MILLS + 1) + mills) * 2 + ~is_call


# How far from the spot quotes must follow it, as a fraction of it.
_NEAR: Final = 0.05
_FEWEST_PAIRS: Final = 2
# Prices of trades jump between bid and ask of the underlying.
_LEAST_MOVE: Final = 0.001


def _standstill(columns: Columns, spot: float, earlier: Earlier | None, expiries: int) -> Standstill:
    """By parity, a call and a put of one strike that both stand still imply the same forward as before.

    They do so to within the width of their quotes. If the spot moved further than that, in each pair near
    the money, then the quotes of the expiry are of another time than the spot.
    """
    judged, still = np.zeros(expiries, dtype=np.bool_), np.zeros(expiries, dtype=np.bool_)
    if earlier is None or not (move := abs(spot - earlier.spot)) > _LEAST_MOVE * spot:
        return Standstill(judged, still)
    index, strike, call = columns.expiry_index, columns.strike, columns.is_call
    sound = both_sided(columns.bid, columns.ask) & both_sided(earlier.bid, earlier.ask)
    sound &= np.abs(strike - spot) <= _NEAR * spot
    calls = np.flatnonzero(
        call[:-1]
        & ~call[1:]
        & (index[:-1] == index[1:])
        & (strike[:-1] == strike[1:])
        & sound[:-1]
        & sound[1:]
    )
    width = columns.ask - columns.bid
    pair_width = width[calls] + width[calls + 1]
    stood = (columns.bid == earlier.bid) & (columns.ask == earlier.ask)
    pair_stood = stood[calls] & stood[calls + 1]
    # Narrowest first within each expiry: the one in the middle is the median.
    by_width = calls[np.lexsort((pair_width, index[calls]))]
    count = np.bincount(index[calls], minlength=expiries)
    told = np.flatnonzero(count >= _FEWEST_PAIRS)
    middle = by_width[(np.cumsum(count) - count + count // 2)[told]]
    judged[told] = move > width[middle] + width[middle + 1]
    still[:] = judged & (np.bincount(index[calls][~pair_stood], minlength=expiries) == 0)
    return Standstill(judged, still)
