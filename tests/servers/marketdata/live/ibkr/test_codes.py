"""The gateway's messages by number: what the feed says, what is subscribed to again, and what is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ibkr_feeds import CALL, bid_of, newest_bid, source_of
from live_feeds import Audience, ShiftedClock, supervised
from tws_gateway.market import AAPL, SPX, SPX_SPOT, Market
from tws_gateway.quotes import DELAYED
from waiting import until

from skewline.servers.runtime.instruments import contract_ids
from skewline.v1 import common_pb2

USOPT_BROKEN = (2103, "Market data farm connection is broken:usopt")
USOPT_OK = (2104, "Market data farm connection is OK:usopt")


async def begun(audience: Audience) -> None:
    await audience.has(lambda a: bool(a.chains))
    await audience.has(lambda a: a.state == "LIVE")


async def restored(audience: Audience, reason: str) -> None:
    """The gap is told, once, and the feed is live with a chain of all options."""
    await audience.has(lambda a: a.state == "LIVE")
    assert [gap.reason for gap in audience.gaps] == [reason]
    await audience.has(lambda a: len(a.chains[-1].strike) == 66)
    assert audience.notices[-1].feed.connections == 1


async def test_1101_every_subscription_is_made_again_and_the_gap_told(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        lines = len(tws.quotes.open)
        tws.gateway.say(1100, "Connectivity between IB and Trader Workstation has been lost.")
        await audience.has(lambda a: a.states[-1] == ("STALE", "CONNECTIVITY_LOST"))
        tws.quotes.drop_all()
        tws.bars.following.clear()
        # What is quoted without a line is not heard, and is there with the new one.
        tws.quotes.tick(tws.option(CALL), bid=33.25)
        before = len(audience.chains)
        tws.gateway.say(1101, "Connectivity between IB and TWS has been restored- data lost.")
        await restored(audience, "CONNECTIVITY_LOST")
        await audience.has(lambda a: len(a.chains) > before and newest_bid(a, CALL) == 33.25)
        await until(lambda: len(tws.quotes.open) == lines and len(tws.bars.following) == 1)
        tws.quotes.tick(tws.option(CALL), bid=33.5)
        await audience.has(lambda a: newest_bid(a, CALL) == 33.5)


@pytest.mark.parametrize(
    ("lost", "back"),
    [
        ((1100, "Connectivity has been lost"), (1102, "Connectivity restored- data maintained.")),
        ((2110, "Connectivity between TWS and server is broken"), (1102, "restored- data maintained.")),
        (USOPT_BROKEN, USOPT_OK),
        (USOPT_BROKEN, (2108, "inactive but should be available upon demand.usopt")),
        ((2157, "Sec-def data farm connection is broken:secdefnj"), (2158, "Sec-def is OK:secdefnj")),
    ],
)
async def test_what_was_kept_through_a_break_is_verified_line_by_line(
    tws: Market, clock: ShiftedClock, lost: tuple[int, str], back: tuple[int, str]
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        tws.gateway.say(*lost)
        await audience.has(lambda a: a.state == "STALE")
        reason = audience.states[-1][1]
        assert reason in ("CONNECTIVITY_LOST", "FARM_BROKEN")
        call, opened = tws.option(CALL), list(tws.quotes.opened)
        dead = tws.option("SPXW  260731P06250000")
        # One line did not come through, though the gateway says so; its news would be lost for ever.
        tws.quotes.open = [line for line in tws.quotes.open if line.con_id != dead]
        tws.quotes.tick(dead, bid=31.75)
        tws.gateway.say(*back)
        # The underlying is always asked again: what is ticked from then on verifies the others.
        await until(lambda: tws.quotes.opened.count(SPX) == 2)
        tws.quotes.tick(call, bid=33.25)
        await restored(audience, reason)
        await audience.has(lambda a: newest_bid(a, CALL) == 33.25)
        await audience.has(lambda a: newest_bid(a, "SPXW  260731P06250000") == 31.75)
        # Who spoke was kept, and who was silent was asked again.
        assert tws.quotes.opened.count(call) == opened.count(call)
        assert tws.quotes.opened.count(dead) == opened.count(dead) + 1
        assert len(tws.quotes.lines_of(dead)) == 1


async def test_no_chain_is_told_while_a_farm_is_broken_and_others_are_no_matter(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        tws.gateway.say(*USOPT_BROKEN)
        await audience.has(lambda a: a.state == "STALE")
        chains = len(audience.chains)
        tws.quotes.tick(tws.option(CALL), bid=33.25)
        # Of another farm, which was not away.
        tws.gateway.say(2104, "Market data farm connection is OK:usfarm")
        tws.gateway.say(2119, "Market data farm is connecting:usopt")
        # At the end of a silent interval the gateway is asked for the time: two have ended then.
        await until(lambda: len(tws.gateway.asked("49")) >= 2)
        assert len(audience.chains) == chains
        tws.gateway.say(*USOPT_OK)
        await restored(audience, "FARM_BROKEN")
        await audience.has(lambda a: newest_bid(a, CALL) == 33.25)


async def test_a_second_loss_while_the_first_is_mended_is_seen_through(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        for code in (1100, 1101, 1100):
            tws.gateway.say(code, "on and off")
        await audience.has(lambda a: a.state == "STALE")
        tws.quotes.drop_all()
        tws.gateway.say(1102, "restored- data maintained.")
        await restored(audience, "CONNECTIVITY_LOST")
        await until(lambda: len(tws.quotes.open) == 67)


async def test_restored_without_having_been_lost_is_believed(tws: Market, clock: ShiftedClock) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        tws.quotes.drop_all()
        tws.gateway.say(1101, "restored- data lost.")
        await audience.has(lambda a: ("STALE", "CONNECTIVITY_LOST") in a.states)
        await restored(audience, "CONNECTIVITY_LOST")


async def test_a_broken_farm_of_bars_makes_it_stale_while_quotes_go_on(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        tws.gateway.say(2105, "HMDS data farm connection is broken:ushmds")
        await audience.has(lambda a: a.states[-1] == ("STALE", "HISTORICAL_FARM_BROKEN"))
        tws.quotes.tick(tws.option(CALL), bid=33.25)
        await audience.has(lambda a: newest_bid(a, CALL) == 33.25)
        assert audience.state == "STALE"
        asked = len(tws.bars.asked)
        tws.gateway.say(2106, "HMDS data farm connection is OK:ushmds")
        await restored(audience, "HISTORICAL_FARM_BROKEN")
        await until(lambda: len(tws.bars.asked) > asked)


async def test_a_farm_that_is_broken_from_the_start_is_told(tws: Market, clock: ShiftedClock) -> None:
    tws.gateway.greeting = [USOPT_BROKEN, (2105, "HMDS data farm connection is broken:ushmds")]
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: a.states[-1:] == [("STALE", "FARM_BROKEN")])
        tws.gateway.say(*USOPT_OK)
        await audience.has(lambda a: a.states[-1:] == [("STALE", "HISTORICAL_FARM_BROKEN")])
        await audience.has(lambda a: bool(a.chains))
        tws.gateway.say(2106, "HMDS data farm connection is OK:ushmds")
        await audience.has(lambda a: a.state == "LIVE")
        assert audience.notices[-1].feed.connections == 1


async def test_a_gateway_without_its_servers_says_why_it_does_not_answer(
    tws: Market, clock: ShiftedClock
) -> None:
    tws.gateway.greeting = [(1100, "Connectivity between IB and Trader Workstation has been lost.")]
    tws.gateway.held = {"9"}
    source = source_of(tws, clock, timeout_s=2.0)
    async with supervised(source, clock, retry_first_s=0.05, retry_most_s=0.1) as audience:
        await audience.has(lambda a: ("DOWN", "CONNECTIVITY_LOST") in a.states)
        tws.gateway.greeting = []
        tws.gateway.let_go()
        await begun(audience)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (100, "RATE_LIMITED"),
        (502, "NO_GATEWAY"),
        (503, "OUTDATED_GATEWAY"),
        (504, "NO_GATEWAY"),
        (507, "CONNECTION_LOST"),
        (1300, "PORT_CHANGED"),
        (10197, "COMPETING_SESSION"),
    ],
)
async def test_what_ends_a_connection_is_down_with_its_reason(
    tws: Market, clock: ShiftedClock, code: int, reason: str
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        tws.gateway.say(code, "as the gateway words it")
        await audience.has(lambda a: a.states[-1] == ("DOWN", reason))
        assert audience.notices[-1].feed.detail.startswith(f"{code}: as the gateway words it; ")


async def test_an_unknown_symbol_is_told(tws: Market, clock: ShiftedClock) -> None:
    async with supervised(source_of(tws, clock, "ibkr:XYZ"), clock) as audience:
        await audience.has(lambda a: ("DOWN", "NO_SUCH_CONTRACT") in a.states)
        assert audience.notices[-1].feed.detail.startswith("XYZ: 200: No security definition")


@pytest.mark.parametrize(
    ("code", "message"),
    [(200, "No security definition"), (321, "Error validating request"), (322, "Error processing request")],
)
async def test_a_contract_that_is_refused_is_told_and_the_others_come(
    tws: Market, clock: ShiftedClock, code: int, message: str
) -> None:
    tws.quotes.refusals[tws.option(CALL)] = (code, message)
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        chain = audience.chains[-1]
        assert (len(chain.strike), CALL in contract_ids(chain)) == (65, False)
        assert [gap.reason for gap in audience.gaps] == ["CONTRACTS_REFUSED"]
        assert audience.gaps[0].detail.startswith(f"1 contracts were refused: {CALL}: {code}: {message}")
        assert tws.quotes.opened.count(tws.option(CALL)) == 1


async def test_options_that_are_listed_wrongly_are_told_and_the_others_come(
    tws: Market, clock: ShiftedClock
) -> None:
    listed = next(iter(tws.listings.options.values()))
    row = [*listed.details("0")]
    row[9], row[12] = "SPXW  260731C06100000", 999
    tws.listings.extra_rows = [tuple(row), (10, "0", "SPX")]
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        assert len(audience.chains[-1].strike) == 66
        told = {gap.reason: gap.detail for gap in audience.gaps}
        assert (
            "'SPXW  260731C06100000' is not the C at 6000.0 that it is said to be"
            in (told["INCOMPLETE_LISTING"])
        )
        # A short row for each of three expiries.
        assert told["UNREADABLE"].startswith("3 messages cannot be read")


async def test_fewer_lines_than_were_said_are_made_do_with(tws: Market, clock: ShiftedClock) -> None:
    tws.quotes.most_lines = 20
    source = source_of(tws, clock, bars=False, complete_within_s=1.0)
    async with supervised(source, clock) as audience:
        await begun(audience)
        await audience.has(lambda a: len(a.chains[-1].strike) == 66)
        assert {gap.reason for gap in audience.gaps} == {"TOO_MANY_LINES"}
        assert "marketdata.live.ibkr.lines" in audience.gaps[0].detail


@pytest.mark.parametrize("code", [354, 10089, 10090, 10091, 10168, 10186])
async def test_without_permission_for_live_data_the_feed_is_down_and_says_what_to_do(
    tws: Market, clock: ShiftedClock, code: int
) -> None:
    for con_id in tws.quotes.options:
        tws.quotes.refusals[con_id] = (code, "Requested market data is not subscribed.")
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: a.states[-1:] == [("DOWN", "NO_MARKET_DATA_PERMISSION")])
        assert "allow_delayed=true" in audience.notices[-1].feed.detail
        assert not audience.chains


async def test_where_delayed_data_will_do_they_come_instead_and_say_so(
    tws: Market, clock: ShiftedClock
) -> None:
    tws.quotes.permitted = DELAYED
    async with supervised(source_of(tws, clock, allow_delayed=True), clock) as audience:
        await begun(audience)
        await audience.has(lambda a: len(a.chains[-1].strike) == 66)
        assert {chain.provenance for chain in audience.chains} == {common_pb2.PROVENANCE_DELAYED}
        assert audience.notices[-1].feed.provenance == common_pb2.PROVENANCE_DELAYED
        assert "NO_MARKET_DATA_PERMISSION" in {gap.reason for gap in audience.gaps}
        assert bid_of(audience.chains[-1], CALL) == tws.quotes.states[tws.option(CALL)].bid


async def test_without_permission_for_the_underlying_the_options_model_says_where_it_is(
    tws: Market, clock: ShiftedClock
) -> None:
    tws.quotes.refusals[SPX] = (354, "Requested market data is not subscribed.")
    async with supervised(source_of(tws, clock, complete_within_s=1.0), clock) as audience:
        await begun(audience)
        assert audience.chains[-1].spot == SPX_SPOT
        assert [gap.reason for gap in audience.gaps] == ["NO_MARKET_DATA_PERMISSION"]


@pytest.mark.parametrize("number", [165, 399, 2100, 2119, 2137])
async def test_notes_change_nothing(tws: Market, clock: ShiftedClock, number: int) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        before: Sequence[tuple[str, str]] = list(audience.states)
        tws.gateway.say(number, "for your information")
        tws.quotes.tick(tws.option(CALL), bid=33.25)
        await audience.has(lambda a: newest_bid(a, CALL) == 33.25)
        assert (audience.states, audience.gaps) == (before, [])


async def test_an_unknown_number_is_told(tws: Market, clock: ShiftedClock) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await begun(audience)
        tws.gateway.say(10_999, "something new")
        await audience.has(lambda a: bool(a.gaps))
        assert audience.gaps[0].reason == "REQUEST_REFUSED"
        assert audience.gaps[0].detail.startswith("10999: something new")
        assert AAPL not in tws.quotes.opened
