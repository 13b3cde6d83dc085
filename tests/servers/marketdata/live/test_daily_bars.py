"""Bars of past days: when they are asked for, and how Yahoo's charts are read."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from live_feeds import MovedClock
from mutations import mutated
from yahoo_venue import chart

from skewline.servers.marketdata.live.daily_bars import DailyBars, Days
from skewline.servers.marketdata.live.source import SourceFault
from skewline.servers.marketdata.live.yahoo_bars import read_chart
from skewline.servers.runtime import new_york

# Friday, of a week whose Monday is a holiday.
FRIDAY = date(2019, 5, 24)
SPLIT_DAY = datetime(2014, 6, 9, 13, 30, tzinfo=UTC)


def at(day: date, moment: time) -> int:
    return new_york.instant_ns(day, moment)


@pytest.mark.parametrize(
    ("day", "moment", "last"),
    [
        (FRIDAY, time(12, 0), date(2019, 5, 23)),
        (FRIDAY, time(16, 30), date(2019, 5, 23)),
        (FRIDAY, time(17, 0), FRIDAY),
        (date(2019, 5, 28), time(9, 0), FRIDAY),
        (date(2019, 11, 29), time(14, 0), date(2019, 11, 29)),
    ],
)
def test_the_last_day_is_one_whose_session_ended_an_hour_ago(day: date, moment: time, last: date) -> None:
    clock = MovedClock(at(day, moment))
    assert DailyBars(10, clock).due() == Days(last - timedelta(days=10), last)


async def test_they_are_asked_for_once_a_session_and_an_hour_after_a_failure() -> None:
    clock = MovedClock(at(FRIDAY, time(12, 0)))
    bars = DailyBars(10, clock)
    bars.failed()
    assert bars.due() is None
    await clock.move(3600.0)
    days = bars.due()
    assert days is not None
    bars.had(days)
    assert bars.due() is None
    await clock.move(4 * 3600.0)
    assert bars.due() == Days(FRIDAY - timedelta(days=10), FRIDAY)


def test_none_are_asked_for_where_none_are_wanted() -> None:
    assert DailyBars(0, MovedClock()).due() is None


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def split_chart() -> Any:
    before = SPLIT_DAY - timedelta(days=3)
    splits = {"1402320600": {"date": 1402320600, "numerator": 7, "denominator": 1, "splitRatio": "7:1"}}
    return chart("AAPL", (before, 92.0), (SPLIT_DAY, 93.0), splits=splits)


def test_prices_are_as_traded_before_a_split_too() -> None:
    before, after = read_chart(encoded(split_chart()), "AAPL")
    assert (before.day, before.close, before.volume) == (date(2014, 6, 6), 644.0, 100.0)
    assert (after.day, after.close, after.high, after.volume) == (date(2014, 6, 9), 93.0, 94.0, 700.0)


def test_a_day_without_a_trade_has_no_bar_and_what_is_no_number_is_none() -> None:
    body = chart("AAPL", (SPLIT_DAY, None), (SPLIT_DAY + timedelta(days=1), 93.0))
    body["chart"]["result"][0]["indicators"]["quote"][0]["high"][1] = "94"
    [bar] = read_chart(encoded(body), "AAPL")
    assert math.isnan(bar.high)
    assert bar.close == 93.0


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"[]", "no chart"),
        (b'{"chart": {"result": null, "error": {"code": "Not Found"}}}', "Not Found"),
        (b'{"chart": {"result": []}}', "not of 'AAPL'"),
    ],
)
def test_what_is_no_chart_is_said(body: bytes, says: str) -> None:
    with pytest.raises(SourceFault, match=says):
        read_chart(body, "AAPL")


def test_columns_of_other_lengths_are_no_chart() -> None:
    body = split_chart()
    body["chart"]["result"][0]["timestamp"].pop()
    with pytest.raises(SourceFault, match="as long as"):
        read_chart(encoded(body), "AAPL")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(mutated(split_chart()))
def test_whatever_a_chart_says_it_is_read_or_a_fault(body: Any) -> None:
    try:
        bars = read_chart(encoded(body), "AAPL")
    except SourceFault:
        return
    assert len(bars) <= 2
