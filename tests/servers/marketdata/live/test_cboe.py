"""Cboe's delayed quotes from a server that fails in every way it can."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from cboe_files import delayed_file
from chain_samples import FRIDAY_NS, small_chain
from http_venue import HttpVenue, half, http_venue, saying, silence, status
from live_feeds import Audience, ShiftedClock, supervised

from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.marketdata.live.source import LiveSource
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import CboeSettings, LiveSettings

SECOND = 1_000_000_000
FILE = "XYZ.json"


def file_at(second: int) -> bytes:
    """The market as it was `second` seconds after three o'clock."""
    return delayed_file(small_chain(time_ns=FRIDAY_NS + second * SECOND, shift=second / 100))


def source_of(venue: HttpVenue, clock: ShiftedClock, **changed: float) -> LiveSource:
    settings = {"interval_s": 0.02, "timeout_s": 20.0, "requests_per_s": 1000.0, "stale_after_s": 60.0}
    cboe = CboeSettings(url=f"{venue.url}", **(settings | changed))
    return Venues(LiveSettings(cboe=cboe), clock).open("cboe:XYZ")


@pytest.fixture(autouse=True, scope="module")
def _calendar() -> None:
    # It takes longer to load than these sources are patient.
    new_york.load()


def at(second: int) -> int:
    return FRIDAY_NS + second * SECOND


@pytest.fixture
async def venue() -> AsyncIterator[HttpVenue]:
    async with http_venue() as venue:
        venue.files[FILE] = file_at(0)
        yield venue


@pytest.fixture
def clock() -> ShiftedClock:
    # When the file of three o'clock is made.
    return ShiftedClock(at(901))


def times(audience: Audience) -> list[int]:
    return [(chain.time_ns - FRIDAY_NS) // SECOND for chain in audience.chains]


async def test_an_unchanged_file_is_no_new_chain(venue: HttpVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda _: venue.unchanged >= 3)
        assert times(audience) == [0]
        venue.files[FILE] = file_at(1)
        await audience.has(lambda a: len(a.chains) == 2)
        assert times(audience) == [0, 1]
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]


async def test_an_older_file_out_of_a_cache_is_passed_over(venue: HttpVenue, clock: ShiftedClock) -> None:
    venue.files[FILE] = file_at(5)
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.files[FILE] = file_at(4)
        asked = len(venue.requests)
        await audience.has(lambda _: len(venue.requests) > asked + 2)
        venue.files[FILE] = file_at(6)
        await audience.has(lambda a: len(a.chains) == 2)
        assert times(audience) == [5, 6]
        assert audience.notices[-1].feed.connections == 1


FAULTS = {
    "HTTP_STATUS": status(500),
    "RATE_LIMITED": status(429, Retry_After="0"),
    "CONNECTION_LOST": half(file_at(1)),
    "TIMEOUT": silence(),
    "UNREADABLE": saying(b'{"data": {"opt'),
}


@pytest.mark.parametrize("reason", FAULTS)
async def test_every_fault_has_its_reason_and_what_comes_after_it_is_heard(
    venue: HttpVenue, clock: ShiftedClock, reason: str
) -> None:
    # Only to run into it: a slow machine has more than one then.
    short = {"timeout_s": 0.5} if reason == "TIMEOUT" else {}
    async with supervised(source_of(venue, clock, **short), clock, retry_first_s=0.1) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.faults.append(FAULTS[reason])
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        venue.files[FILE] = file_at(2)
        await audience.has(lambda a: a.state == "LIVE")
        assert times(audience) == [0, 2]
        gaps = [gap.reason for gap in audience.gaps]
        assert (set(gaps) if short else gaps) == ({"DISCONNECTED"} if short else ["DISCONNECTED"])


async def test_a_refused_connection_is_tried_until_it_is_taken(venue: HttpVenue, clock: ShiftedClock) -> None:
    await venue.close()
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.02, retry_most_s=0.05) as audience:
        await audience.has(lambda a: ("DOWN", "UNREACHABLE") in a.states)
        assert venue.url in audience.notices[-1].feed.detail
        await venue.open()
        await audience.has(lambda a: a.state == "LIVE")
        assert times(audience) == [0]
        assert audience.gaps == []


