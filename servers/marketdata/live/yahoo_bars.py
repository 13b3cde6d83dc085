"""Yahoo's charts of days, read and checked.

Prices and volumes are adjusted for all splits since, which the answer names: they are undone, for bars are
stored as traded. A day without a trade has nulls.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from skewline.servers.marketdata.live.daily_bars import DayBar
from skewline.servers.marketdata.live.members import Malformed, positive, shown
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.runtime import new_york

_PRICES: Final = ("open", "high", "low", "close")
_MOST: Final = 1e300
_MOST_SPLIT: Final = 1e6
_LATEST_S: Final = 7_258_118_400  # the year 2200
_NANOS_A_SECOND: Final = 1_000_000_000


def read_chart(body: bytes, symbol: str) -> list[DayBar]:
    """The days of `symbol` that had a trade, as traded. Raises SourceFault."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"is no JSON ({error})") from error
    chart = payload.get("chart") if isinstance(payload, dict) else None
    if not isinstance(chart, dict):
        raise _unreadable("has no chart")
    if (refused := chart.get("error")) is not None:
        raise SourceFault("VENUE_ERROR", f"the venue refused: {shown(refused)}")
    results = chart.get("result")
    result = results[0] if isinstance(results, list) and results else None
    meta = result.get("meta") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(meta, dict) or meta.get("symbol") != symbol:
        raise _unreadable(f"is not of {symbol!r}")
    try:
        return _days(result)
    except Malformed as error:
        raise _unreadable(f"is malformed: {error}") from error


def _days(result: Mapping[str, Any]) -> list[DayBar]:
    times = _list(result, "timestamp")
    indicators = result.get("indicators")
    quotes = _list(indicators, "quote") if isinstance(indicators, dict) else []
    if not times:
        return []
    columns = quotes[0] if quotes else None
    if not isinstance(columns, dict):
        raise Malformed("indicators.quote has no columns")
    values = {name: _list(columns, name) for name in (*_PRICES, "volume")}
    if any(len(each) != len(times) for each in values.values()):
        raise Malformed("its columns are not as long as its timestamps")
    splits = _splits(result.get("events"))
    bars = []
    for place, second in enumerate(times):
        if all(values[name][place] is None for name in _PRICES):
            continue
        day = _day(second)
        ratio = math.prod(each for split_day, each in splits if split_day > day)
        opened, high, low, close = (_number(values[name][place]) * ratio for name in _PRICES)
        volume = values["volume"][place]
        traded = 0.0 if volume is None else _number(volume) / ratio
        bars.append(DayBar(day, opened, high, low, close, traded))
    return bars


def _splits(events: object) -> list[tuple[date, float]]:
    """Day from which on prices are after it, and new shares for an old one."""
    splits = events.get("splits") if isinstance(events, dict) else None
    if splits is None:
        return []
    if not isinstance(splits, dict):
        raise Malformed(f"splits {shown(splits)} are no object")
    found = []
    for row in splits.values():
        if not isinstance(row, dict):
            raise Malformed(f"the split {shown(row)} is no object")
        ratio = positive(row, "numerator") / positive(row, "denominator")
        if not 1 / _MOST_SPLIT <= ratio <= _MOST_SPLIT:
            raise Malformed(f"the split {shown(row)} is none")
        found.append((_day(row.get("date")), ratio))
    return found


def _list(row: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = row.get(name)
    if value is not None and not isinstance(value, list):
        raise Malformed(f"{name} {shown(value)} is no list")
    return value or []


def _day(second: object) -> date:
    if isinstance(second, bool) or not isinstance(second, int) or not 0 < second < _LATEST_S:
        raise Malformed(f"{shown(second)} is no time")
    return new_york.date_of(second * _NANOS_A_SECOND)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _MOST:
        return math.nan
    return float(value)


def _unreadable(what: str) -> SourceFault:
    return SourceFault("UNREADABLE", f"the chart {what}")
