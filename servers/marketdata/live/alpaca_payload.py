"""Alpaca's snapshots, contracts and prices, read and checked.

Options have unpadded OCC symbols. Times are RFC 3339 with up to nine decimals. Prices and sizes of 0 stand
for none; `impliedVolatility` is a fraction, left out where there is none. What can be long comes in pages.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from skewline.servers.marketdata.live.daily_bars import DayBar
from skewline.servers.marketdata.live.members import Malformed, number, price, shown
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime import new_york
from skewline.servers.runtime.instruments import OsiSymbol, parse_osi

T = TypeVar("T")

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_NANOS_A_SECOND: Final = 1_000_000_000
_LATEST_S: Final = 7_258_118_400  # the year 2200
_MOST_SPOT: Final = 1e12
# Quotes further apart than this say less than the last trade: a single exchange may stand alone with them.
_WIDEST: Final = 0.01
_HUNDRED: Final = 100.0


@dataclass(frozen=True, slots=True)
class Quote:
    """Bid and ask of an option, 0 where there is none; `time_ns` is 0 if it was never quoted."""

    time_ns: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float


UNQUOTED: Final = Quote(0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the venue has of an option; `volume` is that of the day which began at `day_ns`."""

    contract: OsiSymbol
    quote: Quote
    vendor_iv: float
    volume: float
    day_ns: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list: what each symbol has, what cannot be read, and the token of the next part, if any."""

    rows: Mapping[str, T]
    unreadable: tuple[str, ...]
    next_token: str


def read_snapshots(body: bytes) -> Page[Snapshot]:
    """A page of snapshots by symbol. Raises SourceFault."""
    payload = _object(body)
    rows = payload.get("snapshots")
    if not isinstance(rows, dict):
        raise _unreadable(f"has the snapshots {shown(rows)}, which are no object")
    return _page(payload, rows.items(), _snapshot)


def read_contracts(body: bytes) -> Page[float]:
    """A page of open interest by symbol, NaN where it is not known. Raises SourceFault."""
    payload = _object(body)
    rows = payload.get("option_contracts")
    if not isinstance(rows, list):
        raise _unreadable(f"has the option_contracts {shown(rows)}, which are no list")
    named = [(row.get("symbol") if isinstance(row, dict) else None, row) for row in rows]
    return _page(payload, named, _open_interest)


def read_bars(body: bytes) -> Page[DayBar]:
    """A page of bars of days, as traded, by the time at which they begin. Raises SourceFault."""
    payload = _object(body)
    # Null, where there are none.
    rows = payload.get("bars") or []
    if not isinstance(rows, list):
        raise _unreadable(f"has the bars {shown(rows)}, which are no list")
    named = [(row.get("t") if isinstance(row, dict) else None, row) for row in rows]
    return _page(payload, named, _bar)


def read_spot(body: bytes) -> float:
    """The underlying's price: the middle of a narrow quote, else the last trade; NaN without either.

    Raises SourceFault.
    """
    payload = _object(body)
    try:
        quoted = _inner(payload, "latestQuote")
        bid, ask = price(quoted, "bp"), price(quoted, "ap")
        last = price(_inner(payload, "latestTrade"), "p")
    except Malformed as error:
        raise _unreadable(f"about the underlying is malformed: {error}") from error
    spot = (bid + ask) / 2 if 0 < bid <= ask <= bid * (1 + _WIDEST) else last
    return spot if 0 < spot <= _MOST_SPOT else math.nan


def read_quote(row: Mapping[str, Any], at_ns: int) -> Quote:
    """A quote, of a snapshot or a stream. Raises Malformed that names the member."""
    return Quote(
        time_ns=at_ns,
        bid=price(row, "bp"),
        ask=price(row, "ap"),
        bid_size=price(row, "bs"),
        ask_size=price(row, "as"),
    )


def time_ns(row: Mapping[str, Any]) -> int:
    """When a row is of, ns since the epoch. Raises Malformed."""
    value = row.get("t")
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is not None:
            whole, fraction, zone = found.groups()
            second = int(datetime.fromisoformat(whole + zone).timestamp())
            if 0 < second < _LATEST_S:
                return second * _NANOS_A_SECOND + int((fraction or "").ljust(9, "0"))
    except ValueError:
        pass
    raise Malformed(f"t {shown(value)} is no time")


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"is no JSON ({error})") from error
    if not isinstance(payload, dict):
        raise _unreadable(f"is {shown(payload)}, which is no object")
    return payload


def _next_token(payload: Mapping[str, Any]) -> str:
    token = payload.get("next_page_token")
    if token is not None and not isinstance(token, str):
        raise _unreadable(f"has the next_page_token {shown(token)}, which is no text")
    return token or ""


def _unreadable(what: str) -> SourceFault:
    return SourceFault("UNREADABLE", f"the answer {what}")


def _page(
    payload: Mapping[str, Any],
    named: Iterable[tuple[object, object]],
    read: Callable[[str, Mapping[str, Any]], T],
) -> Page[T]:
    rows, faults = {}, []
    for name, row in named:
        try:
            if not isinstance(name, str) or not isinstance(row, dict):
                raise Malformed(f"{shown(row)} is no object with a symbol")
            rows[name] = read(name, row)
        except ValueError as error:
            faults.append(f"{shown(name)}: {error}")
    return Page(rows, tuple(faults), _next_token(payload))


def _snapshot(name: str, row: Mapping[str, Any]) -> Snapshot:
    quoted, day = _inner(row, "latestQuote"), _inner(row, "dailyBar")
    return Snapshot(
        contract=parse_osi(name),
        quote=read_quote(quoted, time_ns(quoted)) if quoted else UNQUOTED,
        vendor_iv=number(row, "impliedVolatility", none=0.0),
        volume=price(day, "v") if day else 0.0,
        day_ns=time_ns(day) if day else 0,
    )


def _inner(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within another, empty where the venue says null or nothing."""
    value = row.get(name)
    if value is not None and not isinstance(value, dict):
        raise Malformed(f"{name} {shown(value)} is no object")
    return value or {}


def _open_interest(_: str, row: Mapping[str, Any]) -> float:
    if _decimal(row, "multiplier", none=_HUNDRED) != _HUNDRED:
        # A chain has one multiplier.
        raise Malformed(f"multiplier {shown(row.get('multiplier'))} is not {_HUNDRED:g}")
    return _decimal(row, "open_interest", none=math.nan)


def _bar(_: str, row: Mapping[str, Any]) -> DayBar:
    return DayBar(
        day=new_york.date_of(time_ns(row)),
        open=price(row, "o"),
        high=price(row, "h"),
        low=price(row, "l"),
        close=price(row, "c"),
        volume=price(row, "v"),
    )


def _decimal(row: Mapping[str, Any], name: str, *, none: float) -> float:
    """A number that the venue writes as a text."""
    value = row.get(name)
    if value is None:
        return none
    try:
        read = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        read = math.nan
    if not 0 <= read < math.inf:
        raise Malformed(f"{name} {shown(value)} is no number in a text")
    return read
