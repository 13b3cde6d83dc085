"""Alpaca's options from a server that fails in every way it can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import msgpack
import pytest
from aiohttp import web
from alpaca_venue import KEY, SECRET, AlpacaVenue, alpaca_venue, names_of, quote
from chain_samples import FRIDAY_NS, small_chain
from http_venue import half, saying, silence, status
from live_feeds import ShiftedClock, supervised
from waiting import until

from skewline.servers.marketdata.live.alpaca_frames import REFUSALS
from skewline.servers.marketdata.live.opening import Venues
from skewline.servers.marketdata.live.source import LiveSource
from skewline.servers.runtime import new_york
from skewline.servers.runtime.settings.live import AlpacaSettings, LiveSettings
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

SECOND = 1_000_000_000
CALL = "XYZ190621C00100000"
CONTRACTS = "/v2/options/contracts"
STOCK = "/v2/stocks/XYZ/snapshot"


@pytest.fixture(autouse=True, scope="module")
def _calendar() -> None:
    # It takes longer to load than these sources are patient.
    new_york.load()


def at(second: int) -> int:
    return FRIDAY_NS + second * SECOND


@pytest.fixture
async def venue() -> AsyncIterator[AlpacaVenue]:
    async with alpaca_venue(small_chain()) as venue:
        yield venue


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock(at(1))


def venues_of(venue: AlpacaVenue, clock: ShiftedClock, **changed: object) -> Venues:
    settings = {
        "url": venue.url,
        "trading_url": venue.url,
        "ws_url": venue.ws_url,
        "key": KEY,
        "secret": SECRET,
        "interval_s": 0.05,
        "refresh_s": 3600.0,
        "timeout_s": 5.0,
        "requests_per_s": 1000.0,
        "bars_days": 0,
    }
    return Venues(LiveSettings(alpaca=AlpacaSettings.model_validate(settings | changed)), clock)


def source_of(venue: AlpacaVenue, clock: ShiftedClock, **changed: object) -> LiveSource:
    return venues_of(venue, clock, **changed).open("alpaca:XYZ")


def bid(chain: chain_pb2.OptionChain, name: str = CALL) -> float:
    return chain.bid[_place(chain, name)]


def _place(chain: chain_pb2.OptionChain, name: str) -> int:
    strike, is_call, day = int(name[-8:]) / 1000, name[-9] == "C", f"20{name[3:5]}-{name[5:7]}-{name[7:9]}"
    return next(
        place
        for place in range(len(chain.strike))
        if (chain.strike[place], chain.is_call[place]) == (strike, is_call)
        and chain.expiries[chain.expiry_index[place]].expiry_date == day
    )


async def test_the_first_chain_has_all_pages_and_what_else_is_known(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    venue.open_interest[CALL] = None
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        [chain] = audience.chains
        sample = small_chain()
        assert (list(chain.bid), list(chain.ask)) == (list(sample.bid), list(sample.ask))
        assert (list(chain.strike), list(chain.is_call)) == (list(sample.strike), list(sample.is_call))
        assert (chain.underlying, chain.source, chain.time_ns) == ("XYZ", "alpaca:XYZ", FRIDAY_NS)
        assert chain.spot == pytest.approx(100.0)
        assert chain.provenance == common_pb2.PROVENANCE_DELAYED
        assert chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
        assert (set(chain.bid_size), set(chain.ask_size)) == ({7.0}, {12.0})
        assert (set(chain.volume), set(chain.vendor_iv)) == ({21.0}, {0.2345})
        known = [interest for interest in chain.open_interest if interest == interest]
        assert known == [237.0] * 11
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]
        assert audience.gaps == []


async def test_opra_is_live(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock, feed="opra"), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        assert audience.chains[0].provenance == common_pb2.PROVENANCE_LIVE
        assert any("feed=opra" in path for path in venue.requests)


async def test_quotes_of_the_stream_make_the_next_chain(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await venue.listens()
        await venue.push(CALL, 1.75, 1.95, at(2))
        await audience.has(lambda a: len(a.chains) == 2)
        chain = audience.chains[1]
        place = _place(chain, CALL)
        assert (chain.bid[place], chain.ask[place], chain.bid_size[place], chain.ask_size[place]) == (
            1.75,
            1.95,
            3.0,
            4.0,
        )
        assert chain.time_ns == at(2)
        assert audience.gaps == []


async def test_only_the_nearest_are_streamed_and_the_others_come_with_the_next_snapshot(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    # Else its pages may be of before and after.
    venue.page = 1000
    async with supervised(source_of(venue, clock, stream_contracts=4, refresh_s=0.3), clock) as audience:
        await audience.has(lambda _: len(venue.subscribed) == 4)
        assert venue.subscribed == {name for name in venue.names if name.endswith("00100000")}
        venue.show(small_chain(time_ns=at(5), shift=1.0))
        await audience.has(lambda a: len(a.chains) == 2)
        assert list(audience.chains[1].bid) == list(small_chain(shift=1.0).bid)


async def test_without_a_stream_the_snapshots_do(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock, stream_contracts=0, refresh_s=0.1), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        venue.show(small_chain(time_ns=at(5)))
        await audience.has(lambda a: len(a.chains) == 2)
        assert venue.heard == []


async def test_repeated_reordered_and_unasked_quotes_change_nothing(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock), clock) as audience:
        await venue.listens()
        newest = quote(CALL, 1.7, 1.9, at(20))
        await venue.say(
            newest, newest, quote(CALL, 0.5, 0.6, at(10)), quote("ABC190621C00100000", 1, 2, at(99))
        )
        await audience.has(lambda a: len(a.chains) == 2)
        await venue.push(CALL, 0.1, 0.2, at(15))
        await venue.push(CALL, 1.8, 2.0, at(21))
        await audience.has(lambda a: len(a.chains) == 3)
        assert [bid(chain) for chain in audience.chains[1:]] == [1.7, 1.8]
        assert audience.gaps == []


async def test_a_snapshot_older_than_the_stream_does_not_take_its_quotes_back(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock, refresh_s=0.2), clock) as audience:
        await venue.listens()
        await venue.push(CALL, 1.7, 1.9, at(20))
        await audience.has(lambda a: len(a.chains) == 2)
        other = next(name for name in venue.names if name != CALL)
        venue.snapshots[other] = {"latestQuote": {"t": "2019-05-24T19:00:30Z", "bp": 9.0, "ap": 9.5}}
        await audience.has(lambda a: len(a.chains) == 3)
        assert (bid(audience.chains[2]), bid(audience.chains[2], other)) == (1.7, 9.0)


async def test_contracts_no_longer_listed_go(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock, refresh_s=0.2), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        gone = venue.names[0]
        del venue.snapshots[gone]
        venue.snapshots[CALL]["latestQuote"]["t"] = "2019-05-24T19:00:09Z"
        await audience.has(lambda a: len(a.chains) == 2)
        assert len(audience.chains[1].strike) == 11


REFUSED = [
    *[("connection", code, reason) for code, (reason, _) in REFUSALS.items() if code in (406, 409, 429)],
    *[("key", code, reason) for code, (reason, _) in REFUSALS.items() if code in (401, 402, 403, 404, 409)],
    *[
        ("subscription", code, reason)
        for code, (reason, _) in REFUSALS.items()
        if code in (400, 405, 410, 413)
    ],
    ("subscription", 407, "SLOW_CLIENT"),
    ("subscription", 500, "VENUE_ERROR"),
]


@pytest.mark.parametrize(("when", "code", "reason"), REFUSED)
async def test_each_refusal_of_the_stream_has_its_reason_and_what_to_do(
    venue: AlpacaVenue, clock: ShiftedClock, when: str, code: int, reason: str
) -> None:
    before = ("connection", "key", "subscription").index(when)
    venue.refusals.extend([(0, "")] * before + [(code, "so it is")])
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.2) as audience:
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        detail = audience.notices[-1].feed.detail if audience.state == "DOWN" else ""
        assert not detail or f"({code})" in detail
        await audience.has(lambda a: a.state == "LIVE")
        await venue.listens()
        assert SECRET not in "".join(str(notice) for notice in audience.notices)


async def test_a_wrong_key_is_said_with_the_settings_to_change(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock, secret="wrong"), clock) as audience:
        await audience.has(lambda a: ("DOWN", "FORBIDDEN") in a.states)
        assert "trading_url goes with the key" in audience.notices[-1].feed.detail
        assert "wrong" not in str(audience.notices)


async def test_without_a_key_it_asks_for_one(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock, key=None), clock) as audience:
        await audience.has(lambda a: ("DOWN", "CREDENTIALS_MISSING") in a.states)
        assert "SKEWLINE_MARKETDATA__LIVE__ALPACA__KEY" in audience.notices[-1].feed.detail
        assert venue.requests == []


async def test_the_key_is_not_sent_where_an_answer_leads_to(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    venue.answers[CONTRACTS] = web.Response(status=307, headers={"Location": f"{venue.url}/elsewhere"})
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.gaps) == 1)
        assert "307" in audience.gaps[0].detail
        assert not any("elsewhere" in path for path in venue.requests)


async def test_all_feeds_of_the_account_share_its_one_connection(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    venues = venues_of(venue, clock, stream_contracts=6)
    async with supervised(venues.open("alpaca:XYZ"), clock) as audience:
        await audience.has(lambda _: len(venue.subscribed) == 6)
        async with supervised(venues.open("alpaca:ABC"), clock) as other:
            await other.has(lambda a: len(a.chains) == 1)
            await venue.push(CALL, 1.7, 1.9, at(20))
            await audience.has(lambda a: len(a.chains) == 2)
            await other.has(lambda a: len(a.chains) == 2)
        # One left, the other goes on, on the same connection.
        await venue.push(CALL, 1.8, 2.0, at(21))
        await audience.has(lambda a: len(a.chains) == 3)
        assert len(venue.connections) == 1
        assert audience.gaps == []
        assert [said["action"] for said in venue.heard].count("auth") == 1


async def test_one_feed_above_the_limit_does_not_end_the_others(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    venues = venues_of(venue, clock)
    async with supervised(venues.open("alpaca:XYZ"), clock) as audience:
        await venue.listens()
        venue.most_symbols = 12
        extra = "XYZ190621C00110000"
        venue.snapshots[extra] = venue.snapshots[CALL]
        async with supervised(venues.open("alpaca:ABC"), clock) as other:
            await other.has(lambda a: ("DOWN", "SYMBOL_LIMIT") in a.states)
            assert "stream_contracts" in str(other.notices)
            await venue.push(CALL, 1.7, 1.9, at(20))
            await audience.has(lambda a: len(a.chains) == 2)
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]


async def hang_up(venue: AlpacaVenue) -> None:
    await venue.hang_up()


async def half_a_message(venue: AlpacaVenue) -> None:
    await venue.say_bytes(msgpack.packb([quote(CALL, 1, 2, at(5))])[:20])


async def no_list(venue: AlpacaVenue) -> None:
    await venue.say_bytes(msgpack.packb({"T": "q"}))


async def a_text(venue: AlpacaVenue) -> None:
    for connection in venue.connections:
        await connection.send_str("[]")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (hang_up, "CONNECTION_LOST"),
        (half_a_message, "UNREADABLE"),
        (no_list, "UNREADABLE"),
        (a_text, "UNREADABLE"),
    ],
)
async def test_after_a_break_the_gap_is_told_and_all_is_as_the_venue_has_it(
    venue: AlpacaVenue, clock: ShiftedClock, fault: Callable[[AlpacaVenue], Awaitable[None]], reason: str
) -> None:
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.2) as audience:
        await venue.listens()
        await fault(venue)
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        # What was quoted meanwhile is not lost: it is in the snapshot that the next connection begins with.
        venue.snapshots[CALL]["latestQuote"] |= {"t": "2019-05-24T19:00:07Z", "bp": 1.11}
        await audience.has(lambda a: len(a.chains) == 2)
        assert bid(audience.chains[1]) == 1.11
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]
        await audience.has(lambda a: a.state == "LIVE")
        await venue.listens()
        await venue.push(CALL, 1.7, 1.9, at(20))
        await audience.has(lambda a: len(a.chains) == 3)


async def test_a_connection_that_is_mute_is_lost(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    venue.mute = True
    venue.refusals.append((0, ""))
    source = source_of(venue, clock, timeout_s=1.0)
    async with supervised(source, clock, retry_first_s=0.2) as audience:
        await audience.has(lambda a: ("DOWN", "TIMEOUT") in a.states)
        assert "did not take the key" in audience.notices[-1].feed.detail
        venue.mute = False
        await venue.listens()


async def test_a_stream_that_does_not_answer_pings_is_lost(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    venue.deaf = True
    async with supervised(source_of(venue, clock, ping_s=0.5), clock, retry_first_s=0.2) as audience:
        await audience.has(lambda a: ("DOWN", "CONNECTION_LOST") in a.states)
        venue.deaf = False
        await audience.has(lambda a: a.state == "LIVE")


async def test_malformed_quotes_are_told_and_the_others_taken(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    async with supervised(source_of(venue, clock, interval_s=0.3), clock) as audience:
        await venue.listens()
        good = quote(CALL, 1.7, 1.9, at(20))
        await venue.say(
            {**good, "bp": "1.7"}, {**good, "t": "soon"}, {**good, "S": None}, 7, {"T": "z"}, good
        )
        await venue.push(venue.names[0], 1, 2, at(86_400))
        await audience.has(lambda a: len(a.chains) == 2)
        assert bid(audience.chains[1]) == 1.7
        told = " ".join(gap.detail for gap in audience.gaps)
        assert "bp '1.7' is no number" in told
        assert audience.chains[1].time_ns == at(20)
        assert audience.notices[-1].feed.connections == 1


async def test_what_cannot_be_subscribed_to_is_told(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    venue.left_out = {CALL}
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.gaps) == 1)
        assert f"1 options cannot be subscribed to, the first is {CALL}" in audience.gaps[0].detail


FAULTS = {
    "HTTP_STATUS": status(500),
    "UNAUTHENTICATED": status(401),
    "FORBIDDEN": status(403),
    "NOT_FOUND": status(404),
    "RATE_LIMITED": status(429, Retry_After="0"),
    "CONNECTION_LOST": half(b'{"snapshots": {}}' * 1000),
    "UNREADABLE": saying(b'{"snapshots": {"XYZ'),
    "NO_INSTRUMENTS": saying(b'{"snapshots": {}, "next_page_token": null}'),
    "TIMEOUT": silence(),
}


@pytest.mark.parametrize("reason", FAULTS)
async def test_every_fault_of_a_snapshot_has_its_reason_and_what_comes_after_it_is_heard(
    venue: AlpacaVenue, clock: ShiftedClock, reason: str
) -> None:
    # Else it may be that of a page which is not the first.
    venue.page = 1000
    timeout_s = 2.0 if reason == "TIMEOUT" else 5.0
    source = source_of(venue, clock, timeout_s=timeout_s, refresh_s=0.2)
    async with supervised(source, clock, retry_first_s=0.2) as audience:
        await venue.listens()
        venue.faults.append(FAULTS[reason])
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        venue.show(small_chain(time_ns=at(60)))
        await audience.has(lambda a: len(a.chains) == 2)
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]


async def test_pages_that_do_not_end_are_no_list(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    round_about = saying(b'{"snapshots": {}, "next_page_token": "5"}')
    venue.faults.extend([round_about, round_about])
    async with supervised(source_of(venue, clock), clock, retry_first_s=0.2) as audience:
        await audience.has(lambda a: ("DOWN", "UNREADABLE") in a.states)
        await audience.has(lambda a: a.state == "LIVE")


async def test_without_open_interest_the_quotes_still_come_and_it_is_told(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    venue.answers[CONTRACTS] = web.Response(status=500)
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        assert [gap.reason for gap in audience.gaps] == ["OPEN_INTEREST"]
        assert all(interest != interest for interest in audience.chains[0].open_interest)


async def test_a_wide_quote_of_the_underlying_says_less_than_its_last_trade(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    venue.spot["latestQuote"] |= {"bp": 1.0, "ap": 999.0}
    async with supervised(source_of(venue, clock), clock) as audience:
        await audience.has(lambda a: len(a.chains) == 1)
        assert audience.chains[0].spot == 105.0


def bars(*days: int) -> web.Response:
    rows = [
        {
            "t": f"2019-05-{day}T04:00:00Z",
            "o": 99.5,
            "h": 101.0,
            "l": 99.0,
            "c": 100.0 + day,
            "v": 7000,
            "n": 9,
        }
        for day in days
    ]
    return web.json_response({"bars": rows, "symbol": "XYZ", "next_page_token": None})


async def test_bars_of_past_days_are_brought_at_the_start(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    venue.answers["/v2/stocks/XYZ/bars"] = bars(22, 23)
    async with supervised(source_of(venue, clock, bars_days=30), clock) as audience:
        await audience.has(lambda a: len(a.bars) == 1)
        [series] = audience.bars
        assert [(bar.close, bar.volume) for bar in series.bars] == [(122.0, 7000.0), (123.0, 7000.0)]
        assert [new_york.date_of(bar.start_ns).day for bar in series.bars] == [22, 23]
        [asked] = [path for path in venue.requests if "/bars" in path]
        assert "start=2019-04-23&end=2019-05-23T20:00:00Z" in asked
        await audience.has(lambda a: len(a.chains) == 1)
        assert audience.gaps == []


async def test_bars_that_cannot_be_had_are_told_and_no_chain_waits_for_them(
    venue: AlpacaVenue, clock: ShiftedClock
) -> None:
    venue.answers["/v2/stocks/XYZ/bars"] = web.json_response({"message": "not in your plan"}, status=403)
    async with supervised(source_of(venue, clock, bars_days=30), clock) as audience:
        await audience.has(lambda a: len(a.gaps) == 1)
        assert audience.gaps[0].reason == "BARS"
        await venue.listens()
        await venue.push(CALL, 1.7, 1.9, at(20))
        await audience.has(lambda a: len(a.chains) == 2)


async def test_when_the_market_closes_the_stream_is_let_go_until_it_opens(
    venue: AlpacaVenue,
) -> None:
    evening = ShiftedClock(at(5 * 3600))
    async with supervised(source_of(venue, evening), evening) as audience:
        await audience.has(lambda a: a.state == "CLOSED")
        assert len(audience.chains) == 1
        assert venue.heard == []
        # Tuesday, 9:30: Monday was a holiday.
        assert audience.notices[-1].feed.expected_ns == 1_559_050_200 * SECOND


async def test_a_stopped_feed_says_goodbye(venue: AlpacaVenue, clock: ShiftedClock) -> None:
    async with supervised(source_of(venue, clock), clock):
        await venue.listens()
        assert set(names_of(venue.heard, "subscribe")) == set(venue.names)
    await until(lambda: not venue.connections)
