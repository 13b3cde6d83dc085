"""What is live or delayed is held against the clock; recorded data may be of any time."""

from __future__ import annotations

import pytest
from chain_samples import FRIDAY_NS, MINUTE_NS, small_chain

from skewline.servers.marketdata.engine import MarketDataEngine
from skewline.servers.marketdata.validation.freshness import Freshness, freshness_of
from skewline.servers.runtime.settings.marketdata import MarketDataSettings
from skewline.v1 import chain_pb2, common_pb2

LIVE, DELAYED = common_pb2.PROVENANCE_LIVE, common_pb2.PROVENANCE_DELAYED
RECORDED, SIMULATED = common_pb2.PROVENANCE_RECORDED, common_pb2.PROVENANCE_SIMULATED
SECOND_NS = 10**9
FRESHNESS = Freshness(stale_after_s=60.0, delayed_by_s=900.0, delay_s={"cboe": 600.0, "deribit": 0.0})


def of(
    provenance: common_pb2.Provenance.ValueType,
    source: str = "desk",
    *,
    time_ns: int = FRIDAY_NS,
    underlying: str = "XYZ",
) -> chain_pb2.OptionChain:
    chain = small_chain(time_ns=time_ns, underlying=underlying)
    chain.provenance, chain.source = provenance, source
    return chain


def reason(chain: chain_pb2.OptionChain, behind_s: float, engine: MarketDataEngine | None = None) -> str:
    engine = engine or MarketDataEngine(FRESHNESS)
    summary = engine.on_chain(chain, "", chain.time_ns + round(behind_s * SECOND_NS)).summary
    assert summary.reason in summary.detail
    return summary.reason


@pytest.mark.parametrize(
    ("provenance", "source", "allowed_s"),
    [
        (LIVE, "desk", 60.0),
        (LIVE, "deribit:BTC", 60.0),
        (DELAYED, "desk", 960.0),
        (DELAYED, "cboe:SPX", 660.0),
    ],
)
def test_data_older_than_its_delay_explains_is_stale(
    provenance: common_pb2.Provenance.ValueType, source: str, allowed_s: float
) -> None:
    assert reason(of(provenance, source), allowed_s) == ""
    assert reason(of(provenance, source), allowed_s + 0.001) == "STALE_TIME"


# From the close on Friday: within the hour, that evening, Sunday, Tuesday before the opening after a holiday.
@pytest.mark.parametrize("hours", [1.0, 3.0, 47.0, 89.0])
def test_while_the_market_is_closed_what_it_closed_with_is_not_stale(hours: float) -> None:
    closing = FRIDAY_NS + 60 * MINUTE_NS
    assert reason(of(LIVE, time_ns=closing), hours * 3600.0) == ""
    assert reason(of(LIVE, time_ns=closing - 30 * SECOND_NS), hours * 3600.0) == ""
    assert reason(of(LIVE), hours * 3600.0 + 3600.0) == "STALE_TIME"


def test_what_it_closed_with_is_stale_when_it_is_open_again_and_for_what_never_closes() -> None:
    closing = FRIDAY_NS + 60 * MINUTE_NS
    assert reason(of(LIVE, time_ns=closing), 89.0 * 3600.0) == ""
    assert reason(of(LIVE, time_ns=closing), 90.0 * 3600.0) == "STALE_TIME"
    coin = of(LIVE, "deribit:BTC", time_ns=closing)
    coin.symbol.extend(f"XYZ-{at}" for at in range(len(coin.strike)))
    assert reason(coin, 3.0 * 3600.0) == "STALE_TIME"


@pytest.mark.parametrize("provenance", [RECORDED, SIMULATED])
@pytest.mark.parametrize("behind_s", [-1e6, 1e6])
def test_recorded_and_simulated_data_may_be_of_any_time(
    provenance: common_pb2.Provenance.ValueType, behind_s: float
) -> None:
    assert reason(of(provenance), behind_s) == ""


def test_a_replay_has_no_clock() -> None:
    assert MarketDataEngine(FRESHNESS).on_chain(of(LIVE)).summary.reason == ""


def test_any_age_may_be_allowed() -> None:
    assert reason(of(LIVE), 1e8, MarketDataEngine()) == ""


@pytest.mark.parametrize("provenance", [LIVE, DELAYED])
def test_data_from_the_future_is_rejected(provenance: common_pb2.Provenance.ValueType) -> None:
    assert reason(of(provenance), -300.0) == ""
    assert reason(of(provenance), -300.001) == "FUTURE_TIME"


def test_a_source_whose_clock_goes_back_is_found_over_all_its_underlyings() -> None:
    engine = MarketDataEngine()
    assert reason(of(LIVE), 0.0, engine) == ""
    earlier = FRIDAY_NS - 2 * MINUTE_NS
    assert reason(of(LIVE, underlying="ABC", time_ns=earlier), 0.0, engine) == "CLOCK_WENT_BACK"
    assert reason(of(LIVE, "other", underlying="ABC", time_ns=earlier), 0.0, engine) == ""


def test_a_few_seconds_between_underlyings_are_nothing() -> None:
    engine = MarketDataEngine()
    assert reason(of(LIVE), 0.0, engine) == ""
    assert reason(of(LIVE, underlying="ABC", time_ns=FRIDAY_NS - MINUTE_NS), 0.0, engine) == ""


def test_files_may_be_replayed_in_any_order() -> None:
    engine = MarketDataEngine()
    assert reason(of(RECORDED), 0.0, engine) == ""
    assert reason(of(RECORDED, underlying="ABC", time_ns=FRIDAY_NS - 10 * MINUTE_NS), 0.0, engine) == ""


def test_the_settings_state_the_delay_of_each_venue() -> None:
    settings = MarketDataSettings(stale_after_s=30.0, delayed_by_s=1200.0)
    made = freshness_of(settings)
    assert made.allowed_ns(of(DELAYED, "cboe:SPX")) == 930 * SECOND_NS
    assert made.allowed_ns(of(DELAYED, "desk")) == 1230 * SECOND_NS
    assert made.allowed_ns(of(LIVE, "deribit:BTC")) == 30 * SECOND_NS
