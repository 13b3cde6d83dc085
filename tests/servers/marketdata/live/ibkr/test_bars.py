"""Bars of the underlying: five seconds each as they come, a minute each of the past, none lost in a break."""

from __future__ import annotations

import pytest
from ibkr_feeds import source_of
from live_feeds import NOON_NS, Audience, ShiftedClock, supervised
from tws_gateway.bars import Row
from tws_gateway.market import Market

from skewline.v1 import common_pb2

SECOND = 1_000_000_000
NOON = NOON_NS // SECOND
FIVE, MINUTE = 5 * SECOND, 60 * SECOND


def row(start_s: int, close: float = 6251.0, volume: float = -1.0) -> Row:
    return (start_s, 6250.0, 6252.0, 6249.0, close, volume, 6250.5, 12)


def closes(audience: Audience, interval_ns: int) -> dict[int, float]:
    """Closes told of each start, s after noon; the later counts."""
    series = [each for each in audience.bars if each.interval_ns == interval_ns]
    return {bar.start_ns // SECOND - NOON: bar.close for each in series for bar in each.bars}


async def test_bars_of_the_past_come_first_and_then_those_of_now(tws: Market, clock: ShiftedClock) -> None:
    tws.bars.past["1 min"] = [row(NOON - 120), row(NOON - 60, 6250.5)]
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: closes(a, MINUTE) == {-120: 6251.0, -60: 6250.5})
        tws.bars.push(row(NOON, 6250.25, 40.0))
        await audience.has(lambda a: closes(a, FIVE) == {0: 6250.25})
        series = audience.bars[-1]
        assert (series.underlying, series.source) == ("SPX", "ibkr:SPX")
        assert series.provenance == common_pb2.PROVENANCE_LIVE
        assert (series.bars[0].open, series.bars[0].high, series.bars[0].low) == (6250.0, 6252.0, 6249.0)
        # An index has no volume; of a share it is told.
        assert [bar.volume for each in audience.bars for bar in each.bars] == [0.0, 0.0, 40.0]
        assert tws.bars.asked == [("1 min", "1 D")]
        assert not audience.gaps


async def test_after_a_break_the_bars_that_were_missed_are_asked_for(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock, retry_first_s=0.05) as audience:
        await audience.has(lambda _: bool(tws.bars.following))
        tws.bars.push(row(NOON))
        await audience.has(lambda a: closes(a, FIVE) == {0: 6251.0})
        tws.bars.past["5 secs"] = [row(NOON, 6251.5), row(NOON + 5), row(NOON + 10)]
        await tws.gateway.hang_up()
        await audience.has(lambda a: closes(a, FIVE) == {0: 6251.5, 5: 6251.0, 10: 6251.0})
        assert ("5 secs", "60 S") in tws.bars.asked


async def test_1101_has_bars_followed_again_and_those_missed_filled_in(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains) and bool(tws.bars.following))
        tws.bars.push(row(NOON))
        await audience.has(lambda a: closes(a, FIVE) == {0: 6251.0})
        tws.gateway.say(1100, "lost")
        tws.quotes.drop_all()
        tws.bars.following.clear()
        tws.bars.past["5 secs"] = [row(NOON + 5)]
        tws.gateway.say(1101, "restored, data lost")
        await audience.has(lambda a: closes(a, FIVE) == {0: 6251.0, 5: 6251.0})
        await audience.has(lambda _: len(tws.bars.following) == 1)
        tws.bars.push(row(NOON + 10))
        await audience.has(lambda a: 10 in closes(a, FIVE))


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (162, "Historical Market Data Service error message: no permissions", "NO_BARS"),
        (162, "Historical data request pacing violation", "NO_BARS"),
        (366, "No historical data query found for ticker id", "NO_BARS"),
    ],
)
async def test_bars_of_the_past_that_are_refused_are_told_and_asked_for_later(
    tws: Market,
    clock: ShiftedClock,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    message: str,
    reason: str,
) -> None:
    monkeypatch.setattr("skewline.servers.marketdata.live.ibkr.bars._RETRY_S", 0.3)
    tws.bars.refusal = (code, message)
    tws.bars.past["1 min"] = [row(NOON - 60)]
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.gaps))
        assert audience.gaps[0].reason == reason
        assert f"{code}: {message}" in audience.gaps[0].detail
        assert len(audience.chains) == 1
        assert audience.state == "LIVE"
        tws.bars.refusal = None
        await audience.has(lambda a: closes(a, MINUTE) == {-60: 6251.0})


@pytest.mark.parametrize(
    ("code", "reason"), [(420, "BARS_RATE_LIMITED"), (10225, "NO_BARS"), (354, "NO_MARKET_DATA_PERMISSION")]
)
async def test_following_bars_that_is_refused_is_told_and_tried_later(
    tws: Market, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch, code: int, reason: str
) -> None:
    monkeypatch.setattr("skewline.servers.marketdata.live.ibkr.bars._RETRY_S", 0.3)
    tws.bars.live_refusal = (code, "Invalid Real-time Query")
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: reason in {gap.reason for gap in a.gaps})
        assert audience.state == "LIVE"
        tws.bars.live_refusal = None
        await audience.has(lambda _: bool(tws.bars.following))
        tws.bars.push(row(NOON))
        await audience.has(lambda a: closes(a, FIVE) == {0: 6251.0})


async def test_bars_that_cannot_be_read_are_counted_and_the_others_kept(
    tws: Market, clock: ShiftedClock
) -> None:
    tws.bars.past["1 min"] = [
        ("yesterday", *row(0)[1:]),
        row(NOON - 60),
        row(NOON - 60, 6250.75),
        row(10**14),
    ]
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: closes(a, MINUTE) == {-60: 6250.75})
        await audience.has(lambda a: bool(a.gaps))
        assert audience.gaps[0].detail.startswith("2 past bars cannot be read")
        tws.bars.push(row(10**14))
        await audience.has(lambda a: len(a.gaps) == 2)
        assert audience.gaps[1].detail.startswith("1 messages cannot be read")


async def test_bars_alone_do_not_make_a_feed_live(tws: Market, clock: ShiftedClock) -> None:
    source = source_of(tws, clock, stale_after_s=0.5)
    async with supervised(source, clock) as audience:
        await audience.has(lambda a: bool(a.chains) and bool(tws.bars.following))
        tws.bars.push(row(NOON))
        await audience.has(lambda a: a.states[-1] == ("STALE", "NO_NEWS"))
        tws.bars.push(row(NOON + 5))
        await audience.has(lambda a: 5 in closes(a, FIVE))
        assert audience.state == "STALE"


async def test_without_bars_no_line_is_taken_for_them(tws: Market, clock: ShiftedClock) -> None:
    async with supervised(source_of(tws, clock, bars=False), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        tws.gateway.say(2105, "HMDS data farm connection is broken:ushmds")
        tws.gateway.say(2106, "HMDS data farm connection is OK:ushmds")
        assert not tws.bars.following
        assert not tws.bars.asked
        assert audience.state == "LIVE"
