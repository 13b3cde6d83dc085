"""What the engine accepts, sets aside and rejects."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from chain_samples import DAY_NS, FRIDAY_NS, MINUTE_NS, small_chain

from skewline.servers.marketdata.engine import MarketDataEngine, snapshot_id_of
from skewline.servers.marketdata.sources.cboe import CboeSource
from skewline.servers.marketdata.validation.contract_rules import CONTRACT_RULES
from skewline.v1 import chain_pb2, common_pb2

ACCEPTED, REJECTED = chain_pb2.CHAIN_STATUS_ACCEPTED, chain_pb2.CHAIN_STATUS_REJECTED


@pytest.fixture
def engine() -> MarketDataEngine:
    return MarketDataEngine()


def set_first(**values: float) -> Callable[[chain_pb2.OptionChain], None]:
    def change(chain: chain_pb2.OptionChain) -> None:
        for name, value in values.items():
            getattr(chain, name)[0] = value

    return change


def sized(chain: chain_pb2.OptionChain) -> None:
    chain.bid_size.extend([-1.0] + [5.0] * 11)
    chain.ask_size.extend([5.0] * 12)


def doubled(chain: chain_pb2.OptionChain) -> None:
    chain.strike[0], chain.is_call[0] = chain.strike[2], chain.is_call[2]


def run_out(chain: chain_pb2.OptionChain) -> None:
    chain.expiries[0].expiry_ns = chain.time_ns


BROKEN = {
    "NON_FINITE": (set_first(bid=math.nan), 1),
    "NEGATIVE_PRICE": (set_first(bid=-0.05), 1),
    "NEGATIVE_SIZE": (sized, 1),
    "TOO_LARGE": (set_first(ask=1e300), 1),
    "BAD_STRIKE": (set_first(strike=0.0), 1),
    "EXPIRED": (run_out, 6),
    "DUPLICATE_CONTRACT": (doubled, 1),
    "NO_QUOTE": (set_first(bid=0.0, ask=0.0), 1),
    "CROSSED": (set_first(bid=7.5, ask=7.0), 1),
    "OUTSIDE_BOUNDS": (set_first(bid=400.0, ask=401.0), 1),
    "ARBITRAGE_BOUNDS": (set_first(bid=101.0, ask=102.0), 1),
}
# Their examples take a snapshot before: validation/test_against_last_snapshot.py has them.
COMPARED = ("STALE_EXPIRY", "OUTLIER")


def test_every_rule_has_an_example() -> None:
    assert [*BROKEN, *COMPARED] == [rule.reason for rule in CONTRACT_RULES]


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_contract_goes_and_the_rest_stays(engine: MarketDataEngine, reason: str) -> None:
    chain = small_chain()
    breaking, number = BROKEN[reason]
    breaking(chain)
    outcome = engine.on_chain(chain)
    assert outcome.summary.status == ACCEPTED
    assert [(r.reason, r.count) for r in outcome.summary.rejected] == [(reason, number)]
    assert outcome.summary.quotes == 12 - number
    assert outcome.chain is not None
    assert len(outcome.chain.ask) == len(outcome.chain.expiry_index) == 12 - number
    [aside] = outcome.aside
    assert (aside.reason, len(aside.contracts.strike)) == (reason, number)


def test_locked_and_one_sided_quotes_stay_and_are_counted(engine: MarketDataEngine) -> None:
    chain = small_chain()
    chain.bid[0] = chain.ask[0]
    chain.bid[1] = 0.0
    chain.ask[2] = 0.0
    outcome = engine.on_chain(chain)
    assert outcome.summary.quotes == 12
    assert [(note.reason, note.count) for note in outcome.summary.noted] == [
        ("LOCKED", 1),
        ("NO_BID", 1),
        ("NO_ASK", 1),
    ]
    assert outcome.chain is not None
    assert outcome.chain.noted == outcome.summary.noted


def test_an_expiry_without_contracts_goes_and_the_indices_follow(engine: MarketDataEngine) -> None:
    chain = small_chain()
    run_out(chain)
    clean = engine.on_chain(chain).chain
    assert clean is not None
    assert [expiry.expiry_date for expiry in clean.expiries] == ["2019-07-19"]
    assert set(clean.expiry_index) == {0}


def test_contracts_are_put_in_order(engine: MarketDataEngine) -> None:
    chain, shuffled = small_chain(), small_chain()
    for column in ("expiry_index", "strike", "is_call", "bid", "ask"):
        values = list(getattr(chain, column))
        del getattr(shuffled, column)[:]
        getattr(shuffled, column).extend(reversed(values))
    clean = engine.on_chain(shuffled).chain
    assert clean is not None
    assert list(clean.strike) == list(chain.strike)
    assert list(clean.is_call) == list(chain.is_call)
    assert list(clean.bid) == list(chain.bid)


def changed(**fields: object) -> chain_pb2.OptionChain:
    chain = small_chain(time_ns=FRIDAY_NS + MINUTE_NS, shift=0.1)
    for name, value in fields.items():
        setattr(chain, name, value)
    return chain


def unequal() -> chain_pb2.OptionChain:
    chain = changed()
    chain.bid.append(1.0)
    return chain


def beyond() -> chain_pb2.OptionChain:
    chain = changed()
    chain.expiry_index[3] = 7
    return chain


@pytest.mark.parametrize(
    ("chain", "reason", "says"),
    [
        (unequal(), "SCHEMA", "bid: has 13 values"),
        (beyond(), "SCHEMA", r"expiry_index\[3\]"),
        (changed(underlying=""), "SCHEMA", "underlying"),
        (changed(time_ns=FRIDAY_NS // 1_000_000), "SCHEMA", "time_ns"),
        (changed(provenance=0), "UNSPECIFIED_PROVENANCE", "recorded"),
        (changed(source=""), "UNKNOWN_SOURCE", "source"),
        (changed(time_ns=FRIDAY_NS), "OUT_OF_ORDER", "equal to it"),
        (changed(time_ns=FRIDAY_NS + DAY_NS), "MARKET_HOLIDAY", "2019-05-25"),
        (small_chain(time_ns=FRIDAY_NS + MINUTE_NS), "DUPLICATE_SNAPSHOT", "all 12 quotes"),
    ],
)
def test_a_bad_snapshot_is_rejected_whole(
    engine: MarketDataEngine, chain: chain_pb2.OptionChain, reason: str, says: str
) -> None:
    assert engine.on_chain(small_chain()).summary.status == ACCEPTED
    outcome = engine.on_chain(chain)
    assert outcome.chain is None
    assert (outcome.summary.status, outcome.summary.reason) == (REJECTED, reason)
    assert outcome.alert is not None
    assert outcome.alert.reason == reason
    assert re.search(says, outcome.summary.detail)


def test_a_chain_of_nothing_is_empty(engine: MarketDataEngine) -> None:
    chain = small_chain()
    for place in range(12):
        chain.bid[place] = chain.ask[place] = 0.0
    summary = engine.on_chain(chain).summary
    assert summary.reason == "EMPTY"
    assert [(r.reason, r.count) for r in summary.rejected] == [("NO_QUOTE", 12)]


def test_a_rejected_snapshot_is_not_what_the_next_is_compared_with(engine: MarketDataEngine) -> None:
    engine.on_chain(small_chain())
    later = small_chain(time_ns=FRIDAY_NS + 2 * MINUTE_NS)
    assert engine.on_chain(later).summary.reason == "DUPLICATE_SNAPSHOT"
    assert engine.on_chain(changed()).summary.status == ACCEPTED


def test_crypto_trades_on_weekends(engine: MarketDataEngine) -> None:
    chain = changed(time_ns=FRIDAY_NS + DAY_NS, underlying="BTC")
    chain.symbol.extend(f"BTC-{place}" for place in range(12))
    assert engine.on_chain(chain).summary.status == ACCEPTED


def test_underlyings_are_judged_apart(engine: MarketDataEngine) -> None:
    engine.on_chain(small_chain())
    assert engine.on_chain(small_chain(underlying="ABC")).summary.status == ACCEPTED


def test_a_restored_engine_decides_as_the_one_before(engine: MarketDataEngine) -> None:
    first = engine.on_chain(small_chain()).chain
    assert first is not None
    again = MarketDataEngine()
    again.restore([first])
    for chain in (small_chain(time_ns=FRIDAY_NS + MINUTE_NS), changed(), small_chain()):
        assert again.on_chain(chain).summary == engine.on_chain(chain).summary


def test_the_id_follows_from_the_content() -> None:
    chain, other = small_chain(), small_chain()
    assert snapshot_id_of(chain) == snapshot_id_of(other)
    other.bid[0] += 0.01
    assert snapshot_id_of(chain) != snapshot_id_of(other)


def test_simulated_data_stays_labelled(engine: MarketDataEngine) -> None:
    outcome = engine.on_chain(changed(provenance=common_pb2.PROVENANCE_SIMULATED))
    assert outcome.summary.provenance == common_pb2.PROVENANCE_SIMULATED
    assert outcome.chain is not None
    assert outcome.chain.provenance == common_pb2.PROVENANCE_SIMULATED


def test_the_holiday_that_repeats_friday_is_rejected_with_both_facts(
    engine: MarketDataEngine, market_data: Path
) -> None:
    source = CboeSource(market_data / "spx-2019")
    outcomes = [engine.on_chain(source.load(ref)).summary for ref in source.plan()]
    rejected = [outcome for outcome in outcomes if outcome.status == REJECTED]
    assert [outcome.source for outcome in rejected] == ["cboe:SPX_20190527.csv.gz"]
    assert rejected[0].reason == "MARKET_HOLIDAY"
    assert "2019-05-27 is no session" in rejected[0].detail
    assert "DUPLICATE_SNAPSHOT: spot 2826.06 and the day's volumes" in rejected[0].detail
    assert sum(outcome.status == ACCEPTED for outcome in outcomes) == 24
