"""Deribit's tickers from a server that fails in every way it can."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from deribit_venue import BEGIN_MS, LIST, DeribitVenue, deribit_venue
from http_venue import status
from live_feeds import ShiftedClock, supervised

from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.marketdata.live.source import LiveSource
from skewline.servers.runtime.settings.live import DeribitSettings, LiveSettings

NAME = "BTC-30AUG24-100000-C"


@pytest.fixture
async def venue() -> AsyncIterator[DeribitVenue]:
    async with deribit_venue() as venue:
        yield venue


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock(BEGIN_MS * 1_000_000)


def source_of(venue: DeribitVenue, clock: ShiftedClock, **changed: float) -> LiveSource:
    settings: dict[str, float] = {"interval_s": 0.05, "requests_per_s": 1000.0, "timeout_s": 20.0}
    deribit = DeribitSettings.model_validate(
        {"url": f"{venue.url}/api/v2", "ws_url": venue.ws_url, **settings, **changed}
    )
    return Venues(LiveSettings(deribit=deribit), clock).open("deribit:BTC")


async def test_the_first_chain_is_whole_and_the_next_has_what_changed(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        assert len(audience.chains[0].strike) == 52
        await venue.push(NAME, timestamp=BEGIN_MS + 100, best_bid_price=0.1234)
        await audience.has(lambda a: len(a.chains) == 2)
        chain = audience.chains[1]
        assert chain.bid[list(chain.symbol).index(NAME)] == 0.1234 * 118_600.0
        assert chain.time_ns == (BEGIN_MS + 100) * 1_000_000
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]
        assert audience.gaps == []


async def test_an_option_without_a_ticker_does_not_hold_up_the_others_for_ever(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    del venue.tickers[NAME]
    async with supervised(source_of(venue, clock, complete_within_s=0.3), clock) as audience:
        # On a slow machine not all of them have come when the time for the first chain is up.
        await audience.has(lambda a: any(len(chain.strike) == 51 for chain in a.chains))


async def test_the_venues_question_whether_we_are_there_is_answered(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        await venue.say({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}})
        await audience.has(lambda _: venue.heard[-1]["method"] == "public/test")
        assert venue.heard[0]["method"] == "public/set_heartbeat"


async def test_a_new_listing_is_subscribed_to(venue: DeribitVenue, clock: ShiftedClock) -> None:
    names = list(venue.tickers)
    venue.relist(names[:-1])
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.relist(names)
        news = {"channel": "instrument.state.option.BTC", "data": {"state": "started"}}
        await venue.say({"jsonrpc": "2.0", "method": "subscription", "params": news})
        await audience.has(lambda _: names[-1] in venue.subscribed)
        await venue.push(*names, timestamp=BEGIN_MS + 1)
        await audience.has(lambda a: len(a.chains[-1].strike) == 52)
        assert venue.subscribed[names[0]] == 1


async def hang_up(venue: DeribitVenue) -> None:
    await venue.hang_up()


async def half_a_message(venue: DeribitVenue) -> None:
    await venue.say(json.dumps({"method": "subscription", "params": {}})[:20])


async def no_object(venue: DeribitVenue) -> None:
    await venue.say("[1, 2]")


async def an_error(venue: DeribitVenue) -> None:
    await venue.say({"jsonrpc": "2.0", "id": 1, "error": {"code": 10028, "message": "too_many_requests"}})


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (hang_up, "CONNECTION_LOST"),
        (half_a_message, "UNREADABLE"),
        (no_object, "UNREADABLE"),
        (an_error, "RATE_LIMITED"),
    ],
)
async def test_after_a_break_the_gap_is_told_and_the_whole_chain_begins_anew(
    venue: DeribitVenue,
    clock: ShiftedClock,
    fault: Callable[[DeribitVenue], Awaitable[None]],
    reason: str,
) -> None:
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.05) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        await fault(venue)
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        # What was quoted meanwhile is not lost: it is in the first ticker of the next connection.
        venue.tickers[NAME] |= {"timestamp": BEGIN_MS + 100, "best_bid_price": 0.1111}
        await audience.has(lambda a: len(a.chains) == 2)
        chain = audience.chains[1]
        assert chain.bid[list(chain.symbol).index(NAME)] == 0.1111 * 118_600.0
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]
        assert audience.state == "LIVE"


async def test_repeated_and_reordered_tickers_change_nothing(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        await venue.push(NAME, timestamp=BEGIN_MS + 200, best_bid_price=0.12)
        await venue.push(NAME, timestamp=BEGIN_MS + 200, best_bid_price=0.12)
        await venue.push(NAME, timestamp=BEGIN_MS + 100, best_bid_price=0.05)
        await audience.has(lambda a: len(a.chains) == 2)
        await venue.push(NAME, timestamp=BEGIN_MS + 300, best_ask_price=0.2)
        await audience.has(lambda a: len(a.chains) == 3)
        bids = [chain.bid[list(chain.symbol).index(NAME)] for chain in audience.chains[1:]]
        assert bids[0] == 0.12 * 118_600.0
        assert audience.gaps == []


async def test_malformed_tickers_are_told_once_an_interval_and_the_others_taken(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock, interval_s=0.3), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        for _ in range(20):
            await venue.say({"method": "subscription", "params": {"channel": "ticker.X", "data": {"a": 1}}})
        await venue.say({"hello": "there"})
        future = {**venue.tickers[NAME], "timestamp": BEGIN_MS + 86_400_000}
        await venue.say({"method": "subscription", "params": {"channel": "ticker.Y", "data": future}})
        await venue.push(NAME, timestamp=BEGIN_MS + 100)
        await audience.has(lambda a: len(a.chains) == 2)
        assert sum("instrument_name None" in gap.detail for gap in audience.gaps) in (1, 2)
        assert audience.chains[-1].time_ns == (BEGIN_MS + 100) * 1_000_000
        assert audience.notices[-1].feed.connections == 1


async def test_silence_is_stale_and_then_a_new_connection(venue: DeribitVenue, clock: ShiftedClock) -> None:
    source = source_of(venue, clock, stale_after_s=0.2)
    async with supervised(source, clock, retry_first_s=0.05) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        await audience.has(lambda a: a.state == "STALE")
        await venue.push(NAME, timestamp=BEGIN_MS + 100)
        # It may well be stale again before this is looked at.
        await audience.has(lambda a: a.states.count(("LIVE", "")) >= 2)
        assert audience.gaps == []


async def test_chains_further_apart_than_heartbeats_are_no_silence(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    settings = DeribitSettings(interval_s=600.0)
    patience = source_of(venue, clock, interval_s=600.0).patience
    assert patience.reconnect_after_s > settings.interval_s + settings.heartbeat_s


async def test_what_cannot_be_subscribed_to_is_told(venue: DeribitVenue, clock: ShiftedClock) -> None:
    venue.left_out = {f"ticker.{NAME}.100ms"}
    async with supervised(source_of(venue, clock, complete_within_s=0.2), clock) as audience:
        await audience.has(lambda a: any(len(chain.strike) == 51 for chain in a.chains))
        assert "1 channels were left out" in audience.gaps[0].detail
        assert len(audience.gaps) == 1


@pytest.mark.parametrize(("code", "reason"), [(500, "HTTP_STATUS"), (429, "RATE_LIMITED")])
async def test_a_list_that_cannot_be_had_is_asked_for_again(
    venue: DeribitVenue, clock: ShiftedClock, code: int, reason: str
) -> None:
    venue.faults.append(status(code))
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.05) as audience:
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        await audience.has(lambda a: a.state == "LIVE")
        assert venue.requests == [LIST, LIST]


async def test_a_refused_connection_is_tried_until_it_is_taken(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    await venue.close()
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "UNREACHABLE") in a.states)
        await venue.open()
        await audience.has(lambda a: len(a.chains) == 1)


async def test_of_two_tickers_of_one_millisecond_the_last_stands(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        await venue.push(NAME, timestamp=BEGIN_MS + 100, best_bid_price=0.11)
        await venue.push(NAME, timestamp=BEGIN_MS + 100, best_bid_price=0.12)
        await venue.push("BTC-30AUG24-90000-P", timestamp=BEGIN_MS + 101)
        await audience.has(lambda a: a.chains[-1].time_ns == (BEGIN_MS + 101) * 1_000_000)
        chain = audience.chains[-1]
        assert chain.bid[list(chain.symbol).index(NAME)] == 0.12 * 118_600.0


async def test_a_new_listing_of_which_no_word_came_is_found(venue: DeribitVenue, clock: ShiftedClock) -> None:
    names = list(venue.tickers)
    venue.relist(names[:-1])
    async with supervised(source_of(venue, clock, list_every_s=0.2), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.relist(names)
        await audience.has(lambda _: names[-1] in venue.subscribed)
        assert audience.gaps == []


async def test_heartbeats_without_a_ticker_do_not_keep_a_connection(
    venue: DeribitVenue, clock: ShiftedClock
) -> None:
    source = source_of(venue, clock, stale_after_s=0.5)
    async with supervised(source, clock, retry_first_s=0.2) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        beat = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "heartbeat"}}
        while ("DOWN", "SILENT") not in audience.states:
            await venue.say(beat)
            await asyncio.sleep(0.05)
        assert ("STALE", "NO_NEWS") in audience.states
        venue.tickers[NAME] |= {"timestamp": BEGIN_MS + 100}
        await audience.has(lambda a: len(a.chains) == 2)
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]
