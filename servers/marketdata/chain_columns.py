"""Builds the columnar chain message from arrays, in the contract's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from skewline.servers.marketdata import contract_terms
from skewline.servers.runtime import new_york
from skewline.servers.runtime.decimals import from_decimal
from skewline.servers.runtime.messages import extend_packed
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
REQUIRED_COLUMNS = ("expiry_index", "strike", "is_call", "bid", "ask")
OPTIONAL_COLUMNS = ("bid_size", "ask_size", "volume", "open_interest", "vendor_iv")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a chain says once for all its contracts."""

    underlying: str
    time_ns: int
    source: str
    provenance: common_pb2.Provenance.ValueType
    spot: float
    exercise: instrument_pb2.ExerciseStyle.ValueType
    multiplier: Decimal = contract_terms.EQUITY_OPTION_MULTIPLIER
    currency: str = contract_terms.CURRENCY


@dataclass(frozen=True, slots=True)
class Columns:
    """Contracts as parallel arrays; `expiry_index` points into expiries, `more` holds optional columns."""

    expiry_index: npt.NDArray[np.int64]
    strike: Doubles
    is_call: npt.NDArray[np.bool_]
    bid: Doubles
    ask: Doubles
    more: Mapping[str, Doubles] = field(default_factory=dict)
    symbol: Sequence[str] = ()


def listed_expiry(root: str, listed: date) -> chain_pb2.ChainExpiry:
    """The expiry of a listed US option root."""
    settlement = contract_terms.settlement_of(root)
    return chain_pb2.ChainExpiry(
        root=root,
        expiry_date=listed.isoformat(),
        expiry_ns=new_york.expiry_ns(listed, settlement),
        settlement=settlement,
    )


def build_chain(
    heading: Heading, expiries: Sequence[chain_pb2.ChainExpiry], columns: Columns
) -> chain_pb2.OptionChain:
    """The chain: expiries ascending by (expiry_ns, root), contracts by expiry, strike, call before put."""
    by_time = sorted(range(len(expiries)), key=lambda i: (expiries[i].expiry_ns, expiries[i].root))
    rank = np.empty(len(expiries), dtype=np.int64)
    rank[by_time] = np.arange(len(expiries))
    ranked = replace(
        columns, expiry_index=rank[columns.expiry_index] if len(expiries) else columns.expiry_index
    )
    chain = chain_pb2.OptionChain(
        underlying=heading.underlying,
        time_ns=heading.time_ns,
        source=heading.source,
        provenance=heading.provenance,
        spot=heading.spot,
        exercise=heading.exercise,
        multiplier=from_decimal(heading.multiplier),
        currency=heading.currency,
        expiries=[expiries[i] for i in by_time],
    )
    add_columns(chain, in_order(ranked))
    return chain


def in_order(columns: Columns) -> Columns:
    """The contracts in the contract's order: by expiry, strike, call before put; stable."""
    index, strike, put = columns.expiry_index, columns.strike, ~columns.is_call
    later = index[1:] > index[:-1]
    same = index[1:] == index[:-1]
    higher = later | (same & (strike[1:] > strike[:-1]))
    # Most come in order, which is seen much sooner than sorted.
    if (higher | (same & (strike[1:] == strike[:-1]) & (put[1:] >= put[:-1]))).all():
        return columns
    return taken(columns, np.lexsort((put, strike, index)))


def taken(columns: Columns, places: Places) -> Columns:
    """The contracts at `places`, in that order."""
    required = {name: getattr(columns, name)[places] for name in REQUIRED_COLUMNS}
    more = {name: values[places] for name, values in columns.more.items()}
    symbol = [columns.symbol[i] for i in places.tolist()] if columns.symbol else ()
    return Columns(**required, more=more, symbol=symbol)


def add_columns(chain: chain_pb2.OptionChain, columns: Columns) -> None:
    """Append the contracts of `columns` to `chain`."""
    for name in REQUIRED_COLUMNS:
        extend_packed(chain, name, getattr(columns, name))
    for name, values in columns.more.items():
        extend_packed(chain, name, values)
    if columns.symbol:
        chain.symbol.extend(columns.symbol)


def columns_of(chain: chain_pb2.OptionChain) -> Columns:
    """The chain's columns as arrays; empty optional columns are left out."""
    return Columns(
        expiry_index=np.asarray(chain.expiry_index, dtype=np.int64),
        strike=np.asarray(chain.strike, dtype=np.float64),
        is_call=np.asarray(chain.is_call, dtype=np.bool_),
        bid=np.asarray(chain.bid, dtype=np.float64),
        ask=np.asarray(chain.ask, dtype=np.float64),
        more={
            name: np.asarray(getattr(chain, name), dtype=np.float64)
            for name in OPTIONAL_COLUMNS
            if len(getattr(chain, name))
        },
        symbol=chain.symbol,
    )
