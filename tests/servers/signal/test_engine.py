import math

import pytest
from priced_surfaces import shift_quote, surface
from smile_chains import DAY_NS

from skewline.servers.runtime.settings.signal import SignalSettings
from skewline.servers.signal.engine import Assessment, SignalEngine
from skewline.v1 import chain_pb2, common_pb2, signal_pb2, surface_pb2

SETTINGS = SignalSettings()
TRACE = "0af7651916cd43dd8448eb211c80319c"


def odd_quotes(chain: chain_pb2.OptionChain) -> None:
    shift_quote(chain, expiry=3, strike=104.0, is_call=True, by=0.15)
    shift_quote(chain, expiry=5, strike=94.0, is_call=False, by=-0.15)


def odd_surface(day: int = 0) -> surface_pb2.VolSurface:
    return surface(day=day, spot=100.0 + math.sin(day), spoil=odd_quotes)


def reasons(signal_set: signal_pb2.SignalSet) -> dict[str, int]:
    return {each.reason: each.count for each in signal_set.filtered}


@pytest.fixture(scope="module")
def days() -> list[surface_pb2.VolSurface]:
    return [odd_surface(day) for day in range(8)]


def test_a_signal_says_all_that_a_trader_needs(days: list[surface_pb2.VolSurface]) -> None:
    signal_set = SignalEngine(SETTINGS).on_surface(days[0], TRACE)
    assert (signal_set.surface_id, signal_set.snapshot_id) == (days[0].surface_id, "snapshot-0")
    assert len(signal_set.signals) == 2
    for signal in signal_set.signals:
        assert signal.trace_id == TRACE
        assert signal.provenance == common_pb2.PROVENANCE_SIMULATED
        assert signal.strategy == signal_pb2.STRATEGY_VOLATILITY_ARBITRAGE
        assert 0.6 < signal.confidence < 1.0
        assert signal.edge > 0.0
        assert signal.edge_stdev > 0.0
        assert signal.horizon_ns > 0
        assert signal.explanation
        assert {seen.name for seen in signal.evidence} >= {"fair_iv", "model_iv", "fit_rmse", "edge_error"}
        assert {leg.instrument_id[:6] for leg in signal.legs} == {"XYZ   "}
        crossed = sum(
            leg.ratio
            * (leg.model_price - leg.ask if leg.side == common_pb2.SIDE_BUY else leg.bid - leg.model_price)
            for leg in signal.legs
        )
        assert signal.edge == pytest.approx(100 * crossed)


def test_the_best_come_first(days: list[surface_pb2.VolSurface]) -> None:
    signals = SignalEngine(SETTINGS).on_surface(days[0], TRACE).signals
    scores = [signal.edge / signal.edge_stdev for signal in signals]
    assert scores == sorted(scores, reverse=True)


def test_the_same_surfaces_give_the_same_signals(days: list[surface_pb2.VolSurface]) -> None:
    first, second = SignalEngine(SETTINGS), SignalEngine(SETTINGS)
    assert [first.on_surface(each, TRACE) for each in days] == [
        second.on_surface(each, TRACE) for each in days
    ]


def test_a_bet_is_not_made_again_until_it_has_cooled_down(days: list[surface_pb2.VolSurface]) -> None:
    engine = SignalEngine(SETTINGS)
    counted = [engine.on_surface(each, TRACE) for each in days]
    assert [bool(each.signals) for each in counted[:5]] == [True, False, False, True, False]
    assert reasons(counted[1]).keys() & {"OPEN_IDEA", "CONTRACT_IN_USE"}


def test_after_a_restore_all_goes_on_as_if_nothing_had_happened(days: list[surface_pb2.VolSurface]) -> None:
    undisturbed = SignalEngine(SETTINGS)
    before: list[Assessment] = [undisturbed.assess(each, TRACE) for each in days[:4]]
    restored = SignalEngine(SETTINGS)
    restored.restore(
        [(each.underlying, each.time_ns, each.spot) for each in days[:4]],
        [("XYZ", idea) for each in before for idea in each.ideas],
    )
    assert [restored.on_surface(each, TRACE) for each in days[4:]] == [
        undisturbed.on_surface(each, TRACE) for each in days[4:]
    ]


@pytest.mark.parametrize("status", [surface_pb2.FIT_STATUS_POOR, surface_pb2.FIT_STATUS_FAILED])
def test_only_good_surfaces_make_signals(status: surface_pb2.FitStatus.ValueType) -> None:
    poor = odd_surface()
    poor.status = status
    poor.reasons.append("STABILITY")
    signal_set = SignalEngine(SETTINGS).on_surface(poor, TRACE)
    assert not signal_set.signals
    assert reasons(signal_set) == {"SURFACE_NOT_GOOD": 1, "SURFACE_NOT_GOOD:STABILITY": 1}


def test_only_good_slices_make_signals() -> None:
    message = odd_surface()
    for each in message.slices:
        if each.expiry_date == "2019-06-07":
            each.status = surface_pb2.FIT_STATUS_POOR
    signal_set = SignalEngine(SETTINGS).on_surface(message, TRACE)
    signals = signal_set.signals
    assert reasons(signal_set)["EXPIRY_NOT_GOOD"] == 1
    assert signals
    assert all("190607" not in leg.instrument_id for signal in signals for leg in signal.legs)


def test_settings_cap_and_filter_with_reasons(days: list[surface_pb2.VolSurface]) -> None:
    capped = SignalEngine(SETTINGS.model_copy(update={"max_signals": 1})).on_surface(days[0], TRACE)
    assert len(capped.signals) == 1
    assert reasons(capped)["BEYOND_MOST"] >= 1
    sure = SignalEngine(SETTINGS.model_copy(update={"min_confidence": 0.999})).on_surface(days[0], TRACE)
    assert not sure.signals
    assert reasons(sure)["CONFIDENCE"] >= 2
    dear = SignalEngine(SETTINGS.model_copy(update={"min_edge_per_contract": 1e6})).on_surface(days[0], TRACE)
    assert reasons(dear)["EDGE_TOO_SMALL"] >= 2


def test_no_signal_has_illiquid_legs() -> None:
    message = odd_surface()
    for each in message.slices:
        each.open_interest[:] = [0.0] * len(each.strike)
    assert not SignalEngine(SETTINGS).on_surface(message, TRACE).signals


def test_native_ids_are_those_of_the_chain() -> None:
    message = surface(native_ids=True, spoil=odd_quotes)
    signals = SignalEngine(SETTINGS).on_surface(message, TRACE).signals
    quoted = {name for each in message.slices for name in each.instrument_id}
    assert signals
    assert {leg.instrument_id for signal in signals for leg in signal.legs} <= quoted


def test_an_empty_good_surface_has_no_signals() -> None:
    empty = surface_pb2.VolSurface(
        underlying="XYZ", time_ns=DAY_NS, spot=1.0, status=surface_pb2.FIT_STATUS_GOOD
    )
    assert not SignalEngine(SETTINGS).on_surface(empty, TRACE).signals
