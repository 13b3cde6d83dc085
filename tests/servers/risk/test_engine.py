from __future__ import annotations

from decimal import Decimal

import pytest
from trading_examples import (
    BUY,
    NOW,
    SELL,
    batch,
    call,
    check_request,
    fill,
    intent,
    leg,
    native_surface,
    put,
    surface,
)

from skewline.servers.risk.checks.catalogue import CHECKS
from skewline.servers.risk.engine import RiskEngine
from skewline.servers.runtime.decimals import to_decimal
from skewline.servers.runtime.settings.risk import RiskSettings
from skewline.v1 import common_pb2, order_pb2, risk_pb2, surface_pb2


def engine(limits: dict[str, float] | None = None, **settings: object) -> RiskEngine:
    made = RiskEngine(RiskSettings.model_validate({"limits": limits or {}, **settings}))
    made.on_surface(surface())
    return made


def decide(it: RiskEngine, asked: risk_pb2.OrderIntent, **request: object) -> risk_pb2.RiskDecision:
    return it.check(check_request(asked, **request))[0]  # type: ignore[arg-type]


def failed(decision: risk_pb2.RiskDecision) -> list[str]:
    return [check.name for check in decision.checks if not check.passed]


def sized(**changes: object) -> risk_pb2.OrderIntent:
    return intent(**{"signal_id": "signal-1", "quantity": 0, **changes})  # type: ignore[arg-type]


WIDE = {
    "max_order_quantity": 1e9,
    "max_order_notional": 1e15,
    "max_position": 1e9,
    "max_delta": 1e15,
    "max_gamma": 1e15,
    "max_vega": 1e15,
    "max_theta": 1e15,
    "max_value_at_risk": 1e15,
}


def test_every_check_is_made_and_reported() -> None:
    decision = decide(engine(), intent())
    assert decision.approved
    assert [check.name for check in decision.checks] == ["VALID_INTENT", *[c.name for c in CHECKS], "SIZE"]
    assert to_decimal(decision.quantity) == 1


def test_size_is_the_constant_over_variance() -> None:
    decision = decide(engine(WIDE, size_constant=1e-6), sized(edge=1e6, edge_stdev=500.0))
    # With c over the square of 500 / 1,000,000.
    assert decision.raw_size == pytest.approx(4.0)
    assert to_decimal(decision.quantity) == 4
    assert decision.bound_by == "INVERSE_VARIANCE"


def test_kelly_bounds_a_small_edge() -> None:
    decision = decide(engine(WIDE), sized(edge=1.0, edge_stdev=300.0))
    # A quarter of an edge of 1 on a million, over the square of 300, is 2.8 units.
    assert decision.bound_by == "KELLY"
    assert to_decimal(decision.quantity) == 2
    assert decision.kelly_fraction == pytest.approx(0.25 * 1.0 / 300.0)


@pytest.mark.parametrize(("edge", "edge_stdev"), [(0.0, 500.0), (-5.0, 500.0), (100.0, 0.0), (1.0, 5000.0)])
def test_without_a_unit_left_the_intent_is_refused_and_the_bound_named(
    edge: float, edge_stdev: float
) -> None:
    decision = decide(engine(WIDE), sized(edge=edge, edge_stdev=edge_stdev))
    assert not decision.approved
    assert to_decimal(decision.quantity) == 0
    assert failed(decision) == ["SIZE"]
    assert decision.bound_by in ("KELLY", "INVERSE_VARIANCE")
    assert decision.bound_by in decision.checks[-1].message


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("max_order_quantity", 3.0),
        ("max_order_notional", 15_000.0),
        ("max_position", 3.0),
        ("max_delta", 500_000.0),
        ("max_gamma", 150_000.0),
        ("max_vega", 1_000.0),
        ("max_theta", 500.0),
        ("max_value_at_risk", 10_000.0),
    ],
)
def test_each_limit_bounds_the_size_to_its_head_room(limit: str, value: float) -> None:
    it = engine({**WIDE, limit: value}, size_constant=1e-4)
    decision = decide(it, sized(edge=1e6))
    assert decision.approved, failed(decision)
    assert decision.bound_by == limit.upper()
    units = int(to_decimal(decision.quantity))
    assert units >= 1
    more = decide(engine({**WIDE, limit: value}), intent(quantity=units + 1))
    assert failed(more) == [limit.upper()]


