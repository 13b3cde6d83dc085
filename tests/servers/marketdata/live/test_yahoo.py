"""Yahoo's option chains by yfinance, from a server that fails in every way it can."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chain_samples import FRIDAY_NS, small_chain
from http_venue import half, saying, silence, status
from live_feeds import Audience, ShiftedClock, supervised
from yahoo_venue import CHART, YahooVenue, chart, expiry_seconds, yahoo_venue

from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.marketdata.live.source import LiveSource
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import LiveSettings, YahooSettings
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

yfinance = pytest.importorskip("yfinance", reason="the extra `yahoo` is not installed")

SECOND = 1_000_000_000
JUNE, JULY = expiry_seconds(small_chain())


@pytest.fixture(autouse=True, scope="module")
def _ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Both take longer to load than these sources are patient; and the library keeps cookies in a file.
    new_york.load()
    cookies: Path = tmp_path_factory.mktemp("yfinance")
    yfinance.set_tz_cache_location(str(cookies))


def seen_at(second: int) -> chain_pb2.OptionChain:
    """The market as it was `second` seconds after three o'clock."""
    return small_chain(time_ns=FRIDAY_NS + second * SECOND, shift=second / 100)


def source_of(
    venue: YahooVenue, clock: ShiftedClock, feed: str = "yahoo:XYZ", **changed: float
) -> LiveSource:
    settings = {
        "interval_s": 0.05,
        "timeout_s": 5.0,
        "requests_per_s": 1000.0,
        "stale_after_s": 60.0,
        "bars_days": 0,
    }
    yahoo = YahooSettings.model_validate({"url": venue.url, **settings, **changed})
    return Venues(LiveSettings(yahoo=yahoo), clock).open(feed)


@pytest.fixture
async def venue() -> AsyncIterator[YahooVenue]:
    async with yahoo_venue("XYZ") as venue:
        venue.show(seen_at(0))
        yield venue


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock(FRIDAY_NS + 901 * SECOND)


def times(audience: Audience) -> list[int]:
    return [(chain.time_ns - FRIDAY_NS) // SECOND for chain in audience.chains]


async def test_all_expiries_are_one_chain(venue: YahooVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        [chain] = audience.chains
        assert (chain.underlying, chain.source, chain.spot) == ("XYZ", "yahoo:XYZ", 100.0)
        assert chain.provenance == common_pb2.PROVENANCE_DELAYED
        assert chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
        assert (chain.multiplier.units, chain.currency) == (100, "USD")
        assert [each.expiry_date for each in chain.expiries] == ["2019-06-21", "2019-07-19"]
        sample = small_chain()
        assert (list(chain.bid), list(chain.ask)) == (list(sample.bid), list(sample.ask))
        assert (list(chain.strike), list(chain.is_call)) == (list(sample.strike), list(sample.is_call))
        assert set(chain.volume) == {0.0, 7.0}
        assert (set(chain.open_interest), set(chain.vendor_iv)) == ({120.0}, {0.2543})
        assert not chain.bid_size
        # The first question brings the first expiry.
        assert venue.asked[:2] == [0, JULY]
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]


async def test_what_has_not_changed_is_no_new_chain(venue: YahooVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda _: len(venue.requests) >= 6)
        assert times(audience) == [0]
        venue.show(seen_at(60))
        await audience.has(lambda a: len(a.chains) == 2)
        assert times(audience) == [0, 60]


async def test_an_index_is_asked_for_by_its_caret_and_is_european(clock: ShiftedClock) -> None:
    async with yahoo_venue("^SPX") as venue:
        venue.show(small_chain(underlying="SPX"))
        async with supervised(source_of(venue, clock, "yahoo:SPX"), clock) as audience:
            await audience.has(lambda a: len(a.chains) == 1)
            [chain] = audience.chains
            assert (chain.underlying, chain.exercise) == ("SPX", instrument_pb2.EXERCISE_STYLE_EUROPEAN)
            assert {each.settlement for each in chain.expiries} == {instrument_pb2.SETTLEMENT_STYLE_AM}


async def test_a_crumb_that_is_no_longer_good_is_renewed(venue: YahooVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.05) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.crumb = "another"
        venue.show(seen_at(60))
        await audience.has(lambda a: len(a.chains) == 2)
        assert times(audience) == [0, 60]
        assert audience.notices[-1].feed.connections == 1


async def test_an_expiry_that_fails_once_is_asked_for_again(venue: YahooVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        # The library itself asks twice.
        venue.faults.extend([status(500), status(500)])
        del venue.requests[:]
        venue.show(seen_at(60))
        await audience.has(lambda a: len(a.chains) == 2)
        assert len(audience.chains[1].strike) == 12


async def test_without_one_of_its_expiries_there_is_no_chain_and_that_is_told(
    venue: YahooVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.ailing[JULY] = status(503)
        venue.show(seen_at(60))
        await audience.has(lambda a: len(a.gaps) == 1)
        assert audience.gaps[0].reason == "INCOMPLETE"
        assert "1 of its expiries" in audience.gaps[0].detail
        assert "503" in audience.gaps[0].detail
        assert times(audience) == [0]
        del venue.ailing[JULY]
        await audience.has(lambda a: len(a.chains) == 2)
        assert times(audience) == [0, 60]


async def test_the_answer_of_another_expiry_is_not_taken(venue: YahooVenue, clock: ShiftedClock) -> None:
    venue.answers[JULY] = venue.answers[JUNE]
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.gaps) == 1)
        assert f"not {JULY}" in audience.gaps[0].detail
        assert audience.chains == []


async def test_an_expiry_without_options_is_none_of_the_chain(venue: YahooVenue, clock: ShiftedClock) -> None:
    venue.answers[JULY] = venue.answers[JULY] | {"options": []}
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        assert [each.expiry_date for each in audience.chains[0].expiries] == ["2019-06-21"]


FAULTS = {
    "HTTP_STATUS": status(500),
    "UNAUTHENTICATED": status(401),
    "FORBIDDEN": status(403),
    "NOT_FOUND": status(404),
    "RATE_LIMITED": status(429),
    "CONNECTION_LOST": half(b'{"optionChain": {"result": []}}' * 1000),
    "UNREADABLE": saying(b'{"optionChain": {"re'),
    "VENUE_ERROR": saying(b'{"optionChain": {"result": [], "error": {"code": "Bad"}}}'),
    "NO_INSTRUMENTS": saying(b'{"optionChain": {"result": [], "error": null}}'),
    "TIMEOUT": silence(),
}


@pytest.mark.parametrize("reason", FAULTS)
async def test_every_fault_has_its_reason_and_what_comes_after_it_is_heard(
    venue: YahooVenue, clock: ShiftedClock, reason: str
) -> None:
    timeout_s = 3.0 if reason == "TIMEOUT" else 5.0
    source = source_of(venue, clock, timeout_s=timeout_s)
    async with supervised(source, clock, retry_first_s=0.5) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.ailing[0] = FAULTS[reason]
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        del venue.ailing[0]
        venue.show(seen_at(60))
        await audience.has(lambda a: len(a.chains) == 2)
        assert times(audience) == [0, 60]
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]


