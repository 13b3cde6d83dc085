"""Yahoo's option chains, read and checked: one answer an expiry.

Times are in seconds, UTC; `impliedVolatility` is a fraction, some 1e-5 where there is none; what an option
does not have (`bid`, `volume`) is left out. There are no sizes, and no time but that of the last trade.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime.instruments import OsiSymbol, parse_osi

_NO_VOL: Final = 1e-4
_MOST: Final = 1e300
_MOST_SPOT: Final = 1e12
_LATEST_S: Final = 7_258_118_400  # the year 2200
_SHOWN: Final = 80
_HUNDRED: Final = "REGULAR"


@dataclass(frozen=True, slots=True)
class Spot:
    """The underlying: its price, NaN if there is none, and when that was, seconds since the epoch."""

    price: float
    time_s: int
    currency: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """An option: prices and counts, NaN where they are no numbers; its last trade, 0 if there was none."""

    contract: OsiSymbol
    bid: float
    ask: float
    volume: float
    open_interest: float
    vendor_iv: float
    traded_s: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One expiry (0 if the venue has no options), all that are listed, and what could not be read."""

    spot: Spot
    expirations: tuple[int, ...]
    expiry_s: int
    quoted: tuple[Quoted, ...]
    unreadable: tuple[str, ...]


def read_answer(body: bytes, symbol: str) -> Answer:
    """The answer about `symbol` ("^SPX" for an index). Raises SourceFault for what is none."""
    result = _result(body, symbol)
    spot = _spot(result.get("quote"), symbol)
    listed = result.get("expirationDates")
    if not isinstance(listed, list) or not all(map(_is_time, listed)):
        raise _unreadable(f"has the expirationDates {_shown(listed)}, which are no list of times")
    options = result.get("options")
    if not isinstance(options, list):
        raise _unreadable("has no list of options")
    if not options:
        return Answer(spot, tuple(listed), 0, (), ())
    of_expiry = options[0]
    if not isinstance(of_expiry, dict) or not _is_time(of_expiry.get("expirationDate")):
        raise _unreadable("has options without an expirationDate")
    quoted, unreadable = [], []
    for right in ("calls", "puts"):
        rows = of_expiry.get(right)
        if not isinstance(rows, list):
            raise _unreadable(f"has no list of {right}")
        for row in rows:
            try:
                quoted.append(_quoted(row, right))
            except ValueError as error:
                unreadable.append(str(error)[:_SHOWN])
    expirations = tuple(dict.fromkeys(listed))
    return Answer(spot, expirations, of_expiry["expirationDate"], tuple(quoted), tuple(unreadable))


def _result(body: bytes, symbol: str) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"is no JSON ({error})") from error
    chain = payload.get("optionChain") if isinstance(payload, dict) else None
    if not isinstance(chain, dict):
        raise _unreadable("has no optionChain")
    if (refused := chain.get("error")) is not None:
        raise SourceFault("VENUE_ERROR", f"the venue refused: {_shown(refused)}")
    results = chain.get("result")
    if results == []:
        raise SourceFault("NO_INSTRUMENTS", f"the venue knows no {symbol}: see that the symbol is one")
    if not isinstance(results, list) or not isinstance(results[0], dict):
        raise _unreadable("has no optionChain.result")
    result: dict[str, Any] = results[0]
    if result.get("underlyingSymbol") != symbol:
        raise _unreadable(f"is of {_shown(result.get('underlyingSymbol'))}, not of {symbol!r}")
    return result


def _spot(quote: object, symbol: str) -> Spot:
    if not isinstance(quote, dict):
        raise _unreadable(f"has no quote of {symbol!r}")
    time_s = quote.get("regularMarketTime")
    if not _is_time(time_s):
        raise _unreadable(f"has the regularMarketTime {_shown(time_s)}, which is none")
    currency = quote.get("currency")
    if not isinstance(currency, str) or not currency:
        raise _unreadable(f"has the currency {_shown(currency)}, which is none")
    price = _number(quote, "regularMarketPrice", none=math.nan)
    return Spot(price if 0 < price <= _MOST_SPOT else math.nan, time_s, currency)


def _quoted(row: object, right: str) -> Quoted:
    if not isinstance(row, dict):
        raise ValueError(f"{_shown(row)} is no option")
    name = row.get("contractSymbol")
    contract = parse_osi(name if isinstance(name, str) else "")
    if contract.is_call != (right == "calls"):
        raise ValueError(f"{name} is among the {right}")
    if row.get("contractSize") != _HUNDRED:
        # A chain has one multiplier.
        raise ValueError(f"{name} has the contractSize {_shown(row.get('contractSize'))}")
    vol = _number(row, "impliedVolatility", none=0.0)
    traded_s = row.get("lastTradeDate")
    return Quoted(
        contract=contract,
        bid=_number(row, "bid", none=0.0),
        ask=_number(row, "ask", none=0.0),
        volume=_number(row, "volume", none=0.0),
        open_interest=_number(row, "openInterest", none=math.nan),
        vendor_iv=0.0 if abs(vol) <= _NO_VOL else vol,
        traded_s=traded_s if _is_time(traded_s) else 0,
    )


def _number(row: Mapping[str, Any], name: str, *, none: float) -> float:
    """A number; `none` where the venue says null or nothing, NaN for what is no number."""
    value = row.get(name)
    if value is None:
        return none
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MOST:
        return math.nan
    return float(value)


def _is_time(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LATEST_S


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]


def _unreadable(what: str) -> SourceFault:
    return SourceFault("UNREADABLE", f"the answer {what}")