@pytest.mark.parametrize(
    ("limits", "asked", "name"),
    [
        ({"max_order_quantity": 2.0}, intent(quantity=3), "MAX_ORDER_QUANTITY"),
        ({"max_order_notional": 100.0}, intent(), "MAX_ORDER_NOTIONAL"),
        ({"max_position": 2.0}, intent(quantity=3), "MAX_POSITION"),
        ({"max_delta": 1_000.0}, intent(), "MAX_DELTA"),
        ({"max_gamma": 10.0}, intent(), "MAX_GAMMA"),
        ({"max_vega": 1.0}, intent(), "MAX_VEGA"),
        ({"max_theta": 1.0}, intent(), "MAX_THETA"),
        ({"max_value_at_risk": 10.0}, intent(), "MAX_VALUE_AT_RISK"),
        ({"max_price_deviation": 1.0}, intent(limit="60"), "PRICE_DEVIATION"),
        ({"min_confidence": 0.95}, sized(edge_stdev=100.0), "MIN_CONFIDENCE"),
    ],
)
def test_each_limit_refuses_with_limit_and_value(
    limits: dict[str, float], asked: risk_pb2.OrderIntent, name: str
) -> None:
    decision = decide(engine(limits), asked)
    assert not decision.approved
    check = next(check for check in decision.checks if check.name == name)
    assert not check.passed
    assert check.limit == next(iter(limits.values()))
    assert check.value != check.limit
    assert check.unit
    assert check.message


def test_a_manual_order_has_no_confidence_to_judge() -> None:
    assert decide(engine({"min_confidence": 0.99}), intent(confidence=0.0)).approved


def test_only_so_many_orders_pass_for_one_snapshot() -> None:
    it = engine({"max_orders_per_snapshot": 2.0})
    asked = [intent(intent_id=f"intent-{n}") for n in range(3)]
    decisions = it.check(check_request(*asked))
    assert [decision.approved for decision in decisions] == [True, True, False]
    assert failed(decisions[2]) == ["MAX_ORDERS_PER_SNAPSHOT"]


def test_uncovered_calls_are_bounded_and_a_spread_is_covered() -> None:
    it = engine(WIDE, max_uncovered_calls=2)
    naked = intent([leg(call(2900), SELL)], quantity=3, limit="-40")
    spread = intent([leg(call(2900), SELL), leg(call(3000))], quantity=3, limit="-34")
    assert failed(decide(it, naked)) == ["MAX_UNCOVERED_CALLS"]
    assert decide(it, spread).approved


def test_an_unknown_instrument_is_refused_by_name() -> None:
    decision = decide(engine(), intent([leg("rubbish")]))
    check = next(check for check in decision.checks if check.name == "KNOWN_INSTRUMENT")
    assert not decision.approved
    assert not check.passed
    assert "rubbish" in check.message


@pytest.mark.parametrize("status", [surface_pb2.FIT_STATUS_POOR, surface_pb2.FIT_STATUS_FAILED])
def test_a_surface_that_is_not_good_is_never_traded_on(status: surface_pb2.FitStatus.ValueType) -> None:
    it = RiskEngine(RiskSettings())
    it.on_surface(surface(status=status))
    assert "SURFACE_GOOD" in failed(decide(it, intent()))


def test_an_old_or_absent_surface_is_never_traded_on() -> None:
    late = decide(engine(max_surface_age_s=60), intent(), snapshot_id="", time_ns=NOW + 61 * 10**9)
    assert failed(late) == ["SURFACE_FRESH"]
    absent = decide(RiskEngine(RiskSettings()), intent())
    assert failed(absent) == ["SURFACE_GOOD"]


def test_an_instrument_that_nothing_explains_fails_one_check_and_stops_those_that_need_its_price() -> None:
    decision = decide(engine(), intent([leg("BTC-17MAY19-2900-C")], quantity=10_000))
    assert not decision.approved
    assert failed(decision) == ["KNOWN_INSTRUMENT"]
    made = [check.name for check in decision.checks]
    assert made == [
        "VALID_INTENT",
        "TRADING_STATE",
        "SURFACE_GOOD",
        "SURFACE_FRESH",
        "KNOWN_INSTRUMENT",
        "MIN_CONFIDENCE",
        "MAX_ORDERS_PER_SNAPSHOT",
    ]


