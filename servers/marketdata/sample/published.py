"""The published chains, and quotes made from them.

Published are strikes, forwards, discount factors and the implied vols of bid and ask of the out-of-the-money
side. Prices are Black-76 at these vols, to the cent, for both sides of each strike, so that put-call parity
holds the published forward. The vols are those of European options, and so are the prices: the chains say so.
Times to expiry are published as ACT/360 from the snapshot to midnight of the expiry day; vols are taken as
ACT/365F to the expiry instant.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from skewline.cyext import black
from skewline.servers.marketdata.chain_columns import Columns, Doubles, Heading, build_chain, listed_expiry
from skewline.servers.marketdata.sample.literals import Literal, assigned_in
from skewline.servers.marketdata.sample.packages import CHAINS
from skewline.servers.marketdata.sources.source import SourceError
from skewline.servers.runtime.day_count import YEAR_NS
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

_CENT: Final = 0.01
_NANOS: Final = 1_000_000_000
_NEEDED: Final = (
    "ttms",
    "forwards",
    "discfactors",
    "strikes_ttms",
    "optiontypes_ttms",
    "bid_ivs",
    "ask_ivs",
)


@dataclass(frozen=True, slots=True)
class Published:
    """One chain of the package; `listed` is its expiry dates where the times to expiry do not tell them."""

    underlying: str
    function: str
    time: datetime
    multiplier: Decimal
    spot_from_forward: bool = True
    listed: tuple[date, ...] = ()
    native_ids: bool = False


# The module names the equity snapshots' times of day (read as UTC: noon in New York), of BTC the date only.
PUBLISHED: Final = (
    Published(
        "BTC",
        "get_btc_test_chain_data",
        datetime(2021, 10, 21, 8, tzinfo=UTC),
        Decimal(1),
        listed=(date(2021, 11, 5), date(2021, 11, 26), date(2021, 12, 31), date(2022, 3, 25)),
        native_ids=True,
    ),
    # No carry ties the index to its forwards: its spot is not known.
    Published(
        "VIX",
        "get_vix_test_chain_data",
        datetime(2022, 7, 15, 16, 23, 2, tzinfo=UTC),
        Decimal(100),
        spot_from_forward=False,
    ),
    Published("SPY", "get_spy_test_chain_data", datetime(2022, 7, 15, 16, 23, 9, tzinfo=UTC), Decimal(100)),
    Published(
        "SQQQ", "get_sqqq_test_chain_data", datetime(2022, 7, 15, 16, 23, 12, tzinfo=UTC), Decimal(100)
    ),
    Published(
        "GLD", "get_gld_test_chain_data_6m", datetime(2022, 7, 15, 16, 23, 17, tzinfo=UTC), Decimal(100)
    ),
)


def published_chains(module: bytes) -> list[chain_pb2.OptionChain]:
    """Every chain of the module's source. Raises SourceError if it is not the module expected."""
    return [_chain(published, module) for published in PUBLISHED]


def _chain(published: Published, module: bytes) -> chain_pb2.OptionChain:
    where = f"{CHAINS.name} {CHAINS.version}, {CHAINS.member}"
    read = assigned_in(module, published.function, where)
    if missing := [name for name in _NEEDED if name not in read]:
        raise SourceError(f"{where}: {published.function} lacks {', '.join(missing)}")
    time_ns = int(published.time.timestamp()) * _NANOS
    forwards, discounts = _doubles(read["forwards"]), _doubles(read["discfactors"])
    expiries = _expiries(published, _doubles(read["ttms"]))
    smiles = zip(*(_lists(read[name]) for name in _NEEDED[3:]), strict=True)
    parts: dict[str, list[Any]] = {name: [] for name in ("index", "strike", "call", "bid", "ask", "iv")}
    for place, (strikes, _, bids, asks) in enumerate(smiles):
        strike = np.repeat(_doubles(strikes), 2)
        call = np.tile([True, False], strike.size // 2)
        years = (expiries[place].expiry_ns - time_ns) / YEAR_NS
        low, high = np.repeat(_doubles(bids), 2), np.repeat(_doubles(asks), 2)
        bid = _cents(black.price(call, forwards[place], strike, years, discounts[place], low))
        ask = _cents(black.price(call, forwards[place], strike, years, discounts[place], high))
        values = (
            np.full(strike.size, place),
            strike,
            call,
            bid,
            np.maximum(ask, bid + _CENT),
            (low + high) / 2,
        )
        for name, value in zip(parts, values, strict=True):
            parts[name].append(value)
    together = {name: np.concatenate(values) for name, values in parts.items()}
    return build_chain(
        Heading(
            underlying=published.underlying,
            time_ns=time_ns,
            source=f"sample:{CHAINS.name}-{CHAINS.version}:{published.underlying}",
            provenance=common_pb2.PROVENANCE_RECORDED,
            spot=float(forwards[0] * discounts[0]) if published.spot_from_forward else math.nan,
            exercise=instrument_pb2.EXERCISE_STYLE_EUROPEAN,
            multiplier=published.multiplier,
        ),
        expiries,
        Columns(
            expiry_index=together["index"].astype(np.int64),
            strike=together["strike"],
            is_call=together["call"],
            bid=together["bid"],
            ask=np.round(together["ask"], 2),
            more={"vendor_iv": together["iv"]},
            symbol=_native_ids(published, expiries, together) if published.native_ids else (),
        ),
    )


def _expiries(published: Published, years_360: Doubles) -> list[chain_pb2.ChainExpiry]:
    if published.native_ids:
        return [
            chain_pb2.ChainExpiry(
                root=published.underlying,
                expiry_date=listed.isoformat(),
                expiry_ns=int(datetime(listed.year, listed.month, listed.day, 8, tzinfo=UTC).timestamp())
                * _NANOS,
                settlement=instrument_pb2.SETTLEMENT_STYLE_AM,
            )
            for listed in published.listed
        ]
    # Half a day on, so that a rounded midnight is not the day before.
    days = [published.time + timedelta(days=360 * years + 0.5) for years in years_360.tolist()]
    return [listed_expiry(_root(published.underlying, day.date()), day.date()) for day in days]


def _root(underlying: str, listed: date) -> str:
    monthly = 15 <= listed.day + (2 if underlying == "VIX" else 0) <= 23
    return "VIXW" if underlying == "VIX" and not monthly else underlying


def _native_ids(
    published: Published, expiries: Sequence[chain_pb2.ChainExpiry], columns: dict[str, Any]
) -> list[str]:
    days = [f"{day.day}{day:%b%y}".upper() for day in (date.fromisoformat(e.expiry_date) for e in expiries)]
    return [
        f"{published.underlying}-{days[index]}-{strike:.0f}-{'C' if call else 'P'}"
        for index, strike, call in zip(columns["index"], columns["strike"], columns["call"], strict=True)
    ]


def _cents(prices: Doubles) -> Doubles:
    return np.round(prices, 2)


def _lists(value: Literal) -> list[Literal]:
    if not isinstance(value, list):
        raise SourceError(f"{CHAINS.member}: an array was expected, and {value!r} found")
    return value


def _doubles(value: Literal) -> Doubles:
    return np.asarray(_lists(value), dtype=np.float64)
