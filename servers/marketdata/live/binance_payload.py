"""Binance's messages, read and checked: updates and snapshots of depth, best bid and ask, trades.

Times are ms since the epoch, prices and quantities decimal text. `m` and `isBuyerMaker` say that the buyer
was the maker: then the seller took his bid.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from skewline.cyext.book import Levels
from skewline.servers.marketdata.live.source import SourceFault

_SHOWN: Final = 80
_MOST: Final = 2**63 - 1
_NANOS_A_MS: Final = 1_000_000
# From 2000 to 2200.
_FIRST_MS, _END_MS = 946_684_800_000, 7_258_118_400_000
_DECIMAL: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,18})?", re.ASCII)

Message = dict[str, Any]


class Malformed(Exception):
    """What is wrong with a message, by field."""


@dataclass(frozen=True, slots=True)
class DepthUpdate:
    """The quantities that changed prices have at `final`, in a book that stands from `after` on."""

    time_ns: int
    after: int
    final: int
    bids: Levels
    asks: Levels


@dataclass(frozen=True, slots=True)
class DepthSnapshot:
    """The best levels at an update id."""

    update_id: int
    bids: Levels
    asks: Levels


@dataclass(frozen=True, slots=True)
class BestPrices:
    """Best bid and ask at an update id: price and quantity of each."""

    update_id: int
    bid: tuple[float, float]
    ask: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade; of an aggregate, its id is the aggregate's."""

    trade_id: int
    time_ns: int
    price: float
    quantity: float
    is_buy: bool


def read_depth(data: Message) -> DepthUpdate:
    """A message of the stream `depth`. The levels are checked where they are applied. Raises Malformed."""
    first, final = whole(data, "U"), whole(data, "u")
    if first > final:
        raise Malformed(f"U is {first}, behind u, {final}")
    # Other contracts take ids too; a future's message names the one before it.
    after = whole(data, "pu") if "pu" in data else first - 1
    if after >= final:
        raise Malformed(f"pu is {after}, not before u, {final}")
    time_ns = _time_ns(data, "T" if "T" in data else "E")
    return DepthUpdate(time_ns, after, final, _levels(data, "b"), _levels(data, "a"))


def read_best(data: Message) -> BestPrices:
    """A message of the stream `bookTicker`. Raises Malformed."""
    bid, ask = ((_number(data, price), _number(data, size)) for price, size in ("bB", "aA"))
    return BestPrices(whole(data, "u"), bid, ask)


def read_trade(data: Message) -> Trade:
    """A message of the stream `trade`. Raises Malformed."""
    return _trade(data, "t", "p", "q", "T", "m")


def read_aggregate(data: Message) -> Trade:
    """A message of the stream `aggTrade`, or an entry of what `aggTrades` answers. Raises Malformed."""
    return _trade(data, "a", "p", "q", "T", "m")


def read_past_trade(data: Message) -> Trade:
    """An entry of what `historicalTrades` answers. Raises Malformed."""
    return _trade(data, "id", "price", "qty", "time", "isBuyerMaker")


def read_snapshot(body: bytes) -> DepthSnapshot:
    """What `depth` answers. Raises SourceFault."""
    try:
        payload = _parsed(body)
        if not isinstance(payload, dict):
            raise Malformed("it is no object")
        return DepthSnapshot(
            whole(payload, "lastUpdateId"), _levels(payload, "bids"), _levels(payload, "asks")
        )
    except Malformed as error:
        raise SourceFault("UNREADABLE", f"the snapshot of the book cannot be read: {error}") from error


def read_past(body: bytes, read: Callable[[Message], Trade]) -> list[Trade]:
    """What `historicalTrades` or `aggTrades` answers, `read` entry by entry. Raises SourceFault."""
    try:
        payload = _parsed(body)
        if not isinstance(payload, list) or not all(isinstance(each, dict) for each in payload):
            raise Malformed("it is no list of objects")
        return [read(each) for each in payload]
    except Malformed as error:
        raise SourceFault("UNREADABLE", f"the list of trades cannot be read: {error}") from error


def whole(data: Message, field: str) -> int:
    """A number of 0 or more that fits 64 bits with sign. Raises Malformed."""
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise Malformed(f"{field} is {shown(value)}, no whole number of 0 or more")
    return value


def shown(value: object) -> str:
    """The beginning of it."""
    return repr(value)[:_SHOWN]


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({error})") from error


def _trade(data: Message, identity: str, price: str, size: str, time: str, maker: str) -> Trade:
    buyer_was_maker = data.get(maker)
    if not isinstance(buyer_was_maker, bool):
        raise Malformed(f"{maker} is {shown(buyer_was_maker)}, neither true nor false")
    prices = _number(data, price), _number(data, size)
    trade = Trade(whole(data, identity), _time_ns(data, time), *prices, not buyer_was_maker)
    if not trade.price or not trade.quantity:
        raise Malformed(f"{price} and {size} must be above 0, not {trade.price:g} and {trade.quantity:g}")
    return trade


def _levels(data: Message, field: str) -> Levels:
    """A list; what is in it is checked as it is applied."""
    levels = data.get(field)
    if not isinstance(levels, list):
        raise Malformed(f"{field} is {shown(levels)}, no list of levels")
    return levels


def _number(data: Message, field: str) -> float:
    text = data.get(field)
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise Malformed(f"{field} is {shown(text)}, no decimal text")
    return float(text)


def _time_ns(data: Message, field: str) -> int:
    ms = whole(data, field)
    if not _FIRST_MS <= ms < _END_MS:
        raise Malformed(f"{field} is {ms}, no time in ms")
    return ms * _NANOS_A_MS