NATIVE = ("BTC-17MAY19-2800-P", "BTC-17MAY19-2900-C", "BTC-17MAY19-3000-C")


def native_engine() -> RiskEngine:
    made = RiskEngine(RiskSettings())
    made.on_surface(native_surface(NATIVE))
    return made


def test_an_exchange_native_id_is_judged_as_its_osi_twin() -> None:
    native = decide(native_engine(), intent([leg(NATIVE[1])]))
    assert native.approved
    assert native.checks == decide(engine(), intent()).checks


def test_a_native_position_is_valued_on_surfaces_that_no_longer_quote_it() -> None:
    it, twin = native_engine(), engine()
    for one, name in ((it, NATIVE[1]), (twin, call(2900))):
        assert decide(one, intent([leg(name)])).approved
        one.on_orders(batch(fill(name, BUY, 1, "41")))
        one.on_surface(surface("snapshot-2", spot=3100.0, time_ns=NOW + 1))
    valued = it.on_orders(batch(snapshot_id="snapshot-2"))
    assert valued.unpriced_positions == 0
    assert valued == twin.on_orders(batch(snapshot_id="snapshot-2"))
    closing = intent([leg(NATIVE[1], SELL)], intent_id="intent-2", limit="-200", snapshot_id="snapshot-2")
    assert decide(it, closing, request_id="check-2", snapshot_id="snapshot-2").approved


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"underlying": ""}, "underlying"),
        ({"edge": float("nan")}, "edge"),
        ({"edge_stdev": float("inf")}, "edge_stdev"),
        ({"confidence": float("nan")}, "confidence"),
        ({"quantity": common_pb2.Decimal(units=-1)}, "quantity"),
        ({"quantity": common_pb2.Decimal(nanos=5)}, "quantity"),
        ({"limit_price": common_pb2.Decimal(units=1, nanos=-5)}, "limit_price.nanos"),
        ({"multiplier": common_pb2.Decimal()}, "multiplier"),
        ({"legs": []}, "legs"),
        ({"legs": [leg(call(2900)), leg(call(2900), SELL)]}, "legs[1].instrument_id"),
        ({"legs": [leg(call(2900), common_pb2.SIDE_UNSPECIFIED)]}, "legs[0].side"),
        ({"legs": [leg(call(2900), BUY, 0)]}, "legs[0].ratio"),
    ],
)
def test_rubbish_is_refused_as_data_that_names_the_field(change: dict[str, object], field: str) -> None:
    asked = intent()
    for name, value in change.items():
        asked.ClearField(name)  # type: ignore[arg-type]
        if isinstance(value, list):
            getattr(asked, name).extend(value)
        elif isinstance(value, common_pb2.Decimal):
            getattr(asked, name).CopyFrom(value)
        else:
            setattr(asked, name, value)
    it = engine()
    decision = decide(it, asked)
    assert not decision.approved
    assert field in decision.checks[0].message
    assert not it.book.reservations


def test_approved_exposure_is_reserved_until_the_order_is_final() -> None:
    it = engine({**WIDE, "max_position": 5.0})
    assert decide(it, intent(quantity=4)).approved
    assert failed(decide(it, intent(intent_id="intent-2", quantity=2))) == ["MAX_POSITION"]
    cancelled = order_pb2.Order(
        order_id="intent-1", status=order_pb2.ORDER_STATUS_CANCELLED, quantity=common_pb2.Decimal(units=4)
    )
    it.on_orders(batch(orders=[cancelled]))
    assert not it.book.reservations
    assert decide(it, intent(intent_id="intent-3", quantity=5)).approved


def test_a_partial_fill_moves_exposure_from_reserved_to_held() -> None:
    it = engine({**WIDE, "max_position": 5.0})
    decide(it, intent(quantity=4))
    working = order_pb2.Order(
        order_id="intent-1",
        status=order_pb2.ORDER_STATUS_PARTIALLY_FILLED,
        quantity=common_pb2.Decimal(units=4),
        filled_quantity=common_pb2.Decimal(units=3),
    )
    it.on_orders(batch(fill(call(2900), BUY, 3, "41"), orders=[working]))
    assert it.book.reservations["intent-1"].quantity == 1
    assert it.book.positions[call(2900)].quantity == 3
    assert failed(decide(it, intent(intent_id="intent-2", quantity=2))) == ["MAX_POSITION"]


