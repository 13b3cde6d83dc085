"""Deribit's instruments and tickers, read and checked.

Options of a coin are inverse: quoted and settled in it. A price in coin times the future of the expiry
(`underlying_price`) is the price in dollars, without discount, so that Black's formula on that future gives
the venue's own `mark_iv`. Prices of 0 stand for none; vols are in percent; times are in milliseconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from skewline.servers.marketdata.live.members import Malformed, number, positive, price, shown, text
from skewline.servers.marketdata.live.source import SourceFault

_NANOS_A_MILLISECOND: Final = 1_000_000
_SHOWN: Final = 120
_LATEST_MS: Final = 7_258_118_400_000  # the year 2200


@dataclass(frozen=True, slots=True)
class Listed:
    """An option as the venue lists it."""

    name: str
    is_call: bool
    strike: float
    expiry_ns: int
    contract_size: float

    @property
    def expiry_date(self) -> str:
        """Its last day, YYYY-MM-DD, UTC."""
        return f"{datetime.fromtimestamp(self.expiry_ns // 10**9, tz=UTC):%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Ticker:
    """What is quoted for an option: prices in coin, NaN where there is none; `mark_iv` is a fraction."""

    name: str
    time_ns: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    mark_price: float
    mark_iv: float
    future: float
    index: float
    open_interest: float
    volume: float


def read_instruments(body: bytes, coin: str) -> tuple[dict[str, Listed], list[str]]:
    """The open inverse options of `coin` by name, and those that cannot be read. Raises SourceFault."""
    rows = read_result(body)
    if not isinstance(rows, list):
        raise SourceFault("UNREADABLE", "the list of instruments is no list")
    listed, unreadable = {}, []
    for row in rows:
        try:
            if (option := _listed(row, coin)) is not None:
                listed[option.name] = option
        except Malformed as error:
            unreadable.append(f"{str(row)[:_SHOWN]}: {error}")
    if not listed:
        raise SourceFault("NO_INSTRUMENTS", f"the venue lists no option of {coin}: see that the coin is one")
    return listed, unreadable


def read_result(body: bytes) -> Any:
    """What a JSON-RPC answer brings. Raises SourceFault for an error and for rubbish."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceFault("UNREADABLE", f"the answer is no JSON ({error})") from error
    if not isinstance(answer, dict):
        raise SourceFault("UNREADABLE", "the answer is no JSON-RPC object")
    check_error(answer)
    return answer.get("result")


def check_error(answer: Mapping[str, Any]) -> None:
    """Raise SourceFault if a JSON-RPC answer is an error."""
    error = answer.get("error")
    if error is None:
        return
    said = error.get("message") if isinstance(error, dict) else error
    reason = "RATE_LIMITED" if said == "too_many_requests" else "VENUE_ERROR"
    raise SourceFault(reason, f"the venue refused: {str(error)[:_SHOWN]}")


def read_ticker(data: object) -> Ticker:
    """One ticker. Raises Malformed that names the member."""
    if not isinstance(data, dict):
        raise Malformed("data is no object")
    stats = data.get("stats")
    return Ticker(
        name=text(data, "instrument_name"),
        time_ns=_milliseconds(data, "timestamp"),
        bid=price(data, "best_bid_price"),
        ask=price(data, "best_ask_price"),
        bid_size=number(data, "best_bid_amount", none=0.0),
        ask_size=number(data, "best_ask_amount", none=0.0),
        mark_price=number(data, "mark_price", none=math.nan),
        mark_iv=number(data, "mark_iv", none=0.0) / 100.0,
        future=positive(data, "underlying_price"),
        index=positive(data, "index_price"),
        open_interest=number(data, "open_interest", none=0.0),
        volume=number(stats, "volume", none=0.0) if isinstance(stats, dict) else 0.0,
    )


def _listed(row: object, coin: str) -> Listed | None:
    if not isinstance(row, dict):
        raise Malformed("is no object")
    inverse = row.get("instrument_type") == "reversed" and row.get("settlement_currency") == coin
    if row.get("kind") != "option" or not inverse or row.get("is_active") is False:
        return None
    right = row.get("option_type")
    if right not in ("call", "put"):
        raise Malformed(f"option_type {right!r} is neither call nor put")
    return Listed(
        name=text(row, "instrument_name"),
        is_call=right == "call",
        strike=positive(row, "strike"),
        expiry_ns=_milliseconds(row, "expiration_timestamp"),
        contract_size=positive(row, "contract_size"),
    )


def _milliseconds(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _LATEST_MS:
        raise Malformed(f"{name} {shown(value)} is no time in milliseconds")
    return value * _NANOS_A_MILLISECOND
