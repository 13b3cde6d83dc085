"""Connections that fail, break, are silent or bring rubbish: the reason told, and what is whole then."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from itertools import pairwise

import pytest
from ibkr_feeds import CALL, newest_bid, source_of
from live_feeds import NOON_NS, ShiftedClock, supervised
from tws_gateway.market import Market
from tws_gateway.wire import encoded, framed
from waiting import until

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.live.source import ChainSeen

HALF = encoded(1, 6, 1, 1, 33.0, 10, 0)[:9]


async def cut(tws: Market) -> None:
    await tws.gateway.hang_up()


async def cut_within_a_message(tws: Market) -> None:
    tws.gateway.say_raw(HALF)
    await tws.gateway.hang_up()


async def message_without_end(tws: Market) -> None:
    tws.gateway.say_raw(HALF)
    tws.gateway.silent = True


async def length_beyond_all(tws: Market) -> None:
    tws.gateway.say_raw(b"\x7f\xff\xff\xff")


async def silence(tws: Market) -> None:
    tws.gateway.silent = True


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (cut, "CONNECTION_LOST"),
        (cut_within_a_message, "CONNECTION_LOST"),
        (message_without_end, "SILENT"),
        (length_beyond_all, "SILENT"),
        (silence, "SILENT"),
    ],
)
async def test_after_a_break_the_gap_is_told_and_everything_is_subscribed_to_again(
    tws: Market, clock: ShiftedClock, fault: Callable[[Market], Awaitable[None]], reason: str
) -> None:
    source = source_of(tws, clock, timeout_s=1.5)
    async with supervised(source, clock, retry_first_s=0.05) as audience:
        await audience.has(lambda a: bool(a.chains))
        before = len(tws.quotes.open)
        await fault(tws)
        await audience.has(lambda a: ("DOWN", reason) in a.states)
        # What was quoted meanwhile is not lost: it is the present state of the next connection.
        chains = len(audience.chains)
        tws.quotes.tick(tws.option(CALL), bid=33.25)
        await tws.gateway.hang_up()
        tws.gateway.silent = False
        await audience.has(lambda a: len(a.chains) > chains and newest_bid(a, CALL) == 33.25)
        assert len(audience.chains[-1].strike) == 66
        assert {gap.reason for gap in audience.gaps} == {"DISCONNECTED"}
        assert audience.state == "LIVE"
        await until(lambda: len(tws.quotes.open) == before)


async def test_a_gateway_that_is_not_there_is_tried_until_it_is(tws: Market, clock: ShiftedClock) -> None:
    await tws.gateway.close()
    source = source_of(tws, clock)
    async with supervised(source, clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "NO_GATEWAY") in a.states)
        assert "start TWS or IB Gateway" in audience.notices[-1].feed.detail
        await tws.gateway.open()
        await audience.has(lambda a: bool(a.chains))


async def test_a_client_id_in_use_is_told_with_the_setting(tws: Market, clock: ShiftedClock) -> None:
    tws.gateway.taken_client_ids = {20}
    async with supervised(source_of(tws, clock), clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "CLIENT_ID_IN_USE") in a.states)
        assert "marketdata.live.ibkr.client_id" in audience.notices[-1].feed.detail
        tws.gateway.taken_client_ids.clear()
        await audience.has(lambda a: bool(a.chains))


@pytest.mark.parametrize("word", [b"HTTP/1.1 400 Bad Request\r\n\r\n", framed(b"x\0y\0"), b"", framed(b"\0")])
async def test_what_is_no_gateway_is_given_up(tws: Market, clock: ShiftedClock, word: bytes) -> None:
    tws.gateway.first_word = word
    source = source_of(tws, clock, timeout_s=0.3)
    async with supervised(source, clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "TIMEOUT") in a.states)
        assert "see that the port is the API's" in audience.notices[-1].feed.detail


async def test_a_gateway_that_is_too_old_is_told_so(tws: Market, clock: ShiftedClock) -> None:
    tws.gateway.first_word = encoded(100, "20260729 16:00:00 UTC")
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: ("DOWN", "OUTDATED_GATEWAY") in a.states)


@pytest.mark.parametrize("number", ["9", "78"])
async def test_an_answer_that_is_slow_is_waited_for(tws: Market, clock: ShiftedClock, number: str) -> None:
    tws.gateway.held = {number}
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda _: bool(tws.gateway.asked(number)))
        tws.gateway.let_go()
        await audience.has(lambda a: bool(a.chains))
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]


async def test_an_answer_that_does_not_come_is_given_up(tws: Market, clock: ShiftedClock) -> None:
    tws.gateway.held = {"78"}
    source = source_of(tws, clock, timeout_s=2.0)
    async with supervised(source, clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "TIMEOUT") in a.states)
        tws.gateway.let_go()
        await audience.has(lambda a: bool(a.chains))


async def test_ticks_repeated_and_those_of_closed_lines_change_nothing(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        line = tws.quotes.lines_of(tws.option(CALL))[0]
        tws.quotes.tick(tws.option(CALL), bid=33.0)
        tick = encoded(1, 6, line.request_id, 1, 33.0, 10, 0)
        tws.gateway.say_raw(tick * 3 + encoded(1, 6, 999_999, 1, 5.0, 10, 0) + encoded(2, 6, 999_999, 0, 7))
        await audience.has(lambda a: newest_bid(a, CALL) == 33.0)
        tws.quotes.tick(tws.option(CALL), bid=33.5)
        await audience.has(lambda a: newest_bid(a, CALL) == 33.5)
        assert all(later.bid != earlier.bid for earlier, later in pairwise(audience.chains))
        assert not audience.gaps


@pytest.mark.parametrize(
    ("price", "expected", "set_aside"),
    [
        ("-1", 0.0, ""),
        ("1.7976931348623157E308", 0.0, ""),
        ("nan", float("nan"), "NON_FINITE"),
        ("inf", float("inf"), "NON_FINITE"),
        ("-17.5", -17.5, "NEGATIVE_PRICE"),
        ("1e15", 1e15, "TOO_LARGE"),
    ],
)
async def test_prices_that_are_none_become_empty_and_impossible_ones_are_left_to_validation(
    tws: Market, clock: ShiftedClock, price: str, expected: float, set_aside: str
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        line = tws.quotes.lines_of(tws.option(CALL))[0]
        tws.gateway.say_raw(encoded(1, 6, line.request_id, 1, price, 10, 0))
        await audience.has(lambda a: len(a.chains) == 2)
        assert newest_bid(audience, CALL) == pytest.approx(expected, nan_ok=True)
        judged = MarketDataEngine().on_chain(audience.chains[-1]).summary
        assert [(each.reason, each.count) for each in judged.rejected] == [(set_aside, 1)] * bool(set_aside)
        assert not audience.gaps


RUBBISH = [
    framed(b""),
    framed(b"\0"),
    framed(b"\xff\xfe\0\xff\0"),
    encoded("ten", 1),
    encoded(9999, 1, 2),
    encoded(1, 6),
    encoded(1, 6, "x", 1, 2.0, 3, 0),
    encoded(1, 6, 3, 1, "cheap", 3, 0),
    encoded(2, 6, 3),
    encoded(21, 3, 13, 0, "a", "b"),
    encoded(4, 2, "x"),
    encoded(10, 3, "SPX"),
    encoded(17, 3, "", "", 5, 1.0),
    encoded(50, 3, 3, "noon", 1, 2),
    encoded(58, 1, "x", 1),
    encoded(75, 3, "SMART", 1, "SPX", 100, 7),
]


async def test_messages_that_cannot_be_read_are_counted_and_told_and_the_next_is_taken(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock, interval_s=0.4), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        tws.gateway.say_raw(b"".join(RUBBISH))
        tws.quotes.tick(tws.option(CALL), bid=33.0)
        await audience.has(lambda a: newest_bid(a, CALL) == 33.0)
        told = [gap.detail for gap in audience.gaps if gap.reason == "UNREADABLE"]
        assert sum(int(detail.partition(" ")[0]) for detail in told) == len(RUBBISH) - 1
        assert audience.notices[-1].feed.connections == 1
        assert audience.state == "LIVE"


async def test_messages_in_pieces_are_put_together(tws: Market, clock: ShiftedClock) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        line = tws.quotes.lines_of(tws.option(CALL))[0]
        for byte in encoded(1, 6, line.request_id, 1, 33.0, 10, 0):
            tws.gateway.say_raw(bytes([byte]))
            await asyncio.sleep(0)
        await audience.has(lambda a: newest_bid(a, CALL) == 33.0)


async def test_a_feed_that_is_stopped_leaves_no_task_and_no_connection(
    tws: Market, clock: ShiftedClock
) -> None:
    before = asyncio.all_tasks()
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
    await until(lambda: not tws.gateway.connections)
    await until(lambda: not asyncio.all_tasks() - before)


@pytest.mark.parametrize("number", ["71", "9", "78"])
async def test_a_feed_that_is_stopped_while_it_begins_leaves_nothing(
    tws: Market, clock: ShiftedClock, number: str
) -> None:
    tws.gateway.held = {number}
    before = asyncio.all_tasks()
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda _: bool(tws.gateway.asked(number)))
    await until(lambda: not tws.gateway.connections)
    await until(lambda: not asyncio.all_tasks() - before)


def test_it_works_on_a_loop_that_a_factory_made() -> None:
    """As `uvloop.run` makes it: the policy, which ib_insync asks, does not know it."""

    async def first_chain() -> int:
        from tws_gateway.market import market

        async with market() as tws:
            source = source_of(tws, ShiftedClock(NOON_NS))
            async with aclosing(source.stream()) as stream:
                async for heard in stream:
                    if isinstance(heard, ChainSeen):
                        return len(heard.chain.strike)
        return 0

    def run() -> int:
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            return runner.run(first_chain())

    async def in_a_thread() -> int:
        return await asyncio.to_thread(run)

    assert asyncio.run(in_a_thread()) == 66


def test_without_such_a_feed_the_library_is_not_loaded() -> None:
    code = (
        "import sys; from skewline.servers.marketdata.live.opening import Venues;"
        "from skewline.servers.marketdata.live.clock import SystemClock;"
        "from skewline.servers.runtime.settings.live import LiveSettings;"
        "Venues(LiveSettings(), SystemClock()).open('ibkr:SPX');"
        "import skewline.servers.marketdata.service;"
        "sys.exit('ib_insync' in sys.modules or 'eventkit' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