def test_a_replaced_order_is_checked_without_its_old_exposure() -> None:
    it = engine({**WIDE, "max_position": 5.0})
    decide(it, intent(quantity=4))
    assert decide(it, intent(quantity=5), request_id="check-2").approved
    assert it.book.reservations["intent-1"].quantity == 5


def test_past_a_limit_a_trade_that_reduces_the_risk_still_passes() -> None:
    it = engine({**WIDE, "max_vega": 1_000.0})
    it.on_orders(batch(fill(call(2900), BUY, 20, "41")))
    assert failed(decide(it, intent())) == ["MAX_VEGA"]
    assert decide(it, intent([leg(call(2900), SELL)], quantity=10, limit="-40")).approved


def test_equity_is_capital_plus_cash_plus_model_value() -> None:
    it = engine()
    portfolio = it.on_orders(batch(fill(call(2900), BUY, 2, "41", fee="2.62")))
    assert portfolio.equity == pytest.approx(1_000_000 - 8200 - 2.62 + portfolio.greeks.market_value)
    assert (portfolio.positions, portfolio.unpriced_positions) == (1, 0)
    assert [row.underlying for row in portfolio.underlyings] == ["SPX"]
    assert [row.confidence for row in portfolio.value_at_risk] == [0.95, 0.99]
    assert portfolio.provenance == common_pb2.PROVENANCE_SIMULATED


def test_an_unpriced_position_is_counted_and_keeps_its_last_value() -> None:
    it = engine()
    before = it.on_orders(batch(fill(call(2900), BUY, 2, "41")))
    it.on_surface(surface("snapshot-2", time_ns=NOW + 1, status=surface_pb2.FIT_STATUS_FAILED))
    after = it.on_orders(batch(snapshot_id="snapshot-2", time_ns=NOW + 1))
    assert after.unpriced_positions == 1
    assert after.equity == pytest.approx(before.equity)
    assert after.greeks.delta == 0.0


def test_the_portfolio_of_a_batch_uses_its_own_surface_never_a_later_one() -> None:
    early, late = engine(), engine()
    late.on_surface(surface("snapshot-2", time_ns=NOW + 1, spot=3000.0))
    trade = batch(fill(call(2900), BUY, 2, "41"))
    assert early.on_orders(trade) == late.on_orders(trade)
    assert decide(early, intent()) == decide(late, intent())


def test_the_kill_switch_refuses_everything_until_it_is_reset() -> None:
    it = engine()
    it.halt("drill", "operator", NOW)
    decision = decide(it, intent())
    assert failed(decision) == ["TRADING_STATE"]
    assert "drill" in decision.checks[1].message
    it.resume("over", "operator", NOW)
    assert decide(it, intent()).approved


def test_a_drawdown_from_the_peak_trips_the_kill_switch_once() -> None:
    it = engine({"max_drawdown": 5_000.0})
    assert it.on_orders(batch(fill(call(2900), BUY, 2, "41"))).state.state == risk_pb2.TRADING_STATE_ACTIVE
    it.on_surface(surface("snapshot-2", time_ns=NOW + 1, spot=2700.0))
    tripped = it.on_orders(batch(snapshot_id="snapshot-2", time_ns=NOW + 1))
    assert tripped.state.state == risk_pb2.TRADING_STATE_HALTED
    assert "MAX_DRAWDOWN" in tripped.state.reason
    assert tripped.state.time_ns == NOW + 1
    it.resume("accepted", "operator", NOW + 2)
    again = it.on_orders(batch(snapshot_id="snapshot-2", time_ns=NOW + 3))
    assert again.state.state == risk_pb2.TRADING_STATE_ACTIVE


def test_more_capital_is_no_gain_and_less_no_drawdown() -> None:
    it = engine({"max_drawdown": 1_000.0})
    limits = risk_pb2.RiskLimits()
    limits.CopyFrom(it.limits)
    limits.capital = 100_000.0
    it.set_limits(limits)
    assert it.on_orders(batch()).state.state == risk_pb2.TRADING_STATE_ACTIVE


def test_fills_are_booked_exactly() -> None:
    it = engine()
    it.on_orders(batch(fill(put(2900), SELL, 3, "38.1", fee="3.93")))
    assert it.book.cash == Decimal("11426.07")
    assert it.book.positions[put(2900)].quantity == -3
