"""Cboe's delayed-quote files, read into a chain.

`timestamp` is UTC, when the file was made; the underlying's `last_trade_time` is New York wall time and may
be null; options have unpadded OCC symbols; `iv` is a fraction, 0 where there is none; `iv30` is in percent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from skewline.servers.marketdata.chain_columns import Columns, Doubles, Heading, build_chain, listed_expiry
from skewline.servers.marketdata.contract_terms import exercise_of
from skewline.servers.marketdata.live.hours import within_session_ns
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime import new_york
from skewline.servers.runtime.instruments import OsiSymbol, parse_osi
from skewline.v1 import chain_pb2, common_pb2

_COLUMNS: Final = {
    "bid_size": "bid_size",
    "ask_size": "ask_size",
    "volume": "volume",
    "open_interest": "open_interest",
    "vendor_iv": "iv",
}
_SHOWN: Final = 80
_MOST: Final = 1e300
_FIRST_YEAR, _END_YEAR = 1990, 2200
_NANOS_A_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class DelayedQuotes:
    """A chain, when its file was made, and the symbols that could not be read."""

    chain: chain_pb2.OptionChain
    made_ns: int
    unreadable: tuple[str, ...]


def read_quotes(body: bytes, symbol: str, source: str, delay_s: float) -> DelayedQuotes:
    """The chain of `symbol` ("_SPX" for an index). Its time is when the market was as the file shows it.

    That is `delay_s` before the file was made, or the underlying's last trade if that is later, and at the
    close after hours. Numbers that are none become NaN, for validation to set aside. Raises SourceFault.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"is no JSON ({error})") from error
    data = payload.get("data") if isinstance(payload, dict) else None
    rows = data.get("options") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(rows, list):
        raise _unreadable("has no data.options")
    if data.get("symbol") != symbol:
        raise _unreadable(f"is of {_shown(data.get('symbol'))}, not of {symbol!r}")
    made_ns = _utc_ns(payload.get("timestamp"))
    underlying = symbol.removeprefix("_")
    contracts, kept, unreadable = _contracts(rows)
    listed = list(dict.fromkeys((each.root, each.expiry_date) for each in contracts))
    place = {each: index for index, each in enumerate(listed)}
    chain = build_chain(
        Heading(
            underlying=underlying,
            time_ns=_market_time_ns(made_ns, data.get("last_trade_time"), delay_s),
            source=source,
            provenance=common_pb2.PROVENANCE_DELAYED,
            spot=_spot(data),
            exercise=exercise_of(underlying),
        ),
        [listed_expiry(root, date.fromisoformat(day)) for root, day in listed],
        Columns(
            expiry_index=np.array([place[each.root, each.expiry_date] for each in contracts], dtype=np.int64),
            strike=np.array([float(each.strike) for each in contracts]),
            is_call=np.array([each.is_call for each in contracts], dtype=np.bool_),
            bid=_numbers(kept, "bid"),
            ask=_numbers(kept, "ask"),
            more={name: _numbers(kept, field) for name, field in _COLUMNS.items()},
        ),
    )
    return DelayedQuotes(chain, made_ns, unreadable)


def _contracts(rows: Sequence[Any]) -> tuple[list[OsiSymbol], list[dict[str, Any]], tuple[str, ...]]:
    contracts, kept, unreadable = [], [], []
    for row in rows:
        name = row.get("option") if isinstance(row, dict) else row
        try:
            contracts.append(parse_osi(name if isinstance(name, str) else ""))
        except ValueError:
            unreadable.append(_shown(name))
        else:
            kept.append(row)
    return contracts, kept, tuple(unreadable)


def _numbers(rows: Sequence[dict[str, Any]], field: str) -> Doubles:
    return np.array([_number(row.get(field)) for row in rows], dtype=np.float64)


def _number(value: object) -> float:
    # True is an int in Python, and none in a quote; JSON's integers have no end.
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _MOST:
        return math.nan
    return float(value)


def _spot(data: dict[str, Any]) -> float:
    spot = _number(data.get("current_price"))
    return spot if spot > 0 else math.nan


def _market_time_ns(made_ns: int, last_trade: object, delay_s: float) -> int:
    time_ns = made_ns - round(delay_s * _NANOS_A_SECOND)
    if isinstance(last_trade, str):
        try:
            traded = datetime.fromisoformat(last_trade)
        except ValueError as error:
            raise _unreadable(f"has the last_trade_time {_shown(last_trade)}, which is none") from error
        # Past the close of a thin day it may be years old, and a wrong one must not run ahead of the file.
        if _FIRST_YEAR <= traded.year < _END_YEAR:
            traded_ns = new_york.instant_ns(traded.date(), traded.time())
            time_ns = max(time_ns, traded_ns) if traded_ns <= made_ns else time_ns
    return within_session_ns(time_ns)


def _utc_ns(text: object) -> int:
    try:
        made = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError as error:
        raise _unreadable(f"has the timestamp {_shown(text)}, which is none") from error
    if not _FIRST_YEAR <= made.year < _END_YEAR:
        raise _unreadable(f"has the timestamp {_shown(text)}, which cannot be")
    return int(made.replace(tzinfo=UTC).timestamp()) * _NANOS_A_SECOND


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]


def _unreadable(what: str) -> SourceFault:
    return SourceFault("UNREADABLE", f"the file of delayed quotes {what}")
