"""Binance's books and trades, against a local server that speaks its protocol and fails in many ways."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from binance_venue import BinanceVenue, Message, Sent, binance_venue, minutes
from http_venue import half, saying, silence, status
from live_feeds import Audience, ShiftedClock, supervised

from skewline.servers.marketdata.live.binance import BinanceSource
from skewline.servers.marketdata.live.binance_market import FUTURES, SPOT
from skewline.servers.marketdata.live.http import Http

FEED = "binance:BTCUSDT"


@pytest.fixture(params=["spot", "usdm"])
async def venue(request: pytest.FixtureRequest, market_data: Path) -> AsyncIterator[BinanceVenue]:
    async with binance_venue(minutes(market_data, request.param)) as venue:
        yield venue


@pytest.fixture
async def spot(market_data: Path) -> AsyncIterator[BinanceVenue]:
    async with binance_venue(minutes(market_data, "spot")) as venue:
        yield venue


def heard(
    venue: BinanceVenue, *, last_trade: int = 0, symbol: str = "BTCUSDT", **changed: float
) -> AbstractAsyncContextManager[Audience]:
    """Who hears of the venue's feed."""
    clock, settings = ShiftedClock(), venue.settings.model_copy(update=changed)

    async def last(instrument_id: str) -> int:
        return last_trade

    http = Http(
        settings.url, requests_per_s=settings.requests_per_s, timeout_s=settings.timeout_s, clock=clock
    )
    market = SPOT if venue.is_spot else FUTURES
    source = BinanceSource(f"binance:{symbol}", market, settings, http, clock, last)
    return supervised(source, clock, retry_first_s=0.05, retry_most_s=0.2)


async def begun(venue: BinanceVenue, audience: Audience) -> None:
    """The first minute's beginning is played, and the book is in step."""
    await venue.listened_to()
    await venue.play(venue.following(5))
    await in_step(venue, audience)


async def in_step(venue: BinanceVenue, audience: Audience) -> None:
    await audience.has(lambda a: bool(a.books) and a.books[-1].update_id == venue.update_id)
    await audience.has(lambda a: a.state == "LIVE")


async def as_recorded(venue: BinanceVenue, audience: Audience, updates: int = 40) -> None:
    """One update after the other: the book is as recorded at each."""
    for _ in range(updates):
        await venue.play(venue.following(1))
        await in_step(venue, audience)
        book = audience.books[-1]
        seen = (book.bid_price[0], book.bid_quantity[0], book.ask_price[0], book.ask_quantity[0])
        assert seen == venue.recorded.best_at(venue.update_id)
        assert (book.best_bid, book.best_ask, book.crossed) == (seen[0], seen[2], False)


async def all_trades(venue: BinanceVenue, audience: Audience) -> None:
    """Each trade that was, once and in order."""
    identity, size = ("t", "q") if venue.is_spot else ("a", "q")
    expected = [(each[identity], float(each["p"]), float(each[size]), not each["m"]) for each in venue.traded]
    await audience.has(lambda a: sum(len(batch.trade_id) for batch in a.batches) >= len(expected))
    rows = [
        row
        for batch in audience.batches
        for row in zip(batch.trade_id, batch.price, batch.quantity, batch.is_buy, strict=True)
    ]
    assert rows == expected


def first_of(kind: str) -> Callable[[Sent], bool]:
    """Tells all but the first one of a kind."""
    left = [1]

    def told(each: Sent) -> bool:
        if each.kind == kind and left[0]:
            left[0] -= 1
            return False
        return True

    return told


def trades_apart(sent: list[Sent]) -> list[Sent]:
    return [each for each in sent if each.kind == "trade"]


async def test_a_book_begins_from_a_snapshot_and_is_as_recorded(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        await as_recorded(venue, audience)
        await all_trades(venue, audience)
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]
        assert audience.gaps == []
        assert len([each for each in venue.requests if "/depth" in each]) == 1
        assert venue.opened == (1 if venue.is_spot else 2)
        book = audience.books[-1]
        assert (book.instrument_id, len(book.bid_price), book.complete) == (FEED, 50, True)
        assert book.time_ns // 10**9 in range(1723161255, 1723161300)
        assert book.best_bid < book.microprice < book.best_ask
        assert audience.notices[-1].feed.connections == 1


async def test_a_burst_becomes_one_book_and_one_batch(venue: BinanceVenue) -> None:
    async with heard(venue, interval_s=1.0) as audience:
        await begun(venue, audience)
        books, batches = len(audience.books), len(audience.batches)
        await venue.play(venue.following(200))
        await in_step(venue, audience)
        assert len(audience.books) - books <= 5
        assert len(audience.batches) - batches <= 6
        await all_trades(venue, audience)