async def test_a_venue_that_asks_for_time_is_left_alone_for_it(venue: HttpVenue, clock: ShiftedClock) -> None:
    venue.faults.append(status(503, Retry_After="1"))
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.01) as audience:
        await audience.has(lambda a: ("DOWN", "HTTP_STATUS") in a.states)
        down_ns = audience.notices[-1].feed.since_ns
        await audience.has(lambda a: a.state == "LIVE")
        assert audience.notices[-1].feed.since_ns - down_ns >= SECOND


async def test_a_feed_without_news_is_stale(venue: HttpVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock, stale_after_s=0.1), clock) as audience:
        await audience.has(lambda a: ("STALE", "NO_NEWS") in a.states)
        venue.files[FILE] = file_at(1)
        # It may well be stale again before this is looked at.
        await audience.has(lambda a: a.states.count(("LIVE", "")) >= 2)
        assert audience.notices[-1].feed.unchanged >= 1


async def test_unreadable_symbols_are_told_and_the_rest_is_taken(
    venue: HttpVenue, clock: ShiftedClock
) -> None:
    venue.files[FILE] = file_at(0).replace(b"XYZ190621C00095000", b"XYZ19??21C00095000")
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        assert len(audience.chains[0].strike) == 11
        assert [gap.reason for gap in audience.gaps] == ["UNREADABLE"]
        assert "XYZ19??21C00095000" in audience.gaps[0].detail
        # It is in the next file too, which is no news.
        venue.files[FILE] = file_at(1).replace(b"XYZ190621C00095000", b"XYZ19??21C00095000")
        await audience.has(lambda a: len(a.chains) == 2)
        assert len(audience.gaps) == 1


async def test_a_venue_that_asks_to_be_left_alone_for_ever_is_heard_of_again(
    venue: HttpVenue, clock: ShiftedClock
) -> None:
    venue.faults.append(status(429, Retry_After="9" * 400))
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: ("DOWN", "RATE_LIMITED") in a.states)


async def test_an_empty_file_says_nothing(venue: HttpVenue, clock: ShiftedClock) -> None:
    venue.files[FILE] = b""
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "UNREADABLE") in a.states)
        venue.files[FILE] = file_at(0)
        await audience.has(lambda a: len(a.chains) == 1)


async def test_a_file_from_the_future_is_not_taken(venue: HttpVenue, clock: ShiftedClock) -> None:
    venue.files[FILE] = file_at(86_400)
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.01) as audience:
        await audience.has(lambda a: ("DOWN", "UNREADABLE") in a.states)
        assert "in the future" in audience.notices[-1].feed.detail
        venue.files[FILE] = file_at(0)
        await audience.has(lambda a: len(a.chains) == 1)


async def test_out_of_hours_it_asks_once_and_waits_for_the_opening(venue: HttpVenue) -> None:
    evening = ShiftedClock(at(5 * 3600))
    async with supervised(source_of(venue, evening), evening) as audience:
        await audience.has(lambda a: a.state == "CLOSED")
        assert len(venue.requests) == 1
        feed = audience.notices[-1].feed
        assert feed.reason == "MARKET_CLOSED"
        # Tuesday, 9:45: Monday was a holiday.
        assert feed.expected_ns == 1_559_051_100 * SECOND


async def test_all_feeds_of_a_venue_keep_to_one_rate(venue: HttpVenue, clock: ShiftedClock) -> None:
    cboe = CboeSettings(url=venue.url, interval_s=0.001, requests_per_s=20.0)
    venues = Venues(LiveSettings(cboe=cboe), clock)
    venue.files["ABC.json"] = delayed_file(small_chain(underlying="ABC"))
    began = clock.monotonic()
    async with (
        supervised(venues.open("cboe:XYZ"), clock),
        supervised(venues.open("cboe:ABC"), clock) as other,
    ):
        await other.has(lambda _: len(venue.requests) >= 6)
    assert clock.monotonic() - began >= 5 / 20.0
    assert {FILE, "ABC.json"} == set(venue.requests)
