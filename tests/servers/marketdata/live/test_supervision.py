"""Reconnecting, silence, gaps and health, around a source that does what a script says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest
from bar_samples import bar, series
from chain_samples import small_chain
from live_feeds import NOON_NS, MovedClock, settled, supervised

from skewline.servers.marketdata.live.source import (
    BarsSeen,
    ChainSeen,
    Heard,
    MarketClosed,
    Missed,
    Patience,
    Restored,
    SourceFault,
    Stalled,
    Unchanged,
)
from skewline.v1 import common_pb2, feed_pb2

CHAIN = ChainSeen(small_chain(time_ns=NOON_NS))
BROKEN = SourceFault("CONNECTION_LOST", "cable pulled")
SECOND = 1_000_000_000

Step = Heard | SourceFault | Exception | float


class Scripted:
    """Each connection follows its script: what is heard, faults, seconds of silence; then it stays silent."""

    underlying = "XYZ"
    provenance = common_pb2.PROVENANCE_LIVE
    patience = Patience(stale_after_s=10.0, reconnect_after_s=30.0, gap_after_s=5.0)

    def __init__(self, clock: MovedClock, *connections: Sequence[Step]) -> None:
        self._clock = clock
        self._connections = list(connections)
        self.opened = self.closed = 0

    async def stream(self) -> AsyncGenerator[Heard, None]:
        self.opened += 1
        try:
            for step in self._connections.pop(0) if self._connections else ():
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await self._clock.sleep(step)
                else:
                    yield step
            if self._connections:
                return
            await asyncio.get_running_loop().create_future()
        finally:
            self.closed += 1


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


async def test_it_is_connecting_until_it_brought_something(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [2.0, CHAIN]), clock) as audience:
        await clock.move(1.0)
        assert audience.states == [("CONNECTING", "")]
        await clock.move(1.5)
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]
        feed = audience.notices[-1].feed
        assert (feed.accepted, feed.connections, feed.since_ns) == (1, 1, NOON_NS + 2 * SECOND)
        assert (feed.data_time_ns, feed.received_ns) == (NOON_NS, NOON_NS + 2 * SECOND)


async def test_what_fails_is_tried_again_after_growing_jittered_pauses(clock: MovedClock) -> None:
    source = Scripted(clock, *[[BROKEN]] * 8, [CHAIN])
    async with supervised(source, clock) as audience:
        await settled()
        for base in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
            pause = clock.slept[-1]
            assert 0.75 * base <= pause <= 1.25 * base
            assert pause != base
            await clock.move(pause)
        assert audience.states == [("CONNECTING", ""), ("DOWN", "CONNECTION_LOST"), ("LIVE", "")]
        assert audience.notices[-1].feed.connections == 9
        assert source.closed == 8


async def test_after_a_success_the_pauses_begin_anew(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [BROKEN], [BROKEN], [CHAIN, BROKEN], [CHAIN]), clock):
        await clock.move(6.0)
        pauses = [slept for slept in clock.slept if slept < 5.0]
        assert len(pauses) == 3
        assert pauses[2] <= 1.25 < 1.5 <= pauses[1]


async def test_a_notice_that_is_not_taken_is_told_again_and_the_feed_goes_on(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [CHAIN, 5.0, BROKEN], [CHAIN]), clock) as audience:
        await clock.move(4.0)
        audience.refuses = 3
        await clock.move(2.0)
        assert audience.state == "LIVE"
        await clock.move(20.0)
        assert audience.states[2:] == [("DOWN", "CONNECTION_LOST"), ("LIVE", "")]


async def test_a_venue_that_asks_for_more_time_gets_it(clock: MovedClock) -> None:
    limited = SourceFault("RATE_LIMITED", "too many requests", retry_after_s=100.0)
    async with supervised(Scripted(clock, [limited], [CHAIN]), clock) as audience:
        await clock.move(99.0)
        assert audience.states[-1] == ("DOWN", "RATE_LIMITED")
        await clock.move(2.0)
        assert audience.states[-1] == ("LIVE", "")


async def test_nothing_new_makes_it_stale_and_news_make_it_live_again(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [CHAIN, 8.0, Unchanged(), 8.0, CHAIN]), clock) as audience:
        await clock.move(12.0)
        assert audience.states[-1] == ("STALE", "NO_NEWS")
        assert audience.notices[-1].feed.since_ns == NOON_NS + 10 * SECOND
        await clock.move(5.0)
        assert audience.states[-1] == ("LIVE", "")
        assert audience.gaps == []


async def test_not_a_word_ends_the_connection_and_tells_of_the_gap(clock: MovedClock) -> None:
    source = Scripted(clock, [CHAIN, 1000.0], [CHAIN])
    async with supervised(source, clock) as audience:
        await clock.move(30.5)
        assert audience.states[1:] == [("LIVE", ""), ("STALE", "NO_NEWS"), ("DOWN", "SILENT")]
        await clock.move(2.0)
        assert audience.states[-1] == ("LIVE", "")
        [gap] = audience.gaps
        assert gap.reason == "DISCONNECTED"
        assert gap.from_ns == NOON_NS
        assert NOON_NS + 30 * SECOND < gap.to_ns < NOON_NS + 33 * SECOND
        assert audience.notices[-1].feed.gaps == 1
        assert (source.opened, source.closed) == (2, 1)


async def test_the_gap_is_told_before_what_follows_it(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [CHAIN, 6.0, BROKEN], [CHAIN]), clock) as audience:
        await clock.move(10.0)
        assert [each.HasField("gap") for each in audience.notices] == [False, False, False, True, False]
        assert "cable pulled" in audience.gaps[0].detail


async def test_a_break_too_short_to_lose_anything_is_no_gap(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [CHAIN, 1.0, BROKEN], [CHAIN]), clock) as audience:
        await clock.move(4.0)
        assert len(audience.chains) == 2
        assert audience.gaps == []


async def test_what_the_source_missed_is_told_as_a_gap(clock: MovedClock) -> None:
    missed = Missed("SEQUENCE", "update 7 is missing")
    async with supervised(Scripted(clock, [CHAIN, missed, CHAIN]), clock) as audience:
        await clock.move(0.0)
        [gap] = audience.gaps
        assert (gap.reason, gap.detail) == ("SEQUENCE", "update 7 is missing")
        assert len(audience.chains) == 2


async def test_while_the_market_is_closed_silence_is_no_fault(clock: MovedClock) -> None:
    closed = MarketClosed(NOON_NS + 1000 * SECOND, "until Monday")
    async with supervised(
        Scripted(clock, [CHAIN, closed, 1000.0, CHAIN, BROKEN], [CHAIN]), clock
    ) as audience:
        await clock.move(999.0)
        assert audience.states[-1] == ("CLOSED", "MARKET_CLOSED")
        assert audience.notices[-1].feed.expected_ns == NOON_NS + 1000 * SECOND
        await clock.move(5.0)
        assert audience.states[-3:] == [("LIVE", ""), ("DOWN", "CONNECTION_LOST"), ("LIVE", "")]
        assert audience.gaps == []


async def test_a_connection_that_ends_is_lost(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [CHAIN], [CHAIN]), clock) as audience:
        await settled()
        assert audience.states[-1] == ("DOWN", "CONNECTION_LOST")


async def test_an_error_that_nobody_foresaw_is_one_more_fault(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [ZeroDivisionError("oh")], [CHAIN]), clock) as audience:
        await clock.move(2.0)
        assert ("DOWN", "INTERNAL") in audience.states
        assert audience.states[-1] == ("LIVE", "")


async def test_it_does_not_connect_while_it_must_not(clock: MovedClock) -> None:
    why = [SourceFault("REPLAY_RUNNING", "replay 7 is running")]
    source = Scripted(clock, [CHAIN])
    async with supervised(source, clock, blocked=lambda: why[0] if why else None) as audience:
        await clock.move(5.0)
        assert (audience.states[-1], source.opened) == (("DOWN", "REPLAY_RUNNING"), 0)
        why.clear()
        await clock.move(10.0)
        assert audience.states[-1] == ("LIVE", "")


async def test_each_change_is_told_once(clock: MovedClock) -> None:
    other = SourceFault("TIMEOUT", "no answer")
    script = Scripted(clock, [BROKEN], [BROKEN], [other], [other], [CHAIN, CHAIN, CHAIN])
    async with supervised(script, clock) as audience:
        await clock.move(30.0)
        states = [("CONNECTING", ""), ("DOWN", "CONNECTION_LOST"), ("DOWN", "TIMEOUT"), ("LIVE", "")]
        assert audience.states[:4] == states
        down = [each.feed for each in audience.notices if each.feed.state == feed_pb2.FEED_STATE_DOWN]
        assert down[0].since_ns == down[1].since_ns


FARM = Stalled("FARM_BROKEN", "usopt is broken")


async def test_what_the_venue_says_it_cannot_bring_makes_it_stale_until_it_is_restored(
    clock: MovedClock,
) -> None:
    source = Scripted(clock, [CHAIN, 2.0, FARM, 3.0, FARM, 5.0, Restored("all is there"), 1.0, CHAIN])
    async with supervised(source, clock) as audience:
        await clock.move(4.0)
        assert audience.states[-1] == ("STALE", "FARM_BROKEN")
        await clock.move(7.0)
        assert audience.states == [("CONNECTING", ""), ("LIVE", ""), ("STALE", "FARM_BROKEN"), ("LIVE", "")]
        [gap] = audience.gaps
        assert (gap.reason, gap.detail) == ("FARM_BROKEN", "usopt is broken; all is there")
        assert (gap.from_ns, gap.to_ns) == (NOON_NS, NOON_NS + 10 * SECOND)
        # The gap is told before that it is over.
        assert audience.notices[-2].HasField("gap")


async def test_what_it_still_brings_while_stalled_is_taken_and_does_not_make_it_live(
    clock: MovedClock,
) -> None:
    source = Scripted(clock, [CHAIN, FARM, 1.0, CHAIN, Unchanged(), 1.0, Restored("there")])
    async with supervised(source, clock) as audience:
        await clock.move(1.5)
        assert len(audience.chains) == 2
        assert audience.state == "STALE"
        await clock.move(1.0)
        assert audience.state == "LIVE"


async def test_a_stall_that_ends_with_the_connection_is_one_gap(clock: MovedClock) -> None:
    again: list[Step] = [FARM, 2.0, Restored("there"), CHAIN]
    source = Scripted(clock, [CHAIN, FARM, 8.0, BROKEN], again)
    async with supervised(source, clock) as audience:
        await clock.move(12.0)
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]
        assert audience.state == "LIVE"


async def test_a_feed_that_has_brought_nothing_is_not_live_because_something_was_restored(
    clock: MovedClock,
) -> None:
    source = Scripted(clock, [FARM, Restored("there"), 2.0, CHAIN])
    async with supervised(source, clock) as audience:
        await clock.move(1.0)
        assert [state for state, _ in audience.states] == ["CONNECTING", "STALE", "CONNECTING"]
        await clock.move(2.0)
        assert audience.state == "LIVE"


async def test_bars_are_recorded_as_news_that_is_no_chain(clock: MovedClock) -> None:
    told = series([bar(NOON_NS, 5.0), bar(NOON_NS + SECOND, 6.0)])
    async with supervised(Scripted(clock, [BarsSeen(told), 8.0, BarsSeen(told), 8.0]), clock) as audience:
        await clock.move(15.0)
        assert audience.bars == [told, told]
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]
        assert not audience.chains


async def test_bars_that_are_none_are_a_gap_and_the_others_are_kept(clock: MovedClock) -> None:
    told = series([bar(NOON_NS, -5.0), bar(NOON_NS + SECOND, 6.0)])
    async with supervised(Scripted(clock, [BarsSeen(told), CHAIN]), clock) as audience:
        await clock.move(1.0)
        assert [(gap.reason, gap.detail) for gap in audience.gaps] == [
            ("UNUSABLE", "bars[0].close must be a price above zero: such bars were left out")
        ]
        feed = audience.notices[-1].feed
        assert (feed.state, feed.bars, feed.accepted, feed.gaps) == (feed_pb2.FEED_STATE_LIVE, 1, 0, 1)


async def test_a_chain_that_could_not_be_taken_is_told_as_a_gap(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [CHAIN], [CHAIN]), clock) as audience:
        audience.fails = 1
        await clock.move(2.0)
        assert audience.state == "LIVE"
        assert [(gap.reason, gap.from_ns) for gap in audience.gaps] == [("NOT_TAKEN", NOON_NS)]
        assert "no room" in audience.gaps[0].detail
        assert len(audience.chains) == 1


async def test_the_time_that_taking_a_chain_lasts_is_no_silence(clock: MovedClock) -> None:
    async with supervised(Scripted(clock, [CHAIN, 1.0, CHAIN]), clock) as audience:
        # The database is away for longer than the venue may be silent.
        audience.takes = lambda: clock.sleep(100.0)
        await clock.move(220.0)
        assert len(audience.chains) == 2
        assert ("DOWN", "SILENT") not in audience.states
        assert audience.notices[-1].feed.connections == 1


async def test_bars_do_not_make_a_feed_live_whose_quotes_stand_still(clock: MovedClock) -> None:
    bars = BarsSeen(series([bar(NOON_NS, 5.0)]))
    source = Scripted(clock, [CHAIN, 6.0, bars, 6.0, bars, 6.0, CHAIN])
    async with supervised(source, clock) as audience:
        await clock.move(15.0)
        assert audience.states[-1] == ("STALE", "NO_NEWS")
        await clock.move(5.0)
        assert audience.state == "LIVE"


async def test_a_venue_that_answers_and_has_brought_nothing_is_not_live(clock: MovedClock) -> None:
    words: list[Step] = [Unchanged(), 4.0] * 5
    async with supervised(Scripted(clock, [*words, CHAIN]), clock) as audience:
        await clock.move(9.0)
        assert audience.states == [("CONNECTING", "")]
        # Connected, and nothing new for longer than there should be.
        await clock.move(3.0)
        assert audience.states[-1] == ("STALE", "NO_NEWS")
        await clock.move(10.0)
        assert audience.states[-1] == ("LIVE", "")


async def test_a_feed_of_which_only_gaps_are_heard_becomes_stale(clock: MovedClock) -> None:
    missed = Missed("INCOMPLETE", "no chain")
    async with supervised(Scripted(clock, [CHAIN, BROKEN], [missed, 4.0] * 5), clock) as audience:
        await clock.move(15.0)
        assert [state for state, _ in audience.states] == ["CONNECTING", "LIVE", "DOWN", "STALE"]


async def test_a_market_that_opened_without_a_word_is_silent(clock: MovedClock) -> None:
    closed = MarketClosed(NOON_NS + 1000 * SECOND, "until Monday")
    async with supervised(Scripted(clock, [CHAIN, closed, 1e6], [CHAIN]), clock) as audience:
        await clock.move(1029.0)
        assert audience.states[-1] == ("CLOSED", "MARKET_CLOSED")
        await clock.move(1.5)
        assert audience.states[-1] == ("DOWN", "SILENT")
        await clock.move(2.0)
        assert [gap.reason for gap in audience.gaps] == ["DISCONNECTED"]
        assert audience.gaps[0].from_ns == NOON_NS + 1000 * SECOND


async def test_a_gap_that_could_not_be_told_is_told_before_what_follows(clock: MovedClock) -> None:
    missed = Missed("SEQUENCE", "update 7 is missing")
    async with supervised(Scripted(clock, [CHAIN, 1.0, missed], [CHAIN]), clock) as audience:
        await clock.move(0.5)
        audience.refuses = 1
        await clock.move(5.0)
        assert audience.gaps[0].reason == "SEQUENCE"
        assert audience.notices[-1].feed.gaps == len(audience.gaps)
        assert audience.states[-1] == ("LIVE", "")


@pytest.mark.parametrize("asked_s", [1e12, float("inf")])
async def test_nobody_is_left_alone_for_ever(clock: MovedClock, asked_s: float) -> None:
    limited = SourceFault("RATE_LIMITED", "too many requests", retry_after_s=asked_s)
    async with supervised(Scripted(clock, [limited], [CHAIN]), clock) as audience:
        await clock.move(3601.0)
        assert audience.states[-1] == ("LIVE", "")
