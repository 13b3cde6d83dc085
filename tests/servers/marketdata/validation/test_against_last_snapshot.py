"""Quotes held against the last accepted snapshot, and against what arbitrage allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from chain_samples import DAY_NS, FRIDAY_NS, LADDER, MINUTE_NS, ladder_chain, place_of

from skewline.servers.marketdata.engine import ChainOutcome, MarketDataEngine
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.sources.lean import LeanSource
from skewline.servers.marketdata.sources.source import Selection, Source
from skewline.v1 import chain_pb2, instrument_pb2

ACCEPTED, REJECTED = chain_pb2.CHAIN_STATUS_ACCEPTED, chain_pb2.CHAIN_STATUS_REJECTED
CONTRACTS = 4 * len(LADDER)


def gone(outcome: ChainOutcome) -> dict[str, int]:
    return {each.reason: each.count for each in outcome.summary.rejected}


def quoted(chain: chain_pb2.OptionChain, place: int, bid: float, ask: float) -> chain_pb2.OptionChain:
    chain.bid[place], chain.ask[place] = bid, ask
    return chain


def begun() -> MarketDataEngine:
    engine = MarketDataEngine()
    assert engine.on_chain(ladder_chain()).summary.quotes == CONTRACTS
    return engine


def later(**changes: float) -> chain_pb2.OptionChain:
    return ladder_chain(time_ns=FRIDAY_NS + MINUTE_NS, **changes)


def standing(chain: chain_pb2.OptionChain, *expiries: int) -> chain_pb2.OptionChain:
    """`chain` with the quotes of a minute before in these expiries."""
    before = ladder_chain()
    for place, index in enumerate(chain.expiry_index):
        if index in expiries:
            quoted(chain, place, before.bid[place], before.ask[place])
    return chain


class TestStandingStill:
    def test_the_whole_chain_is_rejected(self) -> None:
        outcome = begun().on_chain(standing(later(spot=100.5), 0, 1))
        assert (outcome.summary.status, outcome.summary.reason) == (REJECTED, "STALE_QUOTES")
        assert "the spot went from 100 to 100.5" in outcome.summary.detail
        assert "no quote of 2 expiries changed" in outcome.summary.detail

    def test_of_a_single_expiry_the_contracts_go(self) -> None:
        outcome = begun().on_chain(standing(later(spot=100.5), 1))
        assert outcome.summary.status == ACCEPTED
        assert gone(outcome) == {"STALE_EXPIRY": CONTRACTS // 2}
        assert outcome.chain is not None
        assert [expiry.expiry_date for expiry in outcome.chain.expiries] == ["2019-06-21"]

    @pytest.mark.parametrize("spot", [100.0, 100.15, 99.85, math.nan])
    def test_a_spot_that_hardly_moves_proves_nothing(self, spot: float) -> None:
        chain = later(spot=100.0)
        chain.spot = spot
        chain.bid[0] += 0.01
        assert gone(begun().on_chain(chain)) == {}

    def test_one_quote_that_follows_shows_that_they_are_alive(self) -> None:
        chain = standing(later(spot=100.5), 0, 1)
        for index in (0, 1):
            place = place_of(chain, index, 100.0, True)
            quoted(chain, place, chain.bid[place] + 0.05, chain.ask[place] + 0.05)
        assert gone(begun().on_chain(chain)) == {}

    def test_wide_quotes_need_not_follow(self) -> None:
        engine = MarketDataEngine()
        engine.on_chain(ladder_chain(width=0.6))
        chain = ladder_chain(time_ns=FRIDAY_NS + MINUTE_NS, width=0.6)
        chain.spot = 100.5
        assert engine.on_chain(chain).summary.status == ACCEPTED

    def test_contracts_that_come_and_go_do_not_matter(self) -> None:
        chain = standing(later(spot=100.5), 0, 1)
        before = ladder_chain()
        for column in ("expiry_index", "strike", "is_call", "bid", "ask"):
            values = getattr(before, column)[6:]
            before.ClearField(column)
            getattr(before, column).extend(values)
        engine = MarketDataEngine()
        assert engine.on_chain(before).summary.quotes == CONTRACTS - 6
        assert engine.on_chain(chain).summary.reason == "STALE_QUOTES"


class TestOutlier:
    def test_a_contract_that_jumps_alone_goes(self) -> None:
        chain = later(spot=100.2)
        place = place_of(chain, 0, 100.0, True)
        outcome = begun().on_chain(quoted(chain, place, chain.bid[place] + 3.0, chain.ask[place] + 3.0))
        assert gone(outcome) == {"OUTLIER": 1}
        [aside] = outcome.aside
        assert (aside.reason, list(aside.contracts.strike)) == ("OUTLIER", [100.0])
        assert aside.contracts.bid[0] == chain.bid[place]

    def test_so_does_one_that_falls(self) -> None:
        engine = MarketDataEngine()
        engine.on_chain(ladder_chain(vol=0.6))
        chain = later(vol=0.6)
        place = place_of(chain, 1, 100.0, False)
        outcome = engine.on_chain(quoted(chain, place, chain.bid[place] - 6.0, chain.ask[place] - 6.0))
        assert gone(outcome) == {"OUTLIER": 1}

    def test_a_level_that_lasts_is_believed(self) -> None:
        engine = begun()
        for minute, expected in ((1, {"OUTLIER": 1}), (2, {})):
            chain = ladder_chain(time_ns=FRIDAY_NS + minute * MINUTE_NS, spot=100.0 + 0.01 * minute)
            place = place_of(chain, 0, 100.0, False)
            assert gone(engine.on_chain(quoted(chain, place, 6.0, 6.1))) == expected

    def test_a_market_that_jumps_takes_all_with_it(self) -> None:
        assert gone(begun().on_chain(later(spot=110.0, vol=0.6))) == {}

    def test_a_quote_that_only_widens_stays(self) -> None:
        chain = later(spot=100.2)
        place = place_of(chain, 0, 100.0, True)
        assert gone(begun().on_chain(quoted(chain, place, 0.01, 60.0))) == {}

    def test_without_neighbours_nothing_is_said(self) -> None:
        def thin(chain: chain_pb2.OptionChain) -> chain_pb2.OptionChain:
            few = chain_pb2.OptionChain()
            few.CopyFrom(chain)
            for column in ("expiry_index", "strike", "is_call", "bid", "ask"):
                few.ClearField(column)
                getattr(few, column).extend(getattr(chain, column)[:12])
            return few

        engine = MarketDataEngine()
        engine.on_chain(thin(ladder_chain()))
        chain = thin(later(spot=100.2))
        assert gone(engine.on_chain(quoted(chain, 4, 26.0, 26.1))) == {}


def dear_call(chain: chain_pb2.OptionChain) -> chain_pb2.OptionChain:
    return quoted(chain, place_of(chain, 0, 80.0, True), 101.5, 102.0)


def cheap_call(chain: chain_pb2.OptionChain) -> chain_pb2.OptionChain:
    return quoted(chain, place_of(chain, 0, 80.0, True), 15.0, 16.0)


def dear_put(chain: chain_pb2.OptionChain) -> chain_pb2.OptionChain:
    return quoted(chain, place_of(chain, 1, 80.0, False), 81.5, 82.0)


def cheap_put(chain: chain_pb2.OptionChain) -> chain_pb2.OptionChain:
    return quoted(chain, place_of(chain, 1, 120.0, False), 15.0, 16.0)


BEYOND: list[Callable[[chain_pb2.OptionChain], chain_pb2.OptionChain]] = [
    dear_call,
    cheap_call,
    dear_put,
    cheap_put,
]


class TestArbitrageBounds:
    @pytest.mark.parametrize("beyond", BEYOND)
    @pytest.mark.parametrize("exercise", instrument_pb2.ExerciseStyle.values()[1:])
    def test_what_no_rate_or_dividend_allows_goes(
        self, beyond: Callable[[chain_pb2.OptionChain], chain_pb2.OptionChain], exercise: int
    ) -> None:
        chain = beyond(ladder_chain())
        chain.exercise = instrument_pb2.ExerciseStyle.ValueType(exercise)
        assert gone(MarketDataEngine().on_chain(chain)) == {"ARBITRAGE_BOUNDS": 1}

    def test_a_deep_european_put_may_be_worth_less_than_its_gain_now(self) -> None:
        chain = ladder_chain()
        place = place_of(chain, 1, 120.0, False)
        assert gone(MarketDataEngine().on_chain(quoted(chain, place, 18.0, 19.0))) == {}
        chain.exercise = instrument_pb2.EXERCISE_STYLE_AMERICAN
        assert gone(MarketDataEngine().on_chain(chain)) == {"ARBITRAGE_BOUNDS": 1}

    def test_a_stated_forward_goes_before_the_spot(self) -> None:
        chain = ladder_chain()
        chain.spot = 90.0  # an index that is somewhere else than the future
        for expiry in chain.expiries:
            expiry.forward, expiry.discount = 100.0, 1.0
        assert gone(MarketDataEngine().on_chain(chain)) == {}
        assert gone(MarketDataEngine().on_chain(cheap_call(chain))) == {"ARBITRAGE_BOUNDS": 1}

    def test_without_spot_or_forward_nothing_is_said(self) -> None:
        chain = cheap_call(ladder_chain())
        chain.spot = math.nan
        assert gone(MarketDataEngine().on_chain(chain)) == {}

    def test_vix_is_no_price_that_can_be_held(self) -> None:
        chain = cheap_call(ladder_chain())
        chain.underlying = "VIX"
        assert gone(MarketDataEngine().on_chain(chain)) == {}


class TestRealData:
    """What the market really did is neither stale nor an outlier nor an arbitrage."""

    @staticmethod
    def reasons(source: Source, most: int) -> tuple[int, set[str]]:
        engine = MarketDataEngine()
        outcomes = [engine.on_chain(source.load(ref)) for ref in source.plan()[:most]]
        accepted = sum(outcome.summary.status == ACCEPTED for outcome in outcomes)
        return accepted, {reason for outcome in outcomes for reason in gone(outcome)}

    COMPARED = frozenset({"ARBITRAGE_BOUNDS", "STALE_EXPIRY", "OUTLIER"})

    def test_spx_days(self, market_data: Path) -> None:
        accepted, reasons = self.reasons(CboeSource(market_data / "spx-2019"), 25)
        assert accepted == 24
        assert not reasons & self.COMPARED

    @pytest.mark.parametrize(("symbol", "snapshots"), [("GOOG", 60), ("AAPL", 14), ("TWX", 60)])
    def test_shares(self, market_data: Path, symbol: str, snapshots: int) -> None:
        source = LeanSource(market_data / "lean", Selection((symbol,)))
        accepted, reasons = self.reasons(source, snapshots)
        assert accepted == snapshots
        assert not reasons & self.COMPARED

    def test_a_day_whose_quotes_are_those_of_the_day_before_is_found(self, market_data: Path) -> None:
        source = CboeSource(market_data / "spx-2019")
        first, second = (source.load(ref) for ref in source.plan()[:2])
        old = chain_pb2.OptionChain()
        old.CopyFrom(first)
        old.time_ns, old.spot, old.source = second.time_ns, second.spot, second.source
        engine = MarketDataEngine()
        engine.on_chain(first)
        assert abs(second.spot - first.spot) > 0.001 * first.spot
        assert engine.on_chain(old).summary.reason == "STALE_QUOTES"
        assert second.time_ns - first.time_ns == DAY_NS
