"""Interactive Brokers' chains: what is in them, within which lines, and whose they are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from ibkr_feeds import CALL, FAR, bid_of, newest_bid, source_of, venues_of
from live_feeds import NOON_NS, ShiftedClock, supervised
from tws_gateway.market import AAPL_SPOT, SPX, SPX_SPOT, VOL, Market
from tws_gateway.quotes import DELAYED

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.instruments import contract_ids
from skewline.v1 import chain_pb2, common_pb2, instrument_pb2

SECOND = 1_000_000_000
AM, PM = instrument_pb2.SETTLEMENT_STYLE_AM, instrument_pb2.SETTLEMENT_STYLE_PM


async def test_the_first_chain_is_whole(tws: Market, clock: ShiftedClock) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        chain = audience.chains[0]
        assert set(contract_ids(chain)) == {
            option.local_symbol for option in tws.listings.options.values() if option.symbol == "SPX"
        }
        assert [(each.root, each.expiry_date, each.settlement) for each in chain.expiries] == [
            ("SPXW", "2026-07-31", PM),
            ("SPX", "2026-08-21", AM),
            ("SPXW", "2026-08-21", PM),
        ]
        assert (chain.underlying, chain.source, chain.currency) == ("SPX", "ibkr:SPX", "USD")
        assert chain.exercise == instrument_pb2.EXERCISE_STYLE_EUROPEAN
        assert to_decimal(chain.multiplier) == 100
        assert chain.provenance == common_pb2.PROVENANCE_LIVE
        assert chain.spot == SPX_SPOT
        assert NOON_NS <= chain.time_ns <= clock.time_ns()
        state = tws.quotes.states[tws.option(CALL)]
        at = contract_ids(chain).index(CALL)
        assert (chain.bid[at], chain.ask[at]) == (state.bid, state.ask)
        assert (chain.bid_size[at], chain.ask_size[at], chain.volume[at]) == (10, 12, 25)
        assert (chain.open_interest[at], chain.vendor_iv[at]) == (140, VOL)
        judged = MarketDataEngine().on_chain(chain, received_ns=clock.time_ns()).summary
        assert (judged.status, judged.quotes) == (chain_pb2.CHAIN_STATUS_ACCEPTED, 66)
        assert audience.states == [("CONNECTING", ""), ("LIVE", "")]
        assert not audience.gaps


async def test_a_tick_is_in_the_next_chain_and_a_repeated_one_makes_none(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        call = tws.option(CALL)
        tws.quotes.tick(call)
        tws.quotes.tick(call)
        tws.quotes.tick(SPX, last=6251.0)
        await audience.has(lambda a: len(a.chains) == 2)
        tws.quotes.tick(call, bid=33.25)
        await audience.has(lambda a: len(a.chains) == 3)
        assert [chain.spot for chain in audience.chains] == [SPX_SPOT, 6251.0, 6251.0]
        assert newest_bid(audience, CALL) == 33.25
        assert all(later.time_ns > earlier.time_ns for earlier, later in pairwise(audience.chains))


async def test_options_on_shares_are_american_and_adjusted_ones_are_left_out(
    tws: Market, clock: ShiftedClock
) -> None:
    async with supervised(source_of(tws, clock, "ibkr:AAPL"), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        chain = audience.chains[0]
        assert chain.exercise == instrument_pb2.EXERCISE_STYLE_AMERICAN
        assert {each.root for each in chain.expiries} == {"AAPL"}
        assert (len(chain.strike), chain.spot) == (36, AAPL_SPOT)


async def test_one_side_alone_and_no_side_are_told_as_they_are(tws: Market, clock: ShiftedClock) -> None:
    call = tws.option(CALL)
    tws.quotes.tick(call, bid=-1.0, ask=0.05, bid_size=0.0)
    async with supervised(source_of(tws, clock), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        chain = audience.chains[0]
        at = contract_ids(chain).index(CALL)
        assert (chain.bid[at], chain.ask[at]) == (0.0, 0.05)


async def test_expiries_and_strikes_are_those_nearest(tws: Market, clock: ShiftedClock) -> None:
    async with supervised(source_of(tws, clock, expiries=1, strikes=3), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        chain = audience.chains[0]
        assert [each.expiry_date for each in chain.expiries] == ["2026-07-31"]
        assert sorted(set(chain.strike)) == [6200.0, 6250.0, 6300.0]


async def test_within_few_lines_the_nearest_are_held_and_the_rest_comes_in_turns(
    tws: Market, clock: ShiftedClock
) -> None:
    source = source_of(tws, clock, lines=14, bars=False, requests_per_s=50)
    async with supervised(source, clock) as audience:
        await audience.has(lambda a: bool(a.chains) and len(a.chains[-1].strike) == 66)
        assert tws.quotes.most_open <= 14
        opened = tws.quotes.opened
        held = [tws.option(CALL), tws.option(CALL.replace("C0", "P0"))]
        assert [opened.count(con_id) for con_id in held] == [1, 1]
        assert all(tws.quotes.lines_of(con_id) for con_id in held)
        # A second turn finds what changed since the first.
        tws.quotes.tick(tws.option(FAR), bid=9.99, ask=10.01)
        await audience.has(lambda a: newest_bid(a, FAR) == 9.99)
        assert not audience.gaps


async def test_a_quote_too_old_is_left_out_until_its_next_turn(tws: Market, clock: ShiftedClock) -> None:
    source = source_of(tws, clock, lines=14, bars=False, oldest_quote_s=0.2)
    async with supervised(source, clock) as audience:
        await audience.has(lambda a: bool(a.chains) and bid_of(a.chains[-1], FAR) > 0)
        await audience.has(lambda a: len(a.chains[-1].strike) < 66 and bid_of(a.chains[-1], CALL) > 0)


async def test_feeds_share_the_lines_and_each_has_a_client_id(tws: Market, clock: ShiftedClock) -> None:
    venues = venues_of(tws, clock, lines=40, requests_per_s=50)
    async with supervised(venues.open("ibkr:SPX"), clock) as spx:
        await spx.has(lambda a: bool(a.chains))
        async with supervised(venues.open("ibkr:AAPL"), clock) as aapl:
            await aapl.has(lambda a: bool(a.chains) and len(a.chains[-1].strike) == 36)
            await spx.has(lambda a: len(a.chains[-1].strike) == 66)
            assert {each.client_id for each in tws.gateway.connections} == {20, 21}
            # What one feed lets go and another takes may cross on the way.
            await spx.has(lambda _: len(tws.quotes.open) <= 40)
            assert tws.quotes.most_open <= 44


async def test_what_a_moved_market_brings_near_is_listened_to(
    tws: Market, clock: ShiftedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skewline.servers.marketdata.live.ibkr.universe._REORDER_S", 0.1)
    source = source_of(tws, clock, expiries=1, strikes=3, bars=False)
    async with supervised(source, clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        tws.quotes.tick(SPX, last=6480.0)
        await audience.has(lambda a: sorted(set(a.chains[-1].strike)) == [6400.0, 6450.0, 6500.0])
        assert len(tws.quotes.open) == 7


async def test_a_new_listing_is_followed(tws: Market, clock: ShiftedClock) -> None:
    monthly = [each for each in tws.listings.options.values() if each.trading_class == "SPX"]
    for option in monthly:
        del tws.listings.options[option.con_id]
    async with supervised(source_of(tws, clock, relist_s=0.2), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        assert len(audience.chains[0].strike) == 44
        tws.listings.add(*monthly)
        await audience.has(lambda a: len(a.chains[-1].strike) == 66)


async def test_delayed_data_are_told_as_such_and_as_of_then(tws: Market, clock: ShiftedClock) -> None:
    tws.quotes.permitted = DELAYED
    async with supervised(source_of(tws, clock, market_data="delayed"), clock) as audience:
        await audience.has(lambda a: bool(a.chains))
        chain = audience.chains[0]
        assert chain.provenance == common_pb2.PROVENANCE_DELAYED
        assert chain.time_ns <= clock.time_ns() - 900 * SECOND
        assert audience.notices[-1].feed.provenance == common_pb2.PROVENANCE_DELAYED
        assert bid_of(chain, CALL) == tws.quotes.states[tws.option(CALL)].bid


async def test_with_the_market_closed_and_nothing_new_the_feed_says_until_when(tws: Market) -> None:
    midnight = ShiftedClock(NOON_NS + 12 * 3600 * SECOND)
    async with supervised(source_of(tws, midnight), midnight) as audience:
        await audience.has(lambda a: a.state == "CLOSED")
        assert audience.notices[-1].feed.expected_ns == NOON_NS + (24 * 3600 - 9000) * SECOND
        assert np.isfinite(audience.chains[0].bid).all()