async def test_a_lost_update_is_told_and_mended_without_reconnecting(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        await venue.play(venue.following(3), first_of("depth"))
        await in_step(venue, audience)
        assert ("STALE", "SEQUENCE") in audience.states
        [gap] = audience.gaps
        assert gap.reason == "SEQUENCE"
        assert "the book begins anew from update" in gap.detail
        await as_recorded(venue, audience)
        await all_trades(venue, audience)
        assert venue.opened == (1 if venue.is_spot else 2)


async def test_repeated_messages_change_nothing(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        sent = venue.following(20)
        await venue.play(sent)
        for each in sent:
            await venue.tell(each)
        await in_step(venue, audience)
        await as_recorded(venue, audience, 10)
        await all_trades(venue, audience)
        assert audience.gaps == []


async def test_updates_in_the_wrong_order_are_noticed(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        sent = venue.following(4)
        for each in sent:
            venue.happen(each)
        for each in reversed(sent):
            await venue.tell(each)
        await in_step(venue, audience)
        assert {gap.reason for gap in audience.gaps} == {"SEQUENCE"}
        await as_recorded(venue, audience)
        await all_trades(venue, audience)


@pytest.mark.parametrize(
    "rubbish",
    [
        '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpd',
        '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT","U":"x"}}',
        '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"ETHUSDT"}}',
        '{"stream":"btcusdt@kline","data":{"s":"BTCUSDT"}}',
        '{"stream":7,"data":[]}',
        '{"error":{"code":2,"msg":"Invalid request"},"id":1}',
        "[]",
        "null",
        '{"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":1,"p":"0","q":"1","T":1723161255342,"m":true}}',
    ],
)
async def test_what_cannot_be_read_is_told_and_the_book_is_right_again(
    spot: BinanceVenue, rubbish: str
) -> None:
    async with heard(spot) as audience:
        await begun(spot, audience)
        await spot.say(rubbish)
        await audience.has(lambda a: any(gap.reason == "UNREADABLE" for gap in a.gaps))
        await as_recorded(spot, audience, 5)
        await all_trades(spot, audience)
        assert spot.opened == 1


async def test_half_an_update_is_found_missing_by_the_next(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        for each in venue.following(1):
            venue.happen(each)
            text = json.dumps({"stream": "btcusdt@depth@100ms", "data": each.data})
            if each.kind == "depth":
                await venue.say(text[: len(text) // 2])
            else:
                await venue.tell(each)
        await venue.play(venue.following(1))
        await in_step(venue, audience)
        assert sorted({gap.reason for gap in audience.gaps}) == ["SEQUENCE", "UNREADABLE"]
        await as_recorded(venue, audience)
        await all_trades(venue, audience)


async def test_a_book_that_crosses_begins_anew(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        [*_, last] = sent = venue.following(1)
        for each in sent:
            venue.happen(each)
        for each in sent[:-1]:
            if each.kind == "trade":
                await venue.tell(each)
        crossing = {**last.data, "b": [["99999.0", "1.0"]]}
        await venue.tell(Sent("depth", crossing))
        await audience.has(lambda a: any(gap.reason == "CROSSED" for gap in a.gaps))
        await in_step(venue, audience)
        assert not any(book.crossed for book in audience.books)
        await as_recorded(venue, audience)


async def test_a_book_that_differs_from_the_venues_best_prices_begins_anew(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        best: Message = {"u": venue.update_id, "s": "BTCUSDT", "b": "1.0", "B": "1.0", "a": "2.0", "A": "1.0"}
        await venue.tell(Sent("bookTicker", best))
        await audience.has(lambda a: any(gap.reason == "MISMATCH" for gap in a.gaps))
        await as_recorded(venue, audience)


async def test_a_cut_in_mid_play_is_followed_by_a_new_snapshot_and_the_trades_missed(
    venue: BinanceVenue,
) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        await as_recorded(venue, audience, 5)
        opened = venue.opened
        await venue.hang_up()
        await audience.has(lambda a: a.state == "DOWN")
        for each in venue.following(100):
            venue.happen(each)
        await venue.listened_to()
        await venue.play(venue.following(2))
        await in_step(venue, audience)
        await as_recorded(venue, audience)
        await all_trades(venue, audience)
        assert ("DOWN", "CONNECTION_LOST") in audience.states
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]
        assert venue.opened > opened


async def test_the_announced_end_of_a_connection_is_not_waited_for(spot: BinanceVenue) -> None:
    async with heard(spot) as audience:
        await begun(spot, audience)
        await spot.say('{"stream":"btcusdt@depth@100ms","data":{"e":"serverShutdown","E":1770123456789}}')
        await audience.has(lambda a: a.state == "DOWN")
        await spot.listened_to()
        await spot.play(spot.following(2))
        await in_step(spot, audience)
        await all_trades(spot, audience)


async def test_silence_is_stale_and_then_ends_the_connection(venue: BinanceVenue) -> None:
    async with heard(venue, stale_after_s=0.2, silent_after_s=0.6) as audience:
        await begun(venue, audience)
        await audience.has(lambda a: ("STALE", "NO_NEWS") in a.states)
        await audience.has(lambda a: ("DOWN", "SILENT") in a.states)
        await venue.listened_to()
        await venue.play(venue.following(2))
        await audience.has(lambda a: a.books[-1].update_id == venue.update_id)
        await all_trades(venue, audience)


async def test_a_snapshot_older_than_the_first_update_is_asked_for_again(venue: BinanceVenue) -> None:
    old = {"lastUpdateId": 5, "bids": [["1.0", "1.0"]], "asks": [["2.0", "1.0"]]}
    venue.snapshots.extend([old, old])
    async with heard(venue) as audience:
        await begun(venue, audience)
        assert len([each for each in venue.requests if "/depth" in each]) == 3
        await as_recorded(venue, audience)
        assert audience.gaps == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(429, Retry_After="1"), "RATE_LIMITED"),
        (status(500), "HTTP_STATUS"),
        (saying(b"{"), "UNREADABLE"),
        (half(b'{"lastUpdateId":1}'), "CONNECTION_LOST"),
        (silence(), "TIMEOUT"),
    ],
)
async def test_a_first_snapshot_that_cannot_be_had_is_a_fault_of_the_connection(
    spot: BinanceVenue, fault: Callable[..., object], reason: str
) -> None:
    spot.faults.append(fault)  # type: ignore[arg-type] # any of them answers
    async with heard(spot, timeout_s=0.5) as audience:
        await spot.listened_to()
        await spot.play(spot.following(2))
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        await spot.listened_to()
        await spot.play(spot.following(2))
        await in_step(spot, audience)
        await as_recorded(spot, audience, 5)


async def test_a_later_snapshot_is_asked_for_again_as_the_venue_wishes(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        venue.faults.append(status(429, Retry_After="1"))
        await venue.play(venue.following(3), first_of("depth"))
        await audience.has(lambda a: ("STALE", "RATE_LIMITED") in a.states)
        # Trades go on meanwhile.
        await venue.play(venue.following(20), lambda each: each.kind == "trade")
        await all_trades(venue, audience)
        assert audience.state == "STALE"
        await venue.play(venue.following(1))
        await in_step(venue, audience)
        assert venue.opened == (1 if venue.is_spot else 2)
        await as_recorded(venue, audience, 5)


async def test_lost_trades_are_asked_for_by_their_ids(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        await venue.play(venue.following(60), lambda each: each.kind != "trade")
        await venue.play(venue.following(40))
        await all_trades(venue, audience)
        assert audience.gaps == []
        path = "historicalTrades" if venue.is_spot else "aggTrades"
        assert any(path in each for each in venue.requests)


async def test_trades_since_the_last_one_stored_are_asked_for_at_the_start(spot: BinanceVenue) -> None:
    for each in spot.following(50):
        spot.happen(each)
    assert len(spot.traded) > 20
    stored = spot.traded[9]["t"]
    async with heard(spot, last_trade=stored) as audience:
        await begun(spot, audience)
        await audience.has(lambda a: bool(a.batches) and a.batches[-1].trade_id[-1] >= spot.traded[-1]["t"])
        seen = [each for batch in audience.batches for each in batch.trade_id]
        assert seen == list(range(stored + 1, spot.traded[-1]["t"] + 1))


async def test_trades_that_cannot_be_had_are_told_as_a_gap(venue: BinanceVenue) -> None:
    async with heard(venue) as audience:
        await begun(venue, audience)
        venue.faults.extend([status(500)] * 4)
        identity = "t" if venue.is_spot else "a"
        while not (sent := trades_apart(venue.following(1))):
            pass
        lost = sent[0].data[identity]
        await venue.play(sent, lambda each: each.data[identity] != lost)
        while not (more := trades_apart(venue.following(1))):
            pass
        await venue.play(more)
        await audience.has(lambda a: any(gap.reason == "TRADES" for gap in a.gaps))
        [gap] = [gap for gap in audience.gaps if gap.reason == "TRADES"]
        assert f"trades {lost} to {lost} are missing, 1 of them" in gap.detail
        assert "500" in gap.detail
        await audience.has(lambda a: a.batches[-1].trade_id[-1] == venue.traded[-1][identity])
        seen = [each for batch in audience.batches for each in batch.trade_id]
        assert seen == [each[identity] for each in venue.traded if each[identity] != lost]


async def test_too_many_lost_trades_are_not_asked_for(spot: BinanceVenue) -> None:
    async with heard(spot, most_missed_trades=3, last_trade=1000) as audience:
        await begun(spot, audience)
        await audience.has(lambda a: any(gap.reason == "TRADES" for gap in a.gaps))
        assert "trades 1001 to" in audience.gaps[0].detail
        assert "they are more than 3" in audience.gaps[0].detail
        assert not any("historicalTrades" in each for each in spot.requests)
        assert audience.batches[0].trade_id[0] == spot.traded[0]["t"]


async def test_a_symbol_that_is_none_says_what_the_venue_says(spot: BinanceVenue) -> None:
    async with heard(spot, symbol="NOSUCH", timeout_s=0.2) as audience:
        await audience.has(lambda a: a.state == "DOWN")
        [down] = [each.feed for each in audience.notices if each.feed.reason == "HTTP_STATUS"][:1]
        assert "Invalid symbol" in down.detail