async def test_a_venue_that_asks_for_time_gets_it_and_is_not_asked_twice(
    venue: YahooVenue, clock: ShiftedClock
) -> None:
    venue.faults.append(status(429, Retry_After="1"))
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.01) as audience:
        await audience.has(lambda a: ("DOWN", "RATE_LIMITED") in a.states)
        down_ns = audience.notices[-1].feed.since_ns
        await audience.has(lambda a: a.state == "LIVE")
        assert audience.notices[-1].feed.since_ns - down_ns >= SECOND
        assert venue.asked[:2] == [0, 0]


async def test_expiries_that_take_too_long_together_end_the_connection(
    venue: YahooVenue, clock: ShiftedClock
) -> None:
    source = source_of(venue, clock, chain_within_s=0.5)
    venue.ailing[JULY] = silence()
    async with supervised(source, clock) as audience:
        await audience.has(lambda a: ("DOWN", "TIMEOUT") in a.states)
        assert "the expiries took more than 0.5 s" in audience.notices[-1].feed.detail


async def test_a_refused_connection_is_tried_until_it_is_taken(
    venue: YahooVenue, clock: ShiftedClock
) -> None:
    await venue.close()
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "UNREACHABLE") in a.states)
        await venue.open()
        await audience.has(lambda a: a.state == "LIVE")


async def test_contracts_of_other_sizes_are_told_once_and_the_others_taken(
    venue: YahooVenue, clock: ShiftedClock
) -> None:
    chain = seen_at(0)
    venue.show(chain)
    venue.answers[JULY]["options"][0]["calls"][0]["contractSize"] = "MINI"
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        assert len(audience.chains[0].strike) == 11
        await audience.has(lambda _: len(venue.requests) >= 8)
        assert [gap.reason for gap in audience.gaps] == ["UNREADABLE"]
        assert "contractSize 'MINI'" in audience.gaps[0].detail


async def test_a_price_of_the_future_is_not_taken(venue: YahooVenue, clock: ShiftedClock) -> None:
    venue.show(seen_at(86_400))
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: ("DOWN", "UNREADABLE") in a.states)
        assert "of the future" in audience.notices[-1].feed.detail


async def test_bars_of_past_days_are_brought_once_and_that_of_today_is_not(
    venue: YahooVenue, clock: ShiftedClock
) -> None:
    opening = datetime(2019, 5, 24, 13, 30, tzinfo=UTC)
    days = [(opening - timedelta(days=2), 98.0), (opening - timedelta(days=1), 99.0), (opening, 100.0)]
    venue.charts = chart("XYZ", *days)
    async with supervised(source_of(venue, clock, bars_days=30), clock) as audience:
        await audience.has(lambda a: len(a.bars) == 1)
        [series] = audience.bars
        assert [bar.close for bar in series.bars] == [98.0, 99.0]
        assert [new_york.date_of(bar.start_ns).day for bar in series.bars] == [22, 23]
        assert (series.source, series.interval_ns) == ("yahoo:XYZ", 86_400 * SECOND)
        await audience.has(lambda _: len(venue.requests) >= 6)
        assert sum(path.startswith(CHART) for path in venue.paths) == 1
        assert (len(audience.chains), audience.gaps) == (1, [])


async def test_bars_that_cannot_be_had_are_told_and_no_chain_waits_for_them(
    venue: YahooVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock, bars_days=30), clock) as audience:
        await audience.has(lambda a: len(a.gaps) == 1)
        assert audience.gaps[0].reason == "BARS"
        assert "has no chart" in audience.gaps[0].detail
        venue.show(seen_at(60))
        await audience.has(lambda a: len(a.chains) == 2)
        assert len(audience.gaps) == 1


async def test_without_the_library_the_feed_says_how_to_get_it(
    venue: YahooVenue, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "skewline.servers.marketdata.live.yahoo_library", raising=False)
    monkeypatch.setitem(sys.modules, "yfinance.data", None)
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: ("DOWN", "LIBRARY_MISSING") in a.states)
        assert "pip install 'skewline[yahoo]'" in audience.notices[-1].feed.detail
